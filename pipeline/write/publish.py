"""The end of a job: reconcile, give files their final names, and say in the summary that the output is whole.

    begin            one worker: reconcile, and bring the claim to publishing
    publish_groups   all workers: the ledger's files, and then, once `judge` lets them, the output's
    finish           one worker: see that all is there, and commit

Each step may be repeated, since a runner may run it again after it was done, or twice at once. None of it holds
unless the claim is still the job's when it is said to be whole (`pipeline.target.claim.make_whole`), and still the one
that `begin` found: so nobody has given the job up, or taken its target, since the first part was given its name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pipeline.errors import ReconciliationError, StorageError, TargetError
from pipeline.job_options import RAW, TEXT_FORMATS
from pipeline.ledger import Part, Totals, judge, reconcile
from pipeline.spec import JobSpec
from pipeline.storage import Store, join
from pipeline.storage.checksum import Crc32c
from pipeline.target.claim import Claim, State, make_whole, read_claim, roll_forward, stands
from pipeline.target.contents import delete, published_versions
from pipeline.target.layout import SHARDS, job_folder, job_folders, shards_uri
from pipeline.target.lifecycle import hold_for_publishing, lost, own_summary
from pipeline.write.groups import GroupTotals, Numbering
from pipeline.write.moves import Move, plan_moves, publish

PATTERNS_SHOWN = 1000  # in the summary


@dataclass(frozen=True)
class Plan:
    """What is to be published, and the claim as it stood when that began; None where another attempt had ended."""

    output: Numbering
    ledger: Numbering
    listed: Part  # the list of both (`shard_list`)
    claim: Claim | None

    @property
    def is_open(self) -> bool:
        """Whether there is something left to be done."""
        return self.claim is not None and self.claim.state is State.PUBLISHING

    def of(self, kind: str) -> Numbering:
        return self.output if kind == "output" else self.ledger


@dataclass(frozen=True)
class PublishedGroup:
    """So many parts of a group have their names."""

    kind: str
    key: str
    count: int


def begin(
    store: Store,
    spec: JobSpec,
    *,
    listed: int,
    totals: Totals,
    output: Iterable[GroupTotals],
    ledger: Iterable[GroupTotals],
    published: Part,
) -> Plan:
    """Reconcile, and bring the claim to publishing. Raises ReconciliationError or TargetError, with nothing published.

    `published` is the list of it all, under a temporary name (`shard_list`).
    """
    output, ledger = list(output), list(ledger)
    viewed = spec.view != RAW
    unit, by_bytes = ("rows", spec.format in TEXT_FORMATS) if viewed else ("lines", True)
    reconcile(listed, totals, output, ledger, spec.target, unit=unit, by_bytes=by_bytes)
    try:
        claim: Claim | None = hold_for_publishing(store, spec)
    except (StorageError, TargetError) as e:
        _after_all(store, spec, e)
        claim = None
    return Plan(Numbering.of("output", output), Numbering.of("ledger", ledger), published, claim)


def publish_groups(
    store: Store, spec: JobSpec, plan: Plan, kind: str, groups: Mapping[str, Sequence[Part]]
) -> list[PublishedGroup]:
    """Give the parts of some groups, by their keys, their final names.

    Raises StorageError for one that is not what was written, TargetError when the target is lost meanwhile.
    """
    if plan.is_open:
        moves = [
            move
            for key, parts in groups.items()
            for move in plan_moves(plan.of(kind), key, parts, spec.target)
        ]
        try:
            publish(store, moves, spec.job_id)
        except (StorageError, TargetError) as e:
            _after_all(store, spec, e)
    return [PublishedGroup(kind, key, len(parts)) for key, parts in groups.items()]


def judge_published(plan: Plan, spec: JobSpec, totals: Totals, done: Iterable[PublishedGroup]) -> Plan:
    """The plan once more, when its ledger is published. Raises TooManyFailuresError: the ledger has the reasons."""
    _check_done(plan.ledger, done, spec)
    if plan.is_open:
        judge(totals, spec.max_failures, join(spec.target, "ledger/"))
    return plan


def finish(
    store: Store,
    spec: JobSpec,
    plan: Plan,
    *,
    about: Mapping[str, Any],
    totals: Totals,
    done: Iterable[PublishedGroup],
) -> dict[str, Any]:
    """Publish the list once the output is, then commit; gives the summary.

    Raises StorageError for what was published and is gone, TargetError when the target is lost meanwhile.
    """
    _check_done(plan.output, done, spec)
    try:
        claim = plan.claim
        if claim is None:
            raise lost(store, spec)
        if plan.is_open:
            publish(store, [Move(plan.listed, shards_uri(spec.target))], spec.job_id)
            _check_published(store, spec, claim, plan)
            claim = _commit(store, spec, claim, summarise(spec, about, totals, plan.output, plan.listed))
        roll_forward(store, spec.target, claim)
        summary: dict[str, Any] = json.loads(claim.text)
    except (StorageError, TargetError) as e:
        summary = _after_all(store, spec, e)
    store.delete_tree(job_folder(spec.target, spec.job_id))
    store.remove_empty_folder(job_folders(spec.target))
    return summary


def _check_done(numbering: Numbering, done: Iterable[PublishedGroup], spec: JobSpec) -> None:
    counts = {group.key: group.count for group in done if group.kind == numbering.kind}
    wanted = {key: len(numbering.numbers(key)) for key in numbering.keys}
    if counts != wanted:
        raise ReconciliationError(
            f"{spec.target}: {sum(counts.values()):,} files of {numbering.kind}/ in {len(counts):,} groups were given "
            f"their names where there are {numbering.total:,} in {len(wanted):,}: the runner has lost some. Nothing "
            "was published; run the job again, and report this"
        )


def _check_published(store: Store, spec: JobSpec, claim: Claim, plan: Plan) -> None:
    """See that under the final names there is just what this job put there; what dead jobs did is deleted."""
    left = {kind: bytearray(b"\1") * plan.of(kind).total for kind in ("output", "ledger")}
    begin_of_name, has_list, others = len(join(spec.target, "")), False, []
    for version in published_versions(store, spec.target):
        name = version.uri[begin_of_name:]
        kind = name.partition("/")[0]
        number = plan.of(kind).number_of(name) if kind in left else None
        if number is not None:
            left[kind][number] = 0
        elif name == SHARDS:
            has_list = True
        else:
            others.append(version)
    gone = [plan.of(kind).name_of(missing.index(1)) for kind, missing in left.items() if 1 in missing]
    if gone or not has_list:
        raise StorageError(join(spec.target, *gone[:1] or (SHARDS,)), "was published, and is gone")
    for version in others:
        if version.owner is None:
            raise TargetError(
                f"{version.uri} is not of job {spec.job_id}, and would be taken for its output; remove it"
            )
    if others and stands(store, spec.target, claim):
        delete(store, others)


def _commit(store: Store, spec: JobSpec, claim: Claim, summary: dict[str, Any]) -> Claim:
    whole = make_whole(store, spec.target, claim, summary)
    if whole is None:
        whole = read_claim(store, spec.target)
    if whole is None or whole.job_id != spec.job_id or whole.state is not State.WHOLE:
        raise lost(store, spec)
    return whole


def _after_all(store: Store, spec: JobSpec, error: StorageError | TargetError) -> dict[str, Any]:
    """The summary, if another attempt was quicker. Raises the error, or why the target was lost."""
    if summary := own_summary(store, spec):
        return summary
    claim = read_claim(store, spec.target)
    if isinstance(error, StorageError) and (
        claim is None or claim.job_id != spec.job_id or claim.state is State.ABANDONED
    ):
        raise lost(store, spec) from error
    raise error


def summarise(
    spec: JobSpec, about: Mapping[str, Any], totals: Totals, output: Numbering, published: Part
) -> dict[str, Any]:
    """The document of summary.json: totals that reconcile with the ledger and the shards.

    `about` is what else it says of the job: startedAt, patterns, patternsTotal, unmatched. Its last field is its own
    checksum.
    """
    summary = {
        "jobId": spec.job_id,
        "state": State.WHOLE.value,  # as the claim says that becomes this document
        "source": spec.source,
        "target": spec.target,
        "keepPartial": spec.keep_partial,
        "everyFile": spec.every_file,
        **about,
        "finishedAt": now(),
        "files": {
            "listed": totals.listed,
            "complete": totals.complete,
            "failed": totals.failed,
            "skipped": totals.skipped,
            "noted": totals.noted,
        },
        "skippedBytes": totals.skipped_bytes,
        "compressedBytes": totals.size,
        "rawBytes": totals.raw_bytes,
        "outputBytes": output.size,
        "lines": output.lines,
        **_of_view(spec, totals, output),
        "shards": output.total,
        "shardsFile": {"name": SHARDS, "bytes": published.size, "crc32c": published.crc32c},
    }
    return {**summary, "crc32c": summary_crc32c(summary)}


def _of_view(spec: JobSpec, totals: Totals, output: Numbering) -> dict[str, Any]:
    """What the summary of a view says besides: `lines` are its rows."""
    if spec.view == RAW:
        return {}
    return {
        "rows": output.lines,
        "badLines": totals.bad_lines,
        "view": spec.view,
        "viewOptions": spec.view_options,
        "format": spec.format,
        "partitionBy": spec.partition_by,
        "maxBadLines": spec.max_bad_lines,
    }


def summary_crc32c(summary: Mapping[str, Any]) -> str:
    """The checksum of what a summary says, but for its own field: of its JSON with sorted names and no spaces."""
    said = {name: value for name, value in summary.items() if name != "crc32c"}
    crc = Crc32c()
    crc.update(json.dumps(said, sort_keys=True, separators=(",", ":")).encode())
    return str(crc)


def now() -> str:
    """The time in RFC 3339, to the millisecond, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
