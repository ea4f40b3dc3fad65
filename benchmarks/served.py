"""A dashboard that a benchmark visits, in a process of its own, and the kernels that it has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from benchmarks.row import BenchmarkError

PATIENCE_SECONDS = 120
_PROGRAM = """
import pathlib, sys
from chimera_nb.server.options import DashboardOptions
from chimera_nb.server.server import serve
warm, fork, data_dir, notebook = sys.argv[1:]
options = DashboardOptions(
    port=0, warm=int(warm), fork=fork == "fork", kernels=128, data_dir=pathlib.Path(data_dir)
)
serve(options, lambda url: print(url, flush=True), notebook=pathlib.Path(notebook))
"""
# Beside the dashboard itself, a button that the kernel answers: the time to the answer is that of any click.
_CELLS = """
import ipywidgets
from chimera_nb.widgets import Dashboard
shown = Dashboard()
tick, told, ticks = ipywidgets.Button(description="tick"), ipywidgets.Text(), []
def on_click(_):
    ticks.append(_)
    told.value = str(len(ticks))
tick.on_click(on_click)
ipywidgets.VBox([shown, ipywidgets.HBox([tick, told]).add_class("bench")])
"""


@contextmanager
def served(
    data_dir: Path, notebook: Path, *, warm: int, fork: bool = True
) -> Iterator[tuple[str, psutil.Process]]:
    """The address of a dashboard while it serves, and its process; its kernels are forked, or started one by one."""
    environment = {
        k: v for k, v in os.environ.items() if k not in ("STORAGE_EMULATOR_HOST", "CHIMERA_DATA_DIR")
    }
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(warm), "fork" if fork else "", str(data_dir), str(notebook)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        url = process.stdout.readline().strip() if process.stdout else ""
        if not url:
            raise BenchmarkError("the dashboard does not start; try `chimera dash`")
        yield url, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


def kernels(server: psutil.Process) -> list[psutil.Process]:
    family = [each for each in server.children(recursive=True) if each.status() != psutil.STATUS_ZOMBIE]
    return [
        each
        for each in family
        if each.name().startswith("kernel-") or "chimera_nb.server.kernel" in each.cmdline()
    ]


def wait_for_kernels(server: psutil.Process, count: int) -> None:
    """Until so many kernels run, and have nothing more to do."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    before: list[float] = []
    while time.monotonic() < deadline:
        time.sleep(0.5)
        with suppress(psutil.Error):  # one that ends as it is looked at
            spent = [kernel.cpu_times().user for kernel in kernels(server)]
            if len(spent) == count and spent == before and min(spent) > 0.05:
                return
            before = spent
    raise BenchmarkError(f"{len(kernels(server))} kernels run after {PATIENCE_SECONDS} s, not {count}")


def notebook_for(path: Path) -> Path:
    cell = {
        "cell_type": "code",
        "id": "bench",
        "metadata": {},
        "source": _CELLS,
        "outputs": [],
        "execution_count": None,
    }
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.write_text(
        json.dumps(
            {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": [{**cell, "source": _CELLS}]}
        )
    )
    return path
