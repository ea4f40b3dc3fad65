"""What this machine's second core brings to bz2 itself: two processes that decode, one a core, against one.

Cores share their way to memory, so that it is less than twice; no program that decodes scales better than that.
"""

from __future__ import annotations

import bz2
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from pipeline.cores import usable_cores

_REPETITIONS = 5
_RAW_BYTES = 40_000_000  # of each file, at most


def gain_of_two(files: Sequence[bytes]) -> float:
    """How many times as much two cores decode of these .bz2 files in a time as one does, by the least time of each."""
    cores = usable_cores()[:2]
    pools = [
        ProcessPoolExecutor(1, get_context("spawn"), initializer=_keep, initargs=(core, files))
        for core in cores
    ]
    try:
        for pool in pools:
            pool.submit(os.getpid).result()  # it has been started
        alone, together = [], []
        for _ in range(_REPETITIONS):
            alone.append(pools[0].submit(_decode).result())
            together.append(max(one.result() for one in [pool.submit(_decode) for pool in pools]))
    finally:
        for pool in pools:
            pool.shutdown()
    return len(pools) * min(alone) / min(together)


_files: Sequence[bytes] = ()


def _keep(core: int, files: Sequence[bytes]) -> None:
    global _files  # noqa: PLW0603 - a process of the pool is given them once
    os.sched_setaffinity(0, {core})
    _files = files


def _decode() -> float:
    """The seconds that it took."""
    began = time.perf_counter()
    for file in _files:
        bz2.BZ2Decompressor().decompress(file, _RAW_BYTES)
    return time.perf_counter() - began
