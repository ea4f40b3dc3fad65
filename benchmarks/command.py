"""Runs a command to its end and measures it: seconds by the wall clock, memory by looking at its processes."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.row import BenchmarkError

_SAMPLE_SECONDS = 0.02


@dataclass(frozen=True)
class Usage:
    """Bytes are resident memory at the worst moment seen; pages that processes share count once for each."""

    seconds: float
    total_bytes: int = 0  # the command and all its descendants together
    below_bytes: int = 0  # its descendants together
    largest_bytes: int = 0  # one process


def run(command: Sequence[str], *, cwd: Path, memory: bool = False, limit: float = 1800) -> Usage:
    """Run and measure. Memory is looked at only when asked for, since looking costs time.

    Raises BenchmarkError, with the last lines it printed, when the command fails or passes `limit` seconds.
    """
    print(f"  {_short(command)}", end=" ", flush=True, file=sys.stderr)
    os.sync()  # what the command before wrote is not this one's to wait for
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(list(command), cwd=cwd, stdout=output, stderr=subprocess.STDOUT)
        try:
            peaks = _watch(process, start + limit) if memory else _wait(process, limit)
        finally:
            if process.poll() is None:
                _kill(process)
        seconds = time.perf_counter() - start
        print(f"{seconds:.1f} s", file=sys.stderr)
        if process.returncode:
            output.seek(0)
            tail = output.read().decode(errors="replace").strip()[-1500:]
            raise BenchmarkError(f"{_short(command)} ended with {process.returncode}:\n{tail}")
    return Usage(seconds, *peaks)


def own_peak() -> float:
    """Megabytes that this process has had resident at its worst moment; getrusage has those of what forked it."""
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024 / 1e6


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the command and what it has started; a job has a session of its own, which no signal to ours reaches."""
    top = psutil.Process(process.pid)
    for one in [top, *top.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    process.wait()


def _short(command: Sequence[str]) -> str:
    text = " ".join([Path(command[0]).name, *command[1:]])
    return text if len(text) <= 100 else text[:97] + "..."


def _wait(process: subprocess.Popen[bytes], limit: float) -> tuple[int, int, int]:
    try:
        process.wait(limit)
    except subprocess.TimeoutExpired as e:
        raise BenchmarkError(f"{_short(list(e.cmd))} was stopped after {limit:.0f} s") from e
    return 0, 0, 0


def _watch(process: subprocess.Popen[bytes], deadline: float) -> tuple[int, int, int]:
    total = below = largest = 0
    top = psutil.Process(process.pid)
    while process.poll() is None:
        own, *others = _sizes(top) or [0]
        total, below = max(total, own + sum(others)), max(below, sum(others))
        largest = max([largest, own, *others])
        if time.perf_counter() > deadline:
            raise BenchmarkError(f"{_short(top.cmdline())} passed its time limit and was stopped")
        try:
            process.wait(_SAMPLE_SECONDS)
        except subprocess.TimeoutExpired:
            continue
    return total, below, largest


def _sizes(top: psutil.Process) -> list[int]:
    """Resident bytes of each process of the tree, the top one first; those that end meanwhile are left out."""
    sizes = []
    try:
        family = [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
    for process in family:
        try:
            sizes.append(process.memory_info().rss)
        except psutil.NoSuchProcess:
            continue
    return sizes
