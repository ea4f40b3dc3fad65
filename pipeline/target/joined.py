"""Outputs that together are one: of a job, and of jobs that read only what was new since (`--since`).

A job that adds to earlier outputs has a manifest of its own, <target>/_chimera/inputs/<job id>.joined.ndjson, which is
written before it begins, never changes, and counts as soon as its summary stands. One JSON object a line:

    {"jobId", "since": {...}, "parts": [{"target", "jobId", "startedAt"}, ...]}
                             the first line: what was found, and the outputs, earliest first, without the job's own
    {"part", "uri", "why", "lines", "places": [[shard, offset, extent], ...]}
                             lines of a part that count no more, since their file was replaced, or is read from another
                             by now. Extent: bytes, or rows where `pipeline.ledger` counts those
    {"gone": uri}            a file that an earlier job read, and that is not there any more. Its lines still count

summary.json of such a job has under `since` what the first line has, and under `since.joined` this file's name, size
and checksum.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from pipeline.errors import ObjectNotFoundError, RefusedError, StorageError
from pipeline.ledger import FileRecord
from pipeline.spec import JobSpec
from pipeline.storage import Store, join
from pipeline.target.layout import additions, joined_name
from pipeline.target.lifecycle import read_summary
from pipeline.target.results import lines_of

_LINES_AT_ONCE = 4096


@dataclass(frozen=True)
class JoinedPart:
    """One output of several: where it is, the job that wrote it, and when that began."""

    target: str
    job_id: str
    started_at: str


@dataclass(frozen=True)
class Superseded:
    """Lines of a part that count no more; the module's docstring has the fields."""

    part: int
    uri: str
    why: str
    lines: int
    places: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Joined:
    """What a manifest says. `parts` are the earlier outputs, without the job's own, earliest first."""

    job_id: str
    since: Mapping[str, Any]
    parts: tuple[JoinedPart, ...]
    superseded: tuple[Superseded, ...] = ()
    gone: tuple[str, ...] = field(default=())


def places_of(record: FileRecord) -> tuple[tuple[str, int, int], ...]:
    """Where a file's lines are in the output that its record is of."""
    if record.pieces is not None:
        return tuple((piece.shard, piece.offset, piece.rows) for piece in record.pieces)
    if record.shard is None or record.offset is None:
        return ()
    return ((record.shard, record.offset, record.output_bytes or record.lines),)


def write_joined(store: Store, target: str, joined: Joined) -> None:
    """Write the manifest of a job at its target."""
    parts = [{"target": p.target, "jobId": p.job_id, "startedAt": p.started_at} for p in joined.parts]
    documents: Iterable[Mapping[str, Any]] = chain(
        [{"jobId": joined.job_id, "since": joined.since, "parts": parts}],
        (vars(one) for one in joined.superseded),
        ({"gone": uri} for uri in joined.gone),
    )
    lines = (json.dumps(document, separators=(",", ":")).encode() + b"\n" for document in documents)
    with store.open_write(join(target, joined_name(joined.job_id))) as out:
        while block := b"".join(islice(lines, _LINES_AT_ONCE)):
            out.write(block)


def read_joined(store: Store, target: str, job_id: str) -> Joined:
    """The manifest of a job at its target. Raises StorageError for one that is gone or makes no sense."""
    uri = join(target, joined_name(job_id))
    superseded, gone = [], []
    head: dict[str, Any] | None = None
    try:
        for line in lines_of(store, uri):
            document = json.loads(line)
            if head is None:
                head = document
            elif "gone" in document:
                gone.append(str(document["gone"]))
            else:
                places = tuple((str(s), int(o), int(e)) for s, o, e in document.pop("places"))
                superseded.append(Superseded(**document, places=places))
        head = head or {}
        parts = tuple(JoinedPart(p["target"], p["jobId"], p["startedAt"]) for p in head["parts"])
        return Joined(str(head["jobId"]), head["since"], parts, tuple(superseded), tuple(gone))
    except (ValueError, TypeError, KeyError) as e:
        raise StorageError(uri, f"is not what a job wrote ({e})") from e


def measure_joined(store: Store, target: str, job_id: str) -> dict[str, Any]:
    """The manifest's name, size and checksum, as summary.json has them. Raises StorageError."""
    name = joined_name(job_id)
    with store.open_read(join(target, name)) as stream:
        while stream.read(1 << 20):
            pass
        stream.verify()
        return {"name": name, "bytes": stream.size, "crc32c": stream.crc32c}


def told_since(store: Store, spec: JobSpec) -> dict[str, Any]:
    """What summary.json says under `since` of a job that adds to earlier outputs; nothing of another."""
    if spec.since is None:
        return {}
    joined = read_joined(store, spec.target, spec.job_id)
    return {"since": {**joined.since, "joined": measure_joined(store, spec.target, spec.job_id)}}


def outputs_before(store: Store, target: str) -> Joined:
    """The outputs that are at a target and that it adds to, as one more job has to join them: its own is the last.

    Raises RefusedError where there is no output, or one of those that it adds to is gone.
    """
    summary = read_summary(store, target)
    if summary is None:
        raise RefusedError(f"{target} holds no output that could be added to; run the job without --since")
    own = JoinedPart(target, str(summary.get("jobId")), str(summary.get("startedAt")))
    if not summary.get("since"):
        return Joined(own.job_id, {}, (own,))
    before = read_joined(store, target, own.job_id)
    for part in before.parts:
        found = (read_summary(store, part.target) or {}).get("jobId")
        if found != part.job_id:
            now = f"now holds the output of job {found}" if found else "holds no output any more"
            raise RefusedError(
                f"job {own.job_id} adds to job {part.job_id} at {part.target}, which {now}; run the job without --since"
            )
    return Joined(own.job_id, before.since, (*before.parts, own), before.superseded, before.gone)


def last_output(store: Store, target: str) -> str | None:
    """The target of the last job that wrote to a target or added to it; None where no output is there.

    A job that was asked for earlier and ended later adds to less: of those of one day, the last to end is taken.
    """
    first = read_summary(store, target)
    if first is None:
        return None
    try:
        folders = [folder for page in store.list_folder(additions(target)) for folder in page.folders]
    except ObjectNotFoundError:
        return target
    day, latest = "", (str(first.get("finishedAt")), target)
    for folder in sorted(folders, reverse=True):
        added = folder.rstrip("/")
        if day and added.rpartition("/")[2][:10] != day:
            break
        since = (summary := read_summary(store, added) or {}).get("since") or {}
        if since.get("firstJobId") == first.get("jobId"):
            day = added.rpartition("/")[2][:10]
            latest = max(latest, (str(summary.get("finishedAt")), added))
    return latest[1]


def superseded_of(joined: Joined, part: int) -> Iterator[Superseded]:
    return (one for one in joined.superseded if one.part == part)
