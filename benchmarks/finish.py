"""How long the end of a job with very many parts takes, each request at 30 ms: by four workers and by one, and in what
memory.

The store is made up: of parts it keeps none, it knows them by their names. What is measured is ours and Beam's, not a
server's.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.command import run
from benchmarks.row import BenchmarkError, Context, Goal, Row


def rows(context: Context) -> list[Row]:
    parts = 2_000 if context.quick else 100_000
    published = {1: parts // 4, 4: parts}  # one worker takes as long for a quarter of them
    usages = {
        workers: run(
            [
                sys.executable,
                "-m",
                "benchmarks.finish_job",
                str(some),
                str(workers),
                f"{context.work}/{workers}",
            ],
            cwd=context.root,
            memory=True,
        )
        for workers, some in published.items()
    }
    seconds = {workers: _seconds(context.work / str(workers), some) for workers, some in published.items()}
    what = f"publishing {parts:,} parts at 30 ms a request, 32 threads"
    return [
        Row(
            what=f"{what}, 4 workers",
            ours=seconds[4],
            unit="s",
            goal=Goal(under=40),
            peer_name="1 worker, four times a quarter of them",
            peer=4 * seconds[1],
            ratio=4 * seconds[1] / seconds[4],
        ),
        Row(
            what=f"{what}: peak RSS of the job",
            ours=usages[4].total_bytes / 1e6,
            unit="MB",
            goal=Goal(under=350),
        ),
        _shards(context),
    ]


def _shards(context: Context) -> Row:
    parts = 40_960 if context.quick else 1_003_520
    usage = run([sys.executable, "-m", "benchmarks.shard_plan", str(parts)], cwd=context.root, memory=True)
    return Row(
        what=f"100 shards planned of {parts:,} parts: peak RSS",
        ours=usage.total_bytes / 1e6,
        unit="MB",
        goal=Goal(under=150),
    )


def _seconds(folder: Path, parts: int) -> float:
    told = json.loads((folder / "told.json").read_text())
    if told["shards"] != parts or told["moves"] < parts:
        raise BenchmarkError(f"{told['shards']:,} of {parts:,} parts were published")
    return float(told["seconds"])
