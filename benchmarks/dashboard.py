"""The dashboard in a real browser, on a local stack of the benchmark's own, as `chimera dash` serves it.

A visitor who finds a kernel ready, one who finds none, what a kernel weighs, and ten who come at once.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.row import Context, Goal, MissingPeerError, Row, median_ratio
from benchmarks.served import PATIENCE_SECONDS, kernels, notebook_for, served, wait_for_kernels
from chimera_nb.local import stack
from tests.fixtures.pages import WIDE
from tests.fixtures.ui import find_chromium, launched

_VISITORS = 10
# When the rows have been painted, by the page's own clock: Playwright's looks for an element come half a second apart.
# The rows are what the store holds, or that it holds nothing: neither placeholders nor the place of that text.
_WATCH_ROWS = """(() => {
    const seen = (each) => each.checkVisibility() && each.getBoundingClientRect().width > 0;
    const look = () => {
        const found = document.querySelectorAll(".ch-row:not(.ch-skeleton) .ch-label, .ch-empty:not(:empty)");
        if ([...found].some(seen)) setTimeout(() => { window.rowsAt = performance.now(); });
        else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
})()"""
_ROWS_AT = """() => new Promise((done) => {
    const look = () => (window.rowsAt ? done(window.rowsAt) : setTimeout(look, 20));
    look();
})"""
_FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
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
        notebook = notebook_for(context.work / "dashboard.ipynb")
        times = 1 if context.quick else 3
        with launched(chromium) as engine:
            return [
                *_with_a_kernel_ready(engine, running.data_dir, notebook, times),
                *_weighed(engine, running.data_dir, notebook, times),
                *_with_none_ready(engine, running.data_dir, notebook, times),
                *_many(engine, running.data_dir, notebook, 2 if context.quick else _VISITORS),
            ]
    finally:
        stack.stop(running.data_dir)


def _with_a_kernel_ready(engine: Any, data_dir: Path, notebook: Path, times: int) -> list[Row]:
    paints, answers, weights = [], [], []
    with served(data_dir, notebook, warm=1) as (url, server):
        for _ in range(times):
            wait_for_kernels(server, 1)
            with _page(engine) as page:
                paint, answer = _visit(page, url)
                weights += [kernel.memory_info().rss for kernel in kernels(server)]
            paints.append(paint)
            answers.append(answer)
    return [
        Row("a kernel ready: first paint", median(paints), "ms", Goal(under=1000)),
        Row("a kernel ready: first click answered", median(answers), "ms", Goal(under=2500)),
        Row("kernel RSS, the dashboard shown", max(weights) / 1e6, "MB", Goal(under=160)),
    ]


def _weighed(engine: Any, data_dir: Path, notebook: Path, times: int) -> list[Row]:
    """What a browser that was never here asks for, and what comes over the wire for it; and when the rows are there."""
    pairs = [
        [_rows_at(engine, data_dir, notebook, fork=fork) for fork in (True, False)] for _ in range(times)
    ]
    ours, peers = ([rows_at for rows_at, _ in each] for each in zip(*pairs, strict=True))
    _, fetched = pairs[0][0]
    return [
        Row(
            "a kernel ready: rows on screen",
            median(ours),
            "ms",
            Goal(under=800),
            "kernels that are not forked",
            median(peers),
            1 / median_ratio(ours, peers),
        ),
        Row("a page: requests", len(fetched), "", Goal(under=40)),
        Row("a page: bytes", sum(fetched) / 1e6, "MB", Goal(under=1.5)),
    ]


def _rows_at(engine: Any, data_dir: Path, notebook: Path, *, fork: bool) -> tuple[float, list[float]]:
    """Milliseconds from the request to the painted rows, and the bytes of each thing that was fetched."""
    with served(data_dir, notebook, warm=1, fork=fork) as (url, server), _page(engine) as page:
        wait_for_kernels(server, 1)
        sizes: list[float] = []
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.loadingFinished", lambda done: sizes.append(done["encodedDataLength"]))
        page.add_init_script(_WATCH_ROWS)
        page.goto(url, wait_until="commit")
        rows_at = page.evaluate(_ROWS_AT)
        page.wait_for_load_state("networkidle")
    return rows_at, [size for size in sizes if size]  # a blob and a picture in a style sheet weigh nothing


def _with_none_ready(engine: Any, data_dir: Path, notebook: Path, times: int) -> list[Row]:
    paints, answers = [], []
    with served(data_dir, notebook, warm=0) as (url, _):
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
    with served(data_dir, notebook, warm=2) as (url, server), ExitStack() as open_pages:
        wait_for_kernels(server, 2)
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
    page.set_default_timeout(PATIENCE_SECONDS * 1000)
    try:
        yield page
        page.close(run_before_unload=True)
    finally:
        context.close()
