"""Beam's counters of a job, under the namespace "chimera", beside the tally of this process.

list-files, list-bytes (as stored), unsized-files (listed, of sizes that nobody knows), read-files, failed-files,
skip-files, skip-bytes, unmatched-files, unmatched-bytes, read-bytes (as stored, of files that have their record),
raw-bytes, write-lines, write-bytes

reading-bytes and reading-raw-bytes are those of files that are being read, too: what a bundle tells while it waits for
them. The tally of a process has them as read-bytes and raw-bytes, which it keeps as it reads.
"""

from __future__ import annotations

from apache_beam.metrics import Metrics

from pipeline.progress import tally

NAMESPACE = "chimera"
_COUNTERS = {
    name: Metrics.counter(NAMESPACE, name)
    for name in (
        "list-files",
        "list-bytes",
        "unsized-files",
        "read-files",
        "failed-files",
        "skip-files",
        "skip-bytes",
        "unmatched-files",
        "unmatched-bytes",
        "read-bytes",
        "raw-bytes",
        "reading-bytes",
        "reading-raw-bytes",
        "write-lines",
        "write-bytes",
    )
}


def count(name: str, amount: int = 1) -> None:
    """Add to a counter and to the tally. Call it from a bundle's own thread: counters belong to the bundle."""
    count_only(name, amount)
    tally(name, amount)


def count_only(name: str, amount: int) -> None:
    """Add to a counter whose tally was kept meanwhile."""
    _COUNTERS[name].inc(amount)


def count_reading(stored: int, raw: int) -> None:
    """What was read of files that are not through; below 0 where it is to be read again."""
    count_only("reading-bytes", stored)
    count_only("reading-raw-bytes", raw)
