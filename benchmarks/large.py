"""What several workers bring to one large .bz2: the same file with one worker and with two; and in one process.

What two workers make of the ranges is measured without all else, over the local disk, one core each; and in jobs of the
local Dataflow, whose bucket and runner are on the same two cores. In one process the peer is the same job that is told
to take no file apart, so that one core decodes it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

from benchmarks import dataflow
from benchmarks.command import run
from benchmarks.cores import gain_of_two
from benchmarks.data import BigFile, big_file
from benchmarks.row import BenchmarkError, Context, Goal, Row, slope
from benchmarks.throughput import submit_command

_FROM_MB = 4  # so that the file of a quick run is large as well


def range_rows(context: Context) -> list[Row]:
    return [_ranges(context, _files(context)[1])]


def worker_rows(context: Context) -> list[Row]:
    return [_workers(context, *_files(context))]


def rows(context: Context) -> list[Row]:
    return [_cores(context, *_files(context))]


def _files(context: Context) -> tuple[BigFile, BigFile]:
    """One of half the size of the other."""
    raw = 100_000_000 if context.quick else 600_000_000
    return big_file(context.data_dir, raw // 2), big_file(context.data_dir, raw)


def _ranges(context: Context, big: BigFile) -> Row:
    gain = gain_of_two([big.path.read_bytes()])
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(1 if context.quick else 3):
        for workers, found in seconds.items():
            arguments = [str(big.path), str(context.work / "parts"), str(workers)]
            os.sync()  # what the run before wrote is not this one's to wait for
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.range_workers", *arguments],
                cwd=context.root,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise BenchmarkError(f"the ranges of {big.path} came to nothing: {done.stderr[-1000:]}")
            told = json.loads(done.stdout)
            print(f"  ranges by {workers}: {told}", file=sys.stderr)
            if told["raw"] != big.raw:
                raise BenchmarkError(f"{big.path}: {told['raw']:,} bytes came out of {big.raw:,}")
            found.append(told["seconds"])
    speeds = {workers: big.raw / 1e6 / min(found) for workers, found in seconds.items()}
    return Row(
        what=f"ranges of one .bz2 of {big.raw / 1e6:.0f} MB raw by 2 workers of a core each, without their start "
        f"(two cores to one, decoding it alone: {gain:.2f})",
        ours=speeds[2],
        unit="MB/s",
        goal=Goal(at_least=1.8),
        peer_name="1 worker",
        peer=speeds[1],
        ratio=speeds[2] / speeds[1],
    )


def _workers(context: Context, half: BigFile, big: BigFile) -> Row:
    with dataflow.stack(context.work / "stack") as folder:
        halves = []
        for name, file in (("half", half), ("all", big)):
            dataflow.chimera(folder, "put", str(file.path), f"gs://bench/{name}")
            halves.append((f"gs://bench/{name}/{file.path.name}", file.raw))
        what = f"one .bz2 of {big.raw / 1e6:.0f} MB raw"
        return dataflow.two_workers(context, folder, what, halves, 1.8, "--split-mb", str(_FROM_MB))


def _cores(context: Context, half: BigFile, big: BigFile) -> Row:
    """By slopes, of the least time of each."""
    seconds: dict[int, tuple[list[float], list[float]]] = {0: ([], []), _FROM_MB: ([], [])}
    for _ in range(1 if context.quick else 2):
        for number, file in enumerate((half, big)):
            for split, found in seconds.items():
                found[number].append(_direct(context, file, split))
    speeds = {
        split: slope(half.raw, min(once), big.raw, min(twice)) for split, (once, twice) in seconds.items()
    }
    return Row(
        what=f"submit --runner direct, one .bz2 of {big.raw / 1e6:.0f} MB raw, slope",
        ours=speeds[_FROM_MB],
        unit="MB/s",
        goal=Goal(at_least=1.5),
        peer_name="--split-mb 0",
        peer=speeds[0],
        ratio=speeds[_FROM_MB] / speeds[0],
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
