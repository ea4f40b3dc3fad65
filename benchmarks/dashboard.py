"""The dashboard in a real browser, on a local stack of the benchmark's own, as `chimera dash` serves it.

A visitor who finds a kernel ready, one who finds none, what a kernel weighs, and ten who come at once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from benchmarks.row import BenchmarkError, Context, Goal, MissingPeerError, Row
from chimera_nb.local import stack
from tests.fixtures.ui import WIDE, find_chromium, launched

_PATIENCE_SECONDS = 120
_VISITORS = 10
# The first control of the dashboard that a kernel has to answer.
_FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
_PROGRAM = """
import pathlib, sys
from chimera_nb.server.options import DashboardOptions
from chimera_nb.server.server import serve
options = DashboardOptions(port=0, warm=int(sys.argv[1]), data_dir=pathlib.Path(sys.argv[2]))
serve(options, lambda url: print(url, flush=True), notebook=pathlib.Path(sys.argv[3]))
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
# Milliseconds from the click to the kernel's answer on screen.
_CLICK = """() => new Promise((done) => {
    const told = document.querySelector(".bench input");
    const before = told.value;
    const start = performance.now();
    const look = () => (told.value === before ? setTimeout(look, 2) : done(performance.now() - start));
    document.querySelector(".bench button").click();
    look();
})"""


def rows(context: Context) -> list[Row]:
    chromium = find_chromium()
    if chromium is None:
        raise MissingPeerError("no Chromium: on Debian, apt-get install chromium")
    running = stack.start(context.work / "stack")
    try:
        notebook = _notebook(context.work / "dashboard.ipynb")
        times = 1 if context.quick else 5
        with launched(chromium) as engine:
            return [
                *_with_a_kernel_ready(engine, running.data_dir, notebook, times),
                *_weighed(engine, running.data_dir, notebook),
                *_with_none_ready(engine, running.data_dir, notebook, times),
                *_many(engine, running.data_dir, notebook, 2 if context.quick else _VISITORS),
            ]
    finally:
        stack.stop(running.data_dir)


def _with_a_kernel_ready(engine: Any, data_dir: Path, notebook: Path, times: int) -> list[Row]:
    paints, answers, weights = [], [], []
    with _served(data_dir, notebook, warm=1) as (url, server):
        for _ in range(times):
            _wait_for_kernels(server, 1)
            with _page(engine) as page:
                paint, answer = _visit(page, url)
                weights += [kernel.memory_info().rss for kernel in _kernels(server)]
            paints.append(paint)
            answers.append(answer)
    return [
        Row("a kernel ready: first paint", median(paints), "ms", Goal(under=1000)),
        Row("a kernel ready: first click answered", median(answers), "ms", Goal(under=2500)),
        Row("kernel RSS, the dashboard shown", max(weights) / 1e6, "MB", Goal(under=160)),
    ]


def _weighed(engine: Any, data_dir: Path, notebook: Path) -> list[Row]:
    """What a browser that was never here asks for, and what comes over the wire for it; and when the rows are there."""
    with _served(data_dir, notebook, warm=1) as (url, server), _page(engine) as page:
        _wait_for_kernels(server, 1)
        sizes: list[float] = []
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.loadingFinished", lambda done: sizes.append(done["encodedDataLength"]))
        page.goto(url, wait_until="commit")
        page.locator(".ch-row:visible .ch-label, .ch-empty:visible").first.wait_for()
        rows_at = page.evaluate("performance.now()")
        page.wait_for_load_state("networkidle")
    fetched = [size for size in sizes if size]  # a blob and a picture in a style sheet weigh nothing
    return [
        Row("a kernel ready: rows on screen", rows_at, "ms", Goal(under=800)),
        Row("a page: requests", len(fetched), "", Goal(under=40)),
        Row("a page: bytes", sum(fetched) / 1e6, "MB", Goal(under=1.5)),
    ]


def _with_none_ready(engine: Any, data_dir: Path, notebook: Path, times: int) -> list[Row]:
    paints, answers = [], []
    with _served(data_dir, notebook, warm=0) as (url, _):
        for _ in range(times):
            with _page(engine) as page:
                paint, answer = _visit(page, url)
            paints.append(paint)
            answers.append(answer)
    return [
        Row("no kernel ready: skeleton painted", median(paints), "ms", Goal(under=1000)),
        Row("no kernel ready: first click answered", median(answers), "ms", Goal(under=10_000)),
    ]


def _many(engine: Any, data_dir: Path, notebook: Path, visitors: int) -> list[Row]:
    """All come at once; when all are there, each clicks in turn while the others stay."""
    with _served(data_dir, notebook, warm=2) as (url, server), ExitStack() as open_pages:
        _wait_for_kernels(server, 2)
        pages = [open_pages.enter_context(_page(engine)) for _ in range(visitors)]
        start = time.monotonic()
        for page in pages:
            page.goto(url, wait_until="commit")
        for page in pages:
            page.locator(".bench button").wait_for()
        all_there = time.monotonic() - start
        clicks = sorted(page.evaluate(_CLICK) for _ in range(5) for page in pages)
    what = f"{visitors} visitors at once"
    return [
        Row(f"{what}: all have the dashboard", all_there * 1000, "ms", Goal(under=60_000)),
        Row(f"{what}: a click, 95th percentile", clicks[len(clicks) * 95 // 100], "ms", Goal(under=300)),
    ]


def _visit(page: Any, url: str) -> tuple[float, float]:
    """Milliseconds from the request to the first paint, and to the answer to the first click."""
    page.goto(url, wait_until="commit")
    page.locator(".bench button").wait_for()
    page.evaluate(_CLICK)
    return page.evaluate(_FIRST_PAINT), page.evaluate("performance.now()")


@contextmanager
def _page(engine: Any) -> Iterator[Any]:
    """A browser that has never been here: nothing is in its cache."""
    context = engine.new_context(viewport={"width": WIDE[0], "height": WIDE[1]})
    page = context.new_page()
    page.set_default_timeout(_PATIENCE_SECONDS * 1000)
    try:
        yield page
        page.close(run_before_unload=True)
    finally:
        context.close()


@contextmanager
def _served(data_dir: Path, notebook: Path, *, warm: int) -> Iterator[tuple[str, psutil.Process]]:
    environment = {
        k: v for k, v in os.environ.items() if k not in ("STORAGE_EMULATOR_HOST", "CHIMERA_DATA_DIR")
    }
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(warm), str(data_dir), str(notebook)],
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


def _kernels(server: psutil.Process) -> list[psutil.Process]:
    family = [each for each in server.children(recursive=True) if each.status() != psutil.STATUS_ZOMBIE]
    return [
        each
        for each in family
        if each.name().startswith("kernel-") or "chimera_nb.server.kernel" in each.cmdline()
    ]


def _wait_for_kernels(server: psutil.Process, count: int) -> None:
    """Until so many kernels run, and have nothing more to do."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    before: list[float] = []
    while time.monotonic() < deadline:
        time.sleep(0.5)
        with suppress(psutil.Error):  # one that ends as it is looked at
            spent = [kernel.cpu_times().user for kernel in _kernels(server)]
            if len(spent) == count and spent == before and min(spent) > 0.3:
                return
            before = spent
    raise BenchmarkError(f"{len(_kernels(server))} kernels run after {_PATIENCE_SECONDS} s, not {count}")


def _notebook(path: Path) -> Path:
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
