"""What a second worker brings on the local Dataflow: the same job, with one worker and with two.

The time is the job's own, from its start at Dataflow to its end, as its record has it: submission and the look of
the waiting command are not in it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from statistics import median

from benchmarks.data import many_files
from benchmarks.row import BenchmarkError, Context, Goal, Row, median_ratio

_LIMIT = 600  # seconds for one command


def rows(context: Context) -> list[Row]:
    files = many_files(context.data_dir, 60 if context.quick else 600)
    folder = context.work / "stack"
    chimera(folder, "up", "--detach")
    try:
        chimera(folder, "put", str(files.once), "gs://bench/in")
        seconds: dict[int, list[float]] = {1: [], 2: []}
        for repetition in range(1 if context.quick else 2):
            for workers in (1, 2):
                seconds[workers].append(job_seconds(folder, "gs://bench/in/", workers, repetition))
    finally:
        chimera(folder, "down")
    speeds = {n: [files.raw_once / 1e6 / s for s in found] for n, found in seconds.items()}
    return [
        Row(
            what=f"submit --runner dataflow, {files.files} .bz2 files, {files.raw_once / 1e6:.0f} MB raw, 2 workers",
            ours=median(speeds[2]),
            unit="MB/s",
            goal=Goal(at_least=1.1),
            peer_name="1 worker",
            peer=median(speeds[1]),
            ratio=median_ratio(speeds[2], speeds[1]),
        )
    ]


def job_seconds(folder: Path, uri: str, workers: int, repetition: int, *more: str) -> float:
    """The job's own time over these inputs, of the local Dataflow in this data folder."""
    target = f"gs://bench/out-{workers}-{repetition}"
    options = [
        "--target",
        target,
        "--runner",
        "dataflow",
        "--max-workers",
        str(workers),
        "--wait",
        "--json",
        *more,
    ]
    document = json.loads(chimera(folder, "submit", uri, *options))
    began, ended = (datetime.fromisoformat(document["summary"][name]) for name in ("startedAt", "finishedAt"))
    return (ended - began).total_seconds()


def chimera(folder: Path, *arguments: str, limit: float = _LIMIT) -> str:
    """What a command prints. Raises BenchmarkError where it ends otherwise than well."""
    print(f"  chimera {' '.join(arguments)[:90]}", file=sys.stderr)
    done = subprocess.run(
        [sys.executable, "-m", "chimera_nb", *arguments, "--data-dir", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=limit,
        env={name: value for name, value in os.environ.items() if name != "STORAGE_EMULATOR_HOST"},
    )
    if done.returncode:
        raise BenchmarkError(
            f"chimera {arguments[0]} ended with {done.returncode}: {done.stdout}{done.stderr}"
        )
    return done.stdout
