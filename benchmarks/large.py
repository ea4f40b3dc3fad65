"""What several workers bring to one large .bz2: the same file with one worker and with two; and in one process.

The time of a Dataflow job is its own, as in `benchmarks.dataflow`. In one process the peer is the same job that is told
to take no file apart, so that one core decodes it.
"""

from __future__ import annotations

import json
import shutil
from statistics import median

from benchmarks import dataflow
from benchmarks.command import run
from benchmarks.data import BigFile, big_file
from benchmarks.row import BenchmarkError, Context, Goal, Row, median_ratio
from benchmarks.throughput import submit_command

_FROM_MB = 4  # so that the file of a quick run is large as well


def rows(context: Context) -> list[Row]:
    big = big_file(context.data_dir, 100_000_000 if context.quick else 600_000_000)
    return [_workers(context, big), _cores(context, big)]


def _workers(context: Context, big: BigFile) -> Row:
    folder = context.work / "stack"
    dataflow.chimera(folder, "up", "--detach")
    try:
        dataflow.chimera(folder, "put", str(big.path), "gs://bench/in")
        uri = f"gs://bench/in/{big.path.name}"
        seconds: dict[int, list[float]] = {1: [], 2: []}
        for repetition in range(1 if context.quick else 3):
            for workers in (1, 2):
                split = ("--split-mb", str(_FROM_MB))
                seconds[workers].append(dataflow.job_seconds(folder, uri, workers, repetition, *split))
    finally:
        dataflow.chimera(folder, "down")
    speeds = {workers: [big.raw / 1e6 / s for s in found] for workers, found in seconds.items()}
    return Row(
        what=f"submit --runner dataflow, one .bz2 of {big.raw / 1e6:.0f} MB raw, 2 workers",
        ours=median(speeds[2]),
        unit="MB/s",
        goal=Goal(at_least=1.8),
        peer_name="1 worker",
        peer=median(speeds[1]),
        ratio=median_ratio(speeds[2], speeds[1]),
    )


def _cores(context: Context, big: BigFile) -> Row:
    seconds: dict[int, list[float]] = {0: [], _FROM_MB: []}
    for _ in range(1 if context.quick else 3):
        for split, found in seconds.items():
            found.append(_direct(context, big, split))
    speeds = {split: [big.raw / 1e6 / s for s in found] for split, found in seconds.items()}
    return Row(
        what=f"submit --runner direct, one .bz2 of {big.raw / 1e6:.0f} MB raw",
        ours=median(speeds[_FROM_MB]),
        unit="MB/s",
        goal=Goal(at_least=1.5),
        peer_name="--split-mb 0",
        peer=median(speeds[0]),
        ratio=median_ratio(speeds[_FROM_MB], speeds[0]),
    )


def _direct(context: Context, big: BigFile, split: int) -> float:
    out = context.work / "out"
    command = [*submit_command(big.path, out, context.work / "log"), "--split-mb", str(split)]
    done = run(command, cwd=context.root)
    summary = json.loads((out / "summary.json").read_text())
    shutil.rmtree(out)
    if summary["outputBytes"] != big.raw:
        raise BenchmarkError(f"{big.path}: {summary['outputBytes']:,} bytes came out of {big.raw:,}")
    return done.seconds
