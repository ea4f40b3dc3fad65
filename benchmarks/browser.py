"""BucketBrowser in a real browser, in Voilà on a local stack of the benchmark's own.

The emulator reads its whole folder for each list request, so a page of 100,000 objects takes it seconds: what the
browser adds to that one request is what is judged.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.row import Context, Goal, MissingPeerError, Row
from chimera_nb.local import stack
from pipeline.storage import PlainStore
from tests.fixtures.browsing import REQUESTS
from tests.fixtures.jupyter import Server, serving
from tests.fixtures.pages import WIDE
from tests.fixtures.ui import find_chromium, launched

STORE = PlainStore()

_CELLS = (
    REQUESTS
    + """
import json, psutil, ipywidgets
from chimera_nb.widgets import BucketBrowser

browser, probe = BucketBrowser({uri!r}), ipywidgets.Textarea()
tell, told = ipywidgets.Button(description="tell"), []
def say(_):
    told.append(_)
    listed = sum("/o?" in url for url in asked)
    probe.value = json.dumps([len(told), listed, psutil.Process().memory_info().rss])
tell.on_click(say)
ipywidgets.VBox([browser, probe, tell])
"""
)
# From the click to the row on screen, in milliseconds; the frame after it has been painted.
_OPEN = """([folder, row]) => new Promise((done) => {
    const labels = () => [...document.querySelectorAll(".ch-row:not([hidden]) .ch-label")];
    const find = (name) => labels().find((label) => label.title === name);
    const start = performance.now();
    const end = () => done(performance.now() - start);
    const look = () => requestAnimationFrame(find(row) ? end : look);
    find(folder).click();
    look();
})"""
_LOAD_ALL = """(text) => new Promise((done) => {
    const scroller = document.querySelector(".ch-scroller");
    const watch = setInterval(() => {
        scroller.scrollTop = scroller.scrollHeight;
        if (document.querySelector(".ch-status").textContent === text) { clearInterval(watch); done(); }
    }, 10);
})"""
# The time of each frame while the list is thrown through from end to end, in milliseconds.
_SCROLL = """(frames) => new Promise((done) => {
    const scroller = document.querySelector(".ch-scroller");
    const times = [];
    let before = performance.now();
    const step = () => {
        const now = performance.now();
        times.push(now - before);
        before = now;
        scroller.scrollTop = (scroller.scrollHeight * times.length) / frames;
        if (times.length < frames) requestAnimationFrame(step); else done(times.slice(1));
    };
    requestAnimationFrame(step);
})"""


def rows(context: Context) -> list[Row]:
    chromium = find_chromium()
    if chromium is None:
        raise MissingPeerError("no Chromium: on Debian, apt-get install chromium")
    count = 3000 if context.quick else 100_000
    before = os.environ.get("STORAGE_EMULATOR_HOST")
    running = stack.start(context.work / "stack")
    os.environ["STORAGE_EMULATOR_HOST"] = running.storage_endpoint
    try:
        _fill(running.data_dir, count)
        with (
            serving("voila", _made(context.work / "voila"), running.data_dir) as server,
            launched(chromium) as engine,
        ):
            page = engine.new_page(viewport={"width": WIDE[0], "height": WIDE[1]})
            return [
                _small_folder(page, server, 3 if context.quick else 11),
                *_large_folder(page, server, count),
                *_loaded(page, server, _local_files(context.work / "files", count), count),
            ]
    finally:
        stack.stop(running.data_dir)
        if before is None:
            del os.environ["STORAGE_EMULATOR_HOST"]
        else:
            os.environ["STORAGE_EMULATOR_HOST"] = before


def _small_folder(page: Any, server: Server, times: int) -> Row:
    _show(page, server, "gs://small/")
    page.get_by_title("f0/", exact=True).wait_for()
    took = []
    for _ in range(times):
        took.append(page.evaluate(_OPEN, ["f0/", "0.bz2"]))
        page.locator(".ch-up").click()
        page.get_by_title("f0/", exact=True).wait_for()
    return Row("click on a folder of 100 files -> rows on screen", median(took), "ms", Goal(under=300))


def _large_folder(page: Any, server: Server, count: int) -> list[Row]:
    _show(page, server, "gs://large/")
    page.get_by_title("f/", exact=True).wait_for()
    ours, alone = [], []
    for _ in range(3):  # in turn, so that the machine's mood is the same for both
        start = time.monotonic()
        next(STORE.list_folder("gs://large/f/"))
        alone.append(time.monotonic() - start)
        before = _probe(page)[0]
        ours.append(page.evaluate(_OPEN, ["f/", "000000.bz2"]) / 1000)
        asked = _probe(page)[0] - before
        page.locator(".ch-up").click()
        page.get_by_title("f/", exact=True).wait_for()
    what = f"folder of {count:,} objects"
    return [
        Row(
            f"{what}: time to first rows",
            median(ours) * 1000,
            "ms",
            Goal(at_least=0.7),
            "the list request alone",
            median(alone) * 1000,
            median(alone) / median(ours),
        ),
        Row(f"{what}: list requests before the first rows", asked, "requests", Goal(under=2)),
    ]


def _loaded(page: Any, server: Server, folder: Path, count: int) -> list[Row]:
    _show(page, server, f"{folder}/")
    page.get_by_title("000000.bz2", exact=True).wait_for()
    page.evaluate(_LOAD_ALL, f"{count:,} files")
    rss = _probe(page)[1]
    frames = sorted(page.evaluate(_SCROLL, 200))
    what = f"{count:,} rows loaded"
    return [
        Row(f"{what}: kernel RSS", rss / 1e6, "MB", Goal(under=250)),
        Row(
            f"{what}: frame while scrolling, 95th percentile",
            frames[len(frames) * 95 // 100],
            "ms",
            Goal(under=50),
        ),
    ]


def _show(page: Any, server: Server, uri: str) -> None:
    server.open(page, [_CELLS.format(uri=uri)])
    page.locator(".ch-row").first.wait_for()


def _probe(page: Any) -> tuple[int, int]:
    """List requests made, and RSS in bytes, as the kernel has them now."""
    box = page.locator("textarea")
    before = box.input_value()
    page.get_by_role("button", name="tell").click()
    page.wait_for_function("(before) => document.querySelector('textarea').value !== before", arg=before)
    _, listed, rss = json.loads(box.input_value())
    return listed, rss


def _fill(data_dir: Path, count: int) -> None:
    """Uploads make a few hundred objects a second; a copy of one's file, with its attributes, is one as well."""
    for bucket in ("small", "large"):
        STORE.make_bucket(bucket)
    for n in range(100):
        STORE.write_bytes(f"gs://small/f0/{n}.bz2", b"x" * 1000)
    STORE.write_bytes("gs://large/f/000000.bz2", b"x" * 1000)
    folder = data_dir / "storage" / "large" / "f"
    for n in range(1, count):
        for first in ("000000.bz2!", "000000.bz2!.metadata"):
            if (folder / first).exists():
                shutil.copy2(folder / first, folder / first.replace("000000", f"{n:06}"))


def _local_files(folder: Path, count: int) -> Path:
    _made(folder)
    for n in range(count):
        (folder / f"{n:06}.bz2").touch()
    return folder


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
