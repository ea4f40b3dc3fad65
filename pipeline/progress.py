"""A tally of a running job that its own process can read at any time.

Beam gives its counters at a bundle's end, and a job on one machine may be one bundle. So the same sums are kept
in the process as well, where a local job reads them while it runs. The names are those of the Beam counters
(`pipeline.graph.read_stages`).
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping

OTHER_CPU = "other-cpu-us"  # microseconds of processor time that other processes have taken for this one

_tally: Counter[str] = Counter()
_once: set[str] = set()
_lock = threading.Lock()


def tally(name: str, amount: int = 1) -> None:
    """Add to a sum; from any thread."""
    with _lock:
        _tally[name] += amount


def tally_once(key: str, amounts: Mapping[str, int]) -> None:
    """Add to several sums, unless that was done under this key: for a bundle that may be repeated."""
    with _lock:
        if key not in _once:
            _once.add(key)
            _tally.update(amounts)


def snapshot() -> dict[str, int]:
    """The sums of this process: name -> sum since it began or since `reset`."""
    with _lock:
        return dict(_tally)


def reset() -> None:
    """Begin again at nought, before a job."""
    with _lock:
        _tally.clear()
        _once.clear()
