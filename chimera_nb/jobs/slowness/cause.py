"""The stage that limits a job, by its record and its ledger's seconds. Pure; no clock, no service.

A job lists, then reads, then publishes, and its record has how long each took. While it reads, files wait for the wire,
for a core (the codec) or for the temporary disk. Many wait for the wire at once, and few for a core: so the seconds of
each are held against as many as can be spent at a time, and that of which the most is used up limits.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from chimera_nb.jobs.record import JobRecord
from chimera_nb.jobs.slowness.remedy import Findings, remedy_for
from chimera_nb.jobs.slowness.seconds import FileSeconds
from pipeline.read.pool import REMOTE_THREADS

SLOWEST = 10
_START_SECONDS = 5  # a job that takes less than twice this, and little of it for reading, has hardly begun
_NAMES = {"raw_bytes": "rawBytes", "most_of_ten": "mostOfTen"}  # in JSON
_LONG = 0.6  # of the time for reading, that one file takes: the others do not matter


@dataclass(frozen=True)
class SlowFile:
    """A file, its seconds and their share of those of all files, its stored and its raw bytes."""

    uri: str
    seconds: float
    share: float
    size: int
    raw_bytes: int
    codec: str | None


@dataclass(frozen=True)
class Spread:
    """Stored bytes of the smallest file, of those that half and nine of ten are not above, and of the largest."""

    least: int = 0
    median: int = 0
    most_of_ten: int = 0
    largest: int = 0


@dataclass(frozen=True)
class Slowness:
    """Where a job's time went.

    files     how many were read, or tried
    seconds   theirs together: many are read at a time
    slowest   the SLOWEST, the slowest first; `share` is theirs of all seconds
    sizes     of all files
    stages    seconds of the job: listing (with its start), reading, publishing; those that are known
    work      seconds of files: wire, codec, disk
    limit     start, listing, wire, codec, file (one of them), disk or publishing; empty where nothing can be said
    why       in a sentence
    remedy    what helps, in a sentence; empty where nothing is wrong
    """

    files: int
    seconds: float
    slowest: tuple[SlowFile, ...]
    share: float
    sizes: Spread
    stages: Mapping[str, float]
    work: Mapping[str, float]
    limit: str
    why: str
    remedy: str

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        found = asdict(self)
        found["slowest"] = [
            {_NAMES.get(name, name): value for name, value in one.items()} for one in found["slowest"]
        ]
        found["sizes"] = {_NAMES.get(name, name): value for name, value in found["sizes"].items()}
        return found


def why_slow(record: JobRecord, files: Iterable[FileSeconds]) -> Slowness:
    """Go through a ledger's seconds once, and find what limited the job."""
    sizes = array("q")
    slowest: list[tuple[float, int, FileSeconds]] = []
    total = wire = disk = 0.0
    raw = 0
    for number, file in enumerate(files):
        sizes.append(file.size)
        total += file.seconds
        wire += min(file.wire_seconds, file.seconds)
        disk += file.disk_seconds
        raw += file.raw_bytes
        if len(slowest) < SLOWEST:
            heapq.heappush(slowest, (file.seconds, -number, file))
        elif file.seconds > slowest[0][0]:
            heapq.heapreplace(slowest, (file.seconds, -number, file))
    first = [file for _, _, file in sorted(slowest, key=lambda one: (-one[0], -one[1]))]
    shown = tuple(
        SlowFile(f.uri, f.seconds, f.seconds / total if total else 0.0, f.size, f.raw_bytes, f.codec)
        for f in first
    )
    spread = _spread(sizes)
    stages = stages_of(record)
    work = {"wire": wire, "codec": max(0.0, total - wire - disk), "disk": disk}
    limit, used = _limit(record, stages, work, shown, len(sizes))
    found = Findings(
        limit=limit,
        used=used,
        files=len(sizes),
        median=spread.median,
        stored=sum(sizes),
        raw=raw,
        slowest=shown[0].seconds if shown else 0.0,
        codec=shown[0].codec if shown else None,
        stages=stages,
        remote=bool(record.source_bucket),
        runner=record.runner,
        parts=int((record.summary or {}).get("shards") or 0),
    )
    why, remedy = remedy_for(found)
    share = sum(one.share for one in shown)
    work = {name: round(value, 3) for name, value in work.items()}
    return Slowness(len(sizes), round(total, 3), shown, share, spread, stages, work, limit, why, remedy)


def stages_of(record: JobRecord) -> dict[str, float]:
    """Seconds of a job that has ended, by stage, as far as they are on record."""
    told = record.progress
    listed, read, seconds = (_number(told.get(name)) for name in ("listSeconds", "readSeconds", "seconds"))
    stages = {}
    if listed is not None:
        stages["listing"] = listed
    if read is not None:
        stages["reading"] = max(0.0, round(read - (listed or 0.0), 3))
        if seconds is not None:
            stages["publishing"] = max(0.0, round(seconds - read, 3))
    return stages


def _limit(
    record: JobRecord,
    stages: Mapping[str, float],
    work: Mapping[str, float],
    slowest: tuple[SlowFile, ...],
    files: int,
) -> tuple[str, float]:
    """The stage that limits, and how much of the whole time it is, or of what there is of it."""
    whole = sum(stages.values())
    longest = max(stages, key=lambda name: stages[name], default="reading")
    if longest != "reading":
        is_start = longest == "listing" and stages["listing"] < 2 * _START_SECONDS and files < 10_000
        return "start" if is_start else longest, stages[longest] / whole if whole else 0.0
    if not any(work.values()):
        return "", 0.0
    cores = max(1, int(_number((record.worker or {}).get("cores")) or 1)) if record.runner == "direct" else 1
    waiting = REMOTE_THREADS if record.source_bucket else cores
    spent = {"wire": work["wire"] / waiting, "codec": work["codec"] / cores, "disk": work["disk"] / cores}
    limit = max(spent, key=lambda name: spent[name])
    reading = stages.get("reading") or 0.0
    if files > 1 and reading and slowest[0].seconds > _LONG * reading and slowest[0].seconds > 1:
        return "file", min(1.0, slowest[0].seconds / reading)
    return limit, spent[limit] / sum(spent.values())


def _spread(sizes: array[int]) -> Spread:
    if not sizes:
        return Spread()
    ordered = array("q", sorted(sizes))
    last = len(ordered) - 1
    return Spread(ordered[0], ordered[last // 2], ordered[last * 9 // 10], ordered[last])


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
