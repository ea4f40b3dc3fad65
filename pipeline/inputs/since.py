"""`--since`: of a selection, the files that are new or replaced since an earlier job, which are all that is read.

    spec  --onto_earlier-->  spec with the output that it adds to, and a target beside that
          --find_new------>  the files to read, and the manifest that joins both (`pipeline.target.joined`)

Both are asked before the job is on record: workers know nothing of it, and read the files that they are told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace

from pipeline.archives.names import is_archive_name
from pipeline.archives.store import store_of_archives
from pipeline.errors import NothingNewError, ObjectNotFoundError, RefusedError
from pipeline.inputs.earlier import EarlierFiles
from pipeline.inputs.listing import listings, only_patterns
from pipeline.inputs.matching import list_matches, literal_uri
from pipeline.inputs.wanted import Wanted
from pipeline.job_options import LAST, RAW
from pipeline.locations import Target
from pipeline.sources import get_source, tells_holds
from pipeline.spec import JobSpec
from pipeline.storage import Entry, Store
from pipeline.target.joined import Joined, last_output, outputs_before
from pipeline.target.layout import additions
from pipeline.target.lifecycle import read_summary
from pipeline.target.results import ledger_records
from pipeline.uri import SEPARATOR, Uri, escape

_CROWD = 20  # names in one folder, beyond which it is listed
_LOOKUPS = 16
_GONE_NAMED = 5
# The same in both, or their outputs are no one table: by the names of summary.json and of `JobSpec`.
_ALIKE = {
    "source": ("source", "--source"),
    "view": ("view", "--view"),
    "viewOptions": ("view_options", "--view-options"),
    "format": ("format", "--format"),
    "partitionBy": ("partition_by", "--partition-by"),
}


@dataclass(frozen=True)
class NewFiles:
    """What a job that adds to earlier outputs reads, how many bytes that is, and the manifest that it has then."""

    read: list[str]
    bytes: int
    joined: Joined

    def patterns(self) -> list[str]:
        """The files to read as what a job looks for (`pipeline.inputs.listing`)."""
        return [*map(escape, self.read)]


def onto_earlier(store: Store, spec: JobSpec) -> JobSpec:
    """The specification with the output that it adds to: `since` is its folder, and the target is a free one.

    A target that holds that output is not written to: the job's own is <target>/since/<job id>. Where `since` is
    "last" and nothing is there yet, all is new, and the job is one without `since`. Raises RefusedError for a folder
    without an output, and for one of other rows.
    """
    if spec.since is None:
        return spec
    if spec.overwrite:
        raise RefusedError("--since adds to what stands, and --overwrite replaces it; leave one of them out")
    if spec.since == LAST:
        earlier = last_output(store, spec.target)
        if earlier is None:
            return replace(spec, since=None)
    elif "/" in spec.since or spec.since in (".", ".."):
        earlier = Target(spec.since).uri
    else:
        raise RefusedError(
            f"since is {spec.since!r}, a job's id, and no job log is asked here; give the folder that it wrote"
        )
    before = outputs_before(store, earlier)
    summary = read_summary(store, earlier) or {}
    for said, (name, flag) in _ALIKE.items():
        was, now = summary.get(said), getattr(spec, name)
        if summary.get("view") is None and said != "source":
            was = {"view": RAW, "format": "ndjson"}.get(said)
        if was != now and not (said == "format" and spec.view == RAW):
            raise RefusedError(
                f"job {before.job_id} at {earlier} was run with {flag} {was}, and this one with {now}; they would not "
                "be one output: give the same, or run it without --since"
            )
    first = before.parts[0].target
    target = spec.target
    if target in {first, earlier}:
        target = additions(first) + spec.job_id
    return replace(spec, since=earlier, target=target)


def find_new(store: Store, spec: JobSpec, looked_for: Sequence[str]) -> NewFiles:
    """List all that the job looks for, and hold it against the ledgers of the outputs that it adds to.

        by the ledgers                     now                        then
        no record                          there                      read: new
        a record                           another generation         read: replaced; its earlier lines count no more
        a record, of a local file          other size; or written     the same
                                           since, and other bytes
        a record                           as it was                  not read
        a record that it failed            as it was                  read again, with what is new; by itself where no
                                                                      byte of it was read
        lines in the output                passed over: another       its earlier lines count no more
                                           holds the same, fuller
        passed over for another            not passed over            read: new
        a record                           not there                  told; its lines go on to count

    Raises NothingNewError where nothing is to be read, and RefusedError as `outputs_before` does.
    """
    if spec.since is None:
        raise ValueError("a job that adds to nothing")
    store = store_of_archives(store)
    before = outputs_before(store, spec.since)
    source = get_source(spec.source)
    once = source if tells_holds(source) and not spec.every_file else None
    with EarlierFiles(store, [part.started_at for part in before.parts], once) as files:
        for number, part in enumerate(before.parts):
            for record in ledger_records(store, part.target, job_id=part.job_id):
                files.add_record(number, record)
        for entry in _listed(store, looked_for):
            files.add_found(entry)
        found = files.compare()
        read = [uri for uri, _, _ in found.read]
        gone = list(_gone(store, found.gone, looked_for))
    superseded = (*before.superseded, *found.superseded)
    last, first = before.parts[-1], before.parts[0]
    counts = Counter(why for _, why, _ in found.read)
    since = {
        "jobId": last.job_id,
        "target": last.target,
        "firstJobId": first.job_id,
        "new": counts["new"],
        "replaced": counts["replaced"],
        "unchanged": found.unchanged,
        "failedBefore": counts["failed"] + counts["unread"],
        "skipped": found.skipped,
        "superseded": len(found.superseded),
        "gone": len(gone),
        "goneFirst": gone[:_GONE_NAMED],
        "parts": len(before.parts) + 1,
    }
    if len(read) == counts["failed"]:  # whose bytes are as they were: alone they would fail again, each time
        told = f"; {len(gone):,} of them are gone, such as {gone[0]}" if gone else ""
        if read:
            told += (
                f"; {len(read):,} that failed are as they were, such as {read[0]}, and are read again with what is "
                "new, or by chimera jobs retry"
            )
        raise NothingNewError(
            f"nothing is new or replaced since job {last.job_id}: {found.unchanged:,} files are as they were{told}",
            since,
        )
    size = sum(size for _, _, size in found.read)
    return NewFiles(read, size, Joined(spec.job_id, since, before.parts, superseded, tuple(gone)))


def _listed(store: Store, looked_for: Sequence[str]) -> Iterator[Entry]:
    """Each file that a pattern matches, once at least: single names of one folder cost one listing if they are many."""
    names: dict[str, set[str]] = {}
    alone: list[str] = []
    for one in listings(looked_for):
        if one.patterns:
            for pattern in one.patterns:
                yield from list_matches(store, pattern)
        elif SEPARATOR not in one.prefix and not is_archive_name(one.prefix):
            names.setdefault(one.prefix.rpartition("/")[0] + "/", set()).add(one.prefix)
    for pattern in only_patterns(looked_for):
        uri = literal_uri(pattern)
        if uri is not None and (SEPARATOR in uri or is_archive_name(uri)):
            yield from list_matches(store, pattern)
    for folder, wanted in names.items():
        if len(wanted) <= _CROWD:
            alone += wanted
            continue
        for page in store.list_folder(folder):
            yield from (entry for entry in page.objects if entry.uri in wanted)
    with ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="look-since") as pool:
        yield from (entry for entry in pool.map(lambda uri: _looked_up(store, uri), alone) if entry)


def _looked_up(store: Store, uri: str) -> Entry | None:
    with suppress(ObjectNotFoundError):
        return store.stat(uri)
    return None


def _gone(store: Store, missing: Iterator[str], looked_for: Sequence[str]) -> Iterator[str]:
    """Of files that have a record and were not listed, those that the selection would take if they were there."""
    wanted = Wanted(looked_for)
    for uri in missing:
        place = Uri.parse(uri)
        of = wanted.of(place.archive) if place.members else None
        if not (of.takes(uri) if of else wanted.matches(uri)):
            continue
        if is_archive_name(uri) and _looked_up(store, uri):  # its members are listed in its place
            continue
        yield uri
