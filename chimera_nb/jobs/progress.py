"""From a job's counters to its record: `progress` in numbers, `stages` in words. Pure; no clock, no service.

The counters are those of `pipeline.graph.counters`, from whatever runner.
"""

from __future__ import annotations

from collections.abc import Mapping

from chimera_nb.jobs.record import Stage

Numbers = dict[str, int | float | None]


def numbers(
    counters: Mapping[str, int], seconds: float, before: Mapping[str, int | float | None] | None = None
) -> Numbers:
    """The record's `progress`, `seconds` after the job began to run.

    filesUnmatched and unmatchedBytes are of files in selected folders that no pattern takes: they are not listed.
    listSeconds are those until the first file was read, readSeconds those until all were that are listed; publishing
    follows. Each is null until then, and as exact as `before` is near.
    rawBytesPerSecond is over the time since `before`, an earlier progress, when it is old enough to tell; else
    over the whole time. secondsLeft is by bytes where the sizes of all files are known, else by files.
    """
    raw = max(counters.get("raw-bytes", 0), counters.get("reading-raw-bytes", 0))
    stored = max(counters.get("read-bytes", 0), counters.get("reading-bytes", 0))
    in_all = counters.get("list-bytes", 0) if not counters.get("unsized-files") else 0
    listed, done = counters.get("list-files", 0), files_done(counters)
    read = done - counters.get("skip-files", 0)
    return {
        "filesListed": listed,
        "filesComplete": counters.get("read-files", 0),
        "filesFailed": counters.get("failed-files", 0),
        "filesSkipped": counters.get("skip-files", 0),
        "skippedBytes": counters.get("skip-bytes", 0),
        "filesUnmatched": counters.get("unmatched-files", 0),
        "unmatchedBytes": counters.get("unmatched-bytes", 0),
        "bytesListed": in_all or None,
        "compressedBytes": stored,
        "rawBytes": raw,
        "lines": counters.get("write-lines", 0),
        "outputBytes": counters.get("write-bytes", 0),
        "rawBytesPerSecond": _speed(raw, seconds, before or {}),
        "secondsLeft": _left(seconds, stored, in_all - counters.get("skip-bytes", 0) - stored)
        if in_all
        else _left(seconds, read, listed - done),
        "listSeconds": _since((before or {}).get("listSeconds"), seconds, reached=bool(raw or done)),
        "readSeconds": _since((before or {}).get("readSeconds"), seconds, reached=0 < listed <= done),
        "seconds": round(seconds, 1),
    }


def stages(counters: Mapping[str, int]) -> dict[str, Stage]:
    """The record's `stages` while the job runs."""
    listed = counters.get("list-files", 0)
    found = {"read": Stage.RUNNING}
    if counters.get("raw-bytes"):
        found["decompress"] = Stage.RUNNING
    if counters.get("write-bytes"):
        found["write"] = Stage.RUNNING
    if listed and files_done(counters) >= listed:
        found |= {"read": Stage.COMPLETE, "decompress": Stage.COMPLETE, "write": Stage.RUNNING}
    return found


def files_done(counters: Mapping[str, int]) -> int:
    """Those that have their record."""
    return sum(counters.get(name, 0) for name in ("read-files", "failed-files", "skip-files"))


def _left(seconds: float, done: int, left: int) -> float | None:
    """How long it takes to the end, at the pace of the whole time so far; None where there is nothing to tell it by."""
    return round(seconds * left / done, 1) if done > 0 and left > 0 else None


def _since(known: float | None, seconds: float, *, reached: bool) -> float | None:
    """When a point was reached: as it is known, unless it has moved on."""
    if not reached:
        return None
    return round(seconds, 1) if known is None else known


def _speed(raw: int, seconds: float, before: Mapping[str, int | float | None]) -> int | None:
    since = seconds - (before.get("seconds") or 0)
    if before and since >= _TELLING:
        return max(0, round((raw - (before.get("rawBytes") or 0)) / since))
    return round(raw / seconds) if seconds > 0 else None


_TELLING = 0.9  # seconds: two looks closer together say more of the clock than of the job
