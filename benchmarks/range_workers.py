"""python -m benchmarks.range_workers FILE FOLDER WORKERS: the ranges of a large file, by workers of one core each.

They run the stages of a job over the local disk. Prints the seconds from when all have been started and have imported
what they need, and the CPU seconds of the one that took most.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker

from benchmarks.row import BenchmarkError
from pipeline.cores import usable_cores
from pipeline.graph.range_stages import DecodeRanges, JoinRanges, LargeJob, RangeFound, Ranges
from pipeline.job_options import MAX_RATIO
from pipeline.read.large import look_at_large
from pipeline.storage import PlainStore

_STORE = PlainStore()
_JOB_ID = "2000-01-01-00000000"


def _keep_to(core: int) -> None:
    os.sched_setaffinity(0, {core})


def _decode(
    job: LargeJob, bounds: OffsetRange, folder: str
) -> tuple[int, float, list[tuple[bytes, RangeFound]]]:
    """Which process it was, its CPU seconds, and what was found in the range."""
    cpu = time.process_time()
    stage = DecodeRanges(_STORE, folder, _JOB_ID, MAX_RATIO)
    found = list(stage.process(job, OffsetRestrictionTracker(bounds)))
    return os.getpid(), time.process_time() - cpu, found


def _dealt(job: LargeJob, folder: str, due: Iterator[OffsetRange], worker: ProcessPoolExecutor) -> list[Any]:
    """What a worker makes of the ranges, of which it is given the next one whenever it is free."""
    return [worker.submit(_decode, job, bounds, folder).result() for bounds in due]


def main(path: str, folder: str, workers: int) -> dict[str, Any]:
    with _STORE.open_read(path) as stream:
        file = look_at_large(_STORE, stream)
    if file is None:
        raise BenchmarkError(f"{path} cannot be decoded by ranges")
    job, dealer = LargeJob(file, "part"), Ranges()
    bounds = list(dealer.split(job, dealer.initial_restriction(job)))
    cores = usable_cores()
    pools = [
        ProcessPoolExecutor(1, get_context("spawn"), initializer=_keep_to, initargs=(cores[n % len(cores)],))
        for n in range(workers)
    ]
    for pool in pools:
        pool.submit(os.getpid).result()  # it has been started, and has imported this module
    began = time.perf_counter()
    cpu: dict[int, float] = {}
    ranges: list[RangeFound] = []
    with ThreadPoolExecutor(workers) as dealing:
        due = iter(bounds)
        for pid, seconds, found in chain.from_iterable(dealing.map(partial(_dealt, job, folder, due), pools)):
            cpu[pid] = cpu.get(pid, 0) + seconds
            ranges += [one for _, one in found]
    joined = list(JoinRanges(_STORE, _JOB_ID, MAX_RATIO).process((b"file", ranges)))
    took = time.perf_counter() - began
    for pool in pools:
        pool.shutdown()
    raw = sum(Path(part.uri).stat().st_size for part in joined[1:])
    shutil.rmtree(folder)
    return {"seconds": round(took, 3), "cpu": round(max(cpu.values()), 2), "raw": raw, "ranges": len(bounds)}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
