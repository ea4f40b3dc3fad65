"""The end of a job: reconcile, give files their final names, and say in the summary that the output is whole.

One worker does it, for all files: a bucket takes about a thousand renames a second under one prefix, whoever
asks. Each step may be repeated, since a runner may run it again after it was done, or twice at once. None of it holds
unless the claim is still the job's when it is said to be whole (`pipeline.target.claim.make_whole`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from pipeline.errors import ObjectExistsError, ObjectNotFoundError, StorageError, TargetError
from pipeline.job_options import RAW, TEXT_FORMATS
from pipeline.ledger import Part, Totals, judge, reconcile
from pipeline.spec import JobSpec
from pipeline.storage import Store, Version, join
from pipeline.storage.checksum import Crc32c
from pipeline.target.claim import Claim, State, make_whole, read_claim, roll_forward, stands
from pipeline.target.contents import delete, published_versions
from pipeline.target.layout import SHARDS, job_folder, job_folders, shards_uri
from pipeline.target.lifecycle import hold_for_publishing, lost, own_summary
from pipeline.write.shard_list import published_names

PATTERNS_SHOWN = 1000  # in the summary


@dataclass(frozen=True)
class Move:
    """One part, and the name it is published under."""

    part: Part
    uri: str


def plan_moves(parts: Sequence[Part], target: str, kind: str) -> list[Move]:
    """The parts in the order of their names, numbered; kind is "output" or "ledger"."""
    parts = sorted(parts)
    names = published_names(kind, parts)
    return [Move(part, join(target, name)) for part, name in zip(parts, names, strict=True)]


def finish_job(
    store: Store,
    spec: JobSpec,
    about: Mapping[str, Any],
    *,
    listed: int,
    totals: Totals,
    output: Sequence[Part],
    ledger: Sequence[Part],
    published: Part,
) -> dict[str, Any]:
    """Publish the ledger, then the output and the list of it all (`shard_list`), then the summary; give that.

    Raises ReconciliationError or TargetError before anything is published, and TooManyFailuresError after the
    ledger is: it has the reason for each failed file. TargetError also when the target is lost meanwhile.
    """
    viewed = spec.view != RAW
    unit, by_bytes = ("rows", spec.format in TEXT_FORMATS) if viewed else ("lines", True)
    reconcile(listed, totals, output, ledger, spec.target, unit=unit, by_bytes=by_bytes)
    try:
        claim = hold_for_publishing(store, spec)
        if claim.state is State.PUBLISHING:
            moves = plan_moves(ledger, spec.target, "ledger")
            publish(store, moves, spec.job_id)
            judge(totals, spec.max_failures, join(spec.target, "ledger/"))
            moves += [*plan_moves(output, spec.target, "output"), Move(published, shards_uri(spec.target))]
            publish(store, moves[len(ledger) :], spec.job_id)
            _check_published(store, spec, claim, moves)
            claim = _commit(store, spec, claim, summarise(spec, about, totals, output, published))
        roll_forward(store, spec.target, claim)
        summary: dict[str, Any] = json.loads(claim.text)
    except (StorageError, TargetError) as e:
        summary = _after_all(store, spec, e)
    store.delete_tree(job_folder(spec.target, spec.job_id))
    store.remove_empty_folder(job_folders(spec.target))
    return summary


def publish(store: Store, moves: Sequence[Move], job_id: str) -> None:
    """Give parts their final names; may be repeated. Raises StorageError for one that is not what was written."""
    store.run_each(partial(_publish_one, store, job_id), moves)


def _publish_one(store: Store, job_id: str, move: Move) -> None:
    part = move.part
    if part.generation:  # one request, as a rule
        with suppress(ObjectNotFoundError, ObjectExistsError):
            _check(store.move(part.uri, move.uri, generation=part.generation), part)
            return
    for last in (False, False, True):
        try:
            _check(_move_seen(store, job_id, move), part)
        except (ObjectNotFoundError, ObjectExistsError):  # another attempt is at it
            if last:
                raise
        else:
            return


def _move_seen(store: Store, job_id: str, move: Move) -> Version:
    """Give a part its final name if another attempt has not; what then stands there."""
    part, here, there = move.part, _look(store, move.part.uri), _look(store, move.uri)
    if here is None:
        if there is None:
            raise ObjectNotFoundError(part.uri, f"is gone, and is not at {move.uri} either")
        return there
    _check(here, part)
    if part.generation not in {0, here.generation}:
        raise StorageError(part.uri, "was written by somebody else since this job did")
    if there is None:
        return store.move(here.uri, move.uri, generation=here.generation)
    if there.owner == job_id and _is_of(there, part):  # a copy that stopped before it deleted its source
        store.delete_version(here.uri, here.generation)
        return there
    return store.move(
        here.uri, move.uri, generation=here.generation, over=there.generation
    )  # a dead job's litter


def _check(version: Version, part: Part) -> None:
    if not _is_of(version, part):
        raise StorageError(
            version.uri,
            f"holds {version.size:,} bytes ({version.crc32c}) where {part.size:,} ({part.crc32c}) were written",
        )


def _is_of(version: Version, part: Part) -> bool:
    same = part.crc32c is None or version.crc32c is None or version.crc32c == part.crc32c
    return same and version.size == part.size


def _look(store: Store, uri: str) -> Version | None:
    try:
        return store.look(uri)
    except ObjectNotFoundError:
        return None


def _check_published(store: Store, spec: JobSpec, claim: Claim, moves: Sequence[Move]) -> None:
    """See that under the final names there is just what this job put there; what dead jobs did is deleted."""
    wanted = {move.uri for move in moves}
    found = {version.uri: version for version in published_versions(store, spec.target)}
    if gone := wanted - found.keys():
        raise StorageError(min(gone), "was published, and is gone")
    others = [found[uri] for uri in sorted(found.keys() - wanted)]
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
    spec: JobSpec, about: Mapping[str, Any], totals: Totals, output: Sequence[Part], published: Part
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
        "outputBytes": sum(part.size for part in output),
        "lines": sum(part.lines for part in output),
        **_of_view(spec, totals, output),
        "shards": len(output),
        "shardsFile": {"name": SHARDS, "bytes": published.size, "crc32c": published.crc32c},
    }
    return {**summary, "crc32c": summary_crc32c(summary)}


def _of_view(spec: JobSpec, totals: Totals, output: Sequence[Part]) -> dict[str, Any]:
    """What the summary of a view says besides: `lines` are its rows."""
    if spec.view == RAW:
        return {}
    return {
        "rows": sum(part.lines for part in output),
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
