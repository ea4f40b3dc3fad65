"""How much memory `submit --runner direct` takes for one big .bz2 file, and `verify` for an output of many files."""

from __future__ import annotations

import shutil
import sys

from benchmarks.command import run
from benchmarks.data import big_file
from benchmarks.proof_data import many_sources
from benchmarks.row import BenchmarkError, Context, Goal, Row
from benchmarks.throughput import submit_command


def rows(context: Context) -> list[Row]:
    return [*_submit(context), *_verify(context)]


def _verify(context: Context) -> list[Row]:
    files = 10_000 if context.quick else 100_000
    target = many_sources(context.work / "many", files)
    command = [sys.executable, "-m", "chimera_nb", "verify", target, "--deep", "--json"]
    usage = run([*command, "--data-dir", str(context.work / "log")], cwd=context.root, memory=True)
    shutil.rmtree(context.work / "many")
    what = f"peak RSS of verify --deep, an output of {files:,} files, {usage.seconds:.0f} s"
    return [Row(what=what, ours=usage.total_bytes / 1e6, unit="MB", goal=Goal(under=400))]


def _submit(context: Context) -> list[Row]:
    file = big_file(context.data_dir, 100_000_000 if context.quick else 1_000_000_000)
    target = context.work / "big"
    command = submit_command(file.path.parent, target, context.work / "log")
    usage = run(command, cwd=context.root, memory=True)
    written = sum(path.stat().st_size for path in (target / "output").iterdir())
    shutil.rmtree(target)
    if written != file.raw:
        raise BenchmarkError(f"{file.path} holds {file.raw:,} raw bytes, but {written:,} were written")
    # `submit` starts the job in a process of its own, and only waits: the job is what is below it.
    job = max(usage.below_bytes, usage.largest_bytes)
    what = f"peak RSS of the job, one .bz2 of {file.raw / 1e6:.0f} MB raw"
    beside = f" (with the command that waits: {usage.total_bytes / 1e6:.0f} MB)"
    return [Row(what=what + beside, ours=job / 1e6, unit="MB", goal=Goal(under=400))]
