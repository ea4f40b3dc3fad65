"""What a second worker brings on the local Dataflow: the same job, with one worker and with two.

The time is the job's own, from when it is submitted to its end, as its record has it: the look of the waiting command
is not in it. Speeds are slopes: all of the input minus half of it, of the least time of each. So what a job
pays once, as its submission and the start of its workers, some two seconds that no worker shortens, is left out; the
ratio of whole jobs is told beside it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from benchmarks.data import many_files
from benchmarks.row import BenchmarkError, Context, Goal, Row, slope

_LIMIT = 600  # seconds for one command


def rows(context: Context) -> list[Row]:
    files = many_files(context.data_dir, 60 if context.quick else 600)
    with stack(context.work / "stack") as folder:
        chimera(folder, "put", str(files.twice), "gs://bench/in")
        halves = (("gs://bench/in/a/", files.raw_once), ("gs://bench/in/", files.raw_twice))
        what = f"{2 * files.files} .bz2 files, {files.raw_twice / 1e6:.0f} MB raw"
        return [two_workers(context, folder, what, halves, 1.5)]


@contextmanager
def stack(folder: Path) -> Iterator[Path]:
    """The local stack on this folder, for the life of the block."""
    chimera(folder, "up", "--detach")
    try:
        yield folder
    finally:
        chimera(folder, "down")


def two_workers(
    context: Context, folder: Path, what: str, halves: Sequence[tuple[str, int]], goal: float, *more: str
) -> Row:
    """Two workers against one, by their slopes. `halves` are half of the input and all of it, and their raw bytes."""
    seconds: dict[int, tuple[list[float], list[float]]] = {1: ([], []), 2: ([], [])}
    for repetition in range(1 if context.quick else 2):
        for half, (uri, _) in enumerate(halves):
            for workers, found in seconds.items():
                target = f"gs://bench/out-{workers}-{half}-{repetition}"
                found[half].append(job_seconds(folder, uri, target, workers, *more))
    raw = [size for _, size in halves]
    speeds = {
        workers: slope(raw[0], min(once), raw[1], min(twice)) for workers, (once, twice) in seconds.items()
    }
    whole = min(seconds[1][1]) / min(seconds[2][1])
    return Row(
        what=f"submit --runner dataflow, {what}, 2 workers, slope (of whole jobs, their start included: {whole:.2f})",
        ours=speeds[2],
        unit="MB/s",
        goal=Goal(at_least=goal),
        peer_name="1 worker",
        peer=speeds[1],
        ratio=speeds[2] / speeds[1],
    )


def job_seconds(folder: Path, uri: str, target: str, workers: int, *more: str) -> float:
    """The job's own time over these inputs, of the local Dataflow in this data folder."""
    options = ["--target", target, "--runner", "dataflow", "--max-workers", str(workers), "--wait", "--json"]
    document = json.loads(chimera(folder, "submit", uri, *options, *more))
    began, ended = (datetime.fromisoformat(document["summary"][name]) for name in ("startedAt", "finishedAt"))
    print(f"    {(ended - began).total_seconds():.1f} s", file=sys.stderr)
    return (ended - began).total_seconds()


def chimera(folder: Path, *arguments: str, limit: float = _LIMIT) -> str:
    """What a command prints. Raises BenchmarkError where it ends otherwise than well."""
    print(f"  chimera {' '.join(arguments)[:90]}", file=sys.stderr)
    os.sync()  # what the command before wrote is not this one's to wait for
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
