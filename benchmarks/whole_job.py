"""A job of very many small objects through the local stack, from its submission to the proof of its output.

Two workers of the local Dataflow read them from the local bucket. What is told is the time by stage, as the job's
record has it while the job runs, and the memory of the stack with its workers. There is no peer: the table is for
docs/scale.md.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import psutil

from benchmarks import dataflow
from benchmarks.model import small_files
from benchmarks.row import BenchmarkError, Context, Goal, Row
from chimera_nb.jobs.log.sqlite import SqliteJobLog
from chimera_nb.jobs.record import JobRecord

_LOOK = 0.2  # seconds between two looks at record and memory
_LIMIT = 3600
_OBJECTS = 30_000  # BENCHMARK_OBJECTS=100000 makes the table of docs/scale.md, in some ten minutes


def rows(context: Context) -> list[Row]:
    count = 1_000 if context.quick else int(os.environ.get("BENCHMARK_OBJECTS", _OBJECTS))
    files = small_files(context.data_dir, count)
    folder = context.work / "stack"
    took: dict[str, float] = {}
    dataflow.chimera(folder, "up", "--detach")
    try:
        with _timed(took, "put (not of the job)"):
            dataflow.chimera(folder, "put", str(files), "gs://bench/in", limit=_LIMIT)
        peaks: dict[str, int] = {}
        with _memory(folder, peaks):
            _job(folder, count, took)
            with _timed(took, "verify"):
                dataflow.chimera(folder, "verify", "gs://bench/out", limit=_LIMIT)
    finally:
        dataflow.chimera(folder, "down")
    for stage, seconds in took.items():
        print(f"{stage:<36} {seconds:>7.1f} s")
    for which, peak in peaks.items():
        print(f"{'peak RSS, ' + which:<36} {peak / 1e6:>7.0f} MB")
    what = f"{count:,} small objects, 2 workers of the local stack"
    whole = took["from submission to the end"] + took["verify"]
    return [
        Row(what=f"{what}: from submission to proof", ours=whole, unit="s", goal=Goal(under=600)),
        Row(
            what=f"{what}: peak RSS of a process",
            ours=peaks["one process"] / 1e6,
            unit="MB",
            goal=Goal(under=600),
        ),
    ]


def _job(folder: Path, count: int, took: dict[str, float]) -> None:
    """Run it, and note when its record says for the first time that it has come so far."""
    command = [sys.executable, "-m", "chimera_nb", "submit", "gs://bench/in/", "--target", "gs://bench/out"]
    command += ["--source", "ndjson", "--runner", "dataflow", "--max-workers", "2", "--wait", "--json"]
    reached: dict[str, float] = {}
    began = time.monotonic()
    with subprocess.Popen([*command, "--data-dir", str(folder)], stdout=subprocess.PIPE, text=True) as job:
        while job.poll() is None:
            time.sleep(_LOOK)
            for stage in _reached(folder, count):
                reached.setdefault(stage, time.monotonic() - began)
            if time.monotonic() - began > _LIMIT:
                job.kill()
                raise BenchmarkError(f"the job was stopped after {_LIMIT:,} s")
        ended = time.monotonic() - began
        document = json.loads(job.stdout.read()) if job.stdout else {}
    if (document.get("summary") or {}).get("files", {}).get("complete") != count:
        raise BenchmarkError(f"the job came to {document.get('status')}: {document.get('error')}")
    before = 0.0
    for stage in ("submitted", "listed", "read"):
        if stage in reached:
            took[stage] = reached[stage] - before
            before = reached[stage]
    took["published, and seen to have ended"] = ended - before
    took["from submission to the end"] = ended


def _reached(folder: Path, count: int) -> Iterator[str]:
    record = _record(folder)
    if record is None:
        return
    progress = record.progress or {}
    if record.status != "pending":
        yield "submitted"
    if (progress.get("filesListed") or 0) >= count:
        yield "listed"
    if (progress.get("filesComplete") or 0) >= count:
        yield "read"


def _record(folder: Path) -> JobRecord | None:
    with suppress(OSError, ValueError), closing(SqliteJobLog(folder / "jobs.sqlite")) as log:
        records = log.list(limit=1).records
        return records[0] if records else None
    return None


@contextmanager
def _timed(took: dict[str, float], what: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    took[what] = time.monotonic() - began


@contextmanager
def _memory(folder: Path, peaks: dict[str, int]) -> Iterator[None]:
    """The most that any process had that was given this data folder, and that all had together."""
    ended = Event()

    def watch() -> None:
        while not ended.wait(_LOOK):
            sizes = [0]
            for process in psutil.process_iter(["cmdline"]):
                with suppress(psutil.Error):
                    if str(folder) in " ".join(process.info["cmdline"] or ()):
                        sizes += [one.memory_info().rss for one in (process, *process.children())]
            peaks["one process"] = max(peaks.get("one process", 0), *sizes)
            peaks["all together"] = max(peaks.get("all together", 0), sum(sizes))

    thread = Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
