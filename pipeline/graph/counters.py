"""Beam's counters of a job, under the namespace "chimera", beside the tally of this process.

list-files, read-files, failed-files, skip-files, skip-bytes, unmatched-files, unmatched-bytes, read-bytes (compressed),
raw-bytes, write-lines, write-bytes
"""

from __future__ import annotations

from apache_beam.metrics import Metrics

from pipeline.progress import tally

NAMESPACE = "chimera"
_COUNTERS = {
    name: Metrics.counter(NAMESPACE, name)
    for name in (
        "list-files",
        "read-files",
        "failed-files",
        "skip-files",
        "skip-bytes",
        "unmatched-files",
        "unmatched-bytes",
        "read-bytes",
        "raw-bytes",
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
