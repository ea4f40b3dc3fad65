"""A tally of a running job that its own process can read at any time.

Beam gives its counters at a bundle's end, and a job on one machine may be one bundle. So the same sums are kept
in the process as well, where a local job reads them while it runs. The names are those of the Beam counters
(`pipeline.graph.read_stages`).
"""

from __future__ import annotations

import threading
from collections import Counter

_tally: Counter[str] = Counter()
_lock = threading.Lock()


def tally(name: str, amount: int = 1) -> None:
    """Add to a sum; from any thread."""
    with _lock:
        _tally[name] += amount


def snapshot() -> dict[str, int]:
    """The sums of this process: name -> sum since it began or since `reset`."""
    with _lock:
        return dict(_tally)


def reset() -> None:
    """Begin again at nought, before a job."""
    with _lock:
        _tally.clear()
