"""What one waits for before anything is done: a job of one small file, a first look into a file in a fresh kernel.

The job is held against what no Beam job can do without: its import, and a pipeline that has nothing to do. Pairs run
side by side.
"""

from __future__ import annotations

import bz2
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median

from benchmarks.command import run
from benchmarks.row import BenchmarkError, Context, Goal, Row, median_ratio
from benchmarks.throughput import submit_command

_EMPTY = """
import apache_beam as beam
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
with beam.Pipeline(runner=FnApiRunner()) as root:
    root | beam.Create([None])
"""
_PEEK = """
import time
began = time.perf_counter()
import chimera_nb as ch
assert len(ch.peek({uri!r})) == 10
print(time.perf_counter() - began)
"""
_TIMES = 5


def rows(context: Context) -> list[Row]:
    """A row for each of the two."""
    folder = context.work / "in"
    folder.mkdir()
    file = folder / "a.json.bz2"
    file.write_bytes(bz2.compress(b"".join(b'{"n": %d}\n' % n for n in range(10))))
    times = 1 if context.quick else _TIMES
    ours, peers, looks = [], [], []
    for _ in range(times):
        out = context.work / "out"
        peers.append(run([sys.executable, "-c", _EMPTY], cwd=context.root).seconds)
        ours.append(run(submit_command(folder, out, context.work / "log"), cwd=context.root).seconds)
        shutil.rmtree(out)
        looks.append(_look(context, file))
    return [
        Row(
            what="submit --runner direct of one small file, waited for",
            ours=1000 * median(ours),
            unit="ms",
            goal=Goal(at_least=1 / 1.5),
            peer_name="import apache_beam, empty pipeline",
            peer=1000 * median(peers),
            ratio=median_ratio(peers, ours),
        ),
        Row(
            what="ch.peek of a local file in a fresh kernel",
            ours=1000 * median(looks),
            unit="ms",
            goal=Goal(under=1000),
        ),
    ]


def _look(context: Context, file: Path) -> float:
    """Seconds from the import on, in a Python of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _PEEK.format(uri=str(file))],
        cwd=context.root,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchmarkError(f"peek came to nothing: {done.stderr[-500:]}")
    return float(done.stdout)
