"""How much memory `submit --runner direct` takes for the hardest inputs, and `verify` for an output of many files."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from benchmarks.command import run
from benchmarks.data import big_file, bomb, long_lines, many_members
from benchmarks.proof_data import many_sources
from benchmarks.row import BenchmarkError, Context, Goal, Row
from benchmarks.throughput import submit_command


def rows(context: Context) -> list[Row]:
    return [*_submit(context), *_verify(context)]


def _verify(context: Context) -> list[Row]:
    files = 2_000 if context.quick else 100_000
    target = many_sources(context.work / "many", files)
    command = [sys.executable, "-m", "chimera_nb", "verify", target, "--deep", "--json"]
    usage = run([*command, "--data-dir", str(context.work / "log")], cwd=context.root, memory=True)
    shutil.rmtree(context.work / "many")
    what = f"peak RSS of verify --deep, an output of {files:,} files, {usage.seconds:.0f} s"
    return [Row(what=what, ours=usage.total_bytes / 1e6, unit="MB", goal=Goal(under=400))]


def _submit(context: Context) -> list[Row]:
    small = 20 if context.quick else 1
    members = 20_000 if context.quick else 300_000
    file = big_file(context.data_dir, 1_000_000_000 // small)
    larger = big_file(context.data_dir, 2_000_000_000 // small)
    lines = long_lines(context.data_dir, 24 // small, 64 << 20)
    packed = bomb(context.data_dir, (600 << 20) // small)
    archive = many_members(context.data_dir, members)
    return [
        _row(context, f"one .bz2 of {file.raw / 1e6:.0f} MB raw", file.path, file.raw),
        _row(
            context,
            f"one .bz2 of {larger.raw / 1e6:.0f} MB raw, 100 MB of temporary disk",
            larger.path,
            larger.raw,
            *("--spool-mb", "100"),
        ),
        _row(context, f"{24 // small} lines of 64 MiB at once", lines.path, lines.raw),
        _row(
            context,
            f"{packed.path.stat().st_size / 1e3:.0f} kB of .bz2, {packed.raw / 1e6:.0f} MB raw",
            packed.path,
            packed.raw,
            *("--max-ratio", "0", "--spool-mb", "100"),
        ),
        _row(context, f"one .zip of {members:,} files", archive.path, archive.raw),
    ]


def _row(context: Context, what: str, path: Path, raw: int, *options: str) -> Row:
    """The peak of a job over a file's folder; all that was in it must have been written."""
    target = context.work / "out"
    command = [*submit_command(path.parent, target, context.work / "log"), *options]
    usage = run(command, cwd=context.root, memory=True)
    written = sum(path.stat().st_size for path in (target / "output").iterdir())
    shutil.rmtree(target)
    if written != raw:
        raise BenchmarkError(f"{path} holds {raw:,} raw bytes, but {written:,} were written")
    # `submit` starts the job in a process of its own, and only waits: the job is what is below it.
    job = max(usage.below_bytes, usage.largest_bytes)
    beside = f" (with the command that waits: {usage.total_bytes / 1e6:.0f} MB)"
    return Row(what=f"peak RSS of the job, {what}{beside}", ours=job / 1e6, unit="MB", goal=Goal(under=400))
