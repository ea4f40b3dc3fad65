"""python -m tests.soak: ten visitors of the dashboard for an hour, who must not lose a connection. Exit 1 if one does.

Nine are websockets as a front end has them, which ask their kernels something every half minute, as a page does that
is on screen; with Chromium installed, the tenth is a page in it. It is no part of `make test`.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from websockets.exceptions import ConnectionClosed

from chimera_nb.local import stack
from tests.fixtures.dashboard import Dashboard, Visitor, answers_to, dashboards
from tests.fixtures.ui import find_chromium, launched

_ASKED_EVERY = 30.0  # seconds
_LIMIT = 90.0


@dataclass
class Course:
    """What became of one visitor's connection. `lost` has when, in seconds from the start, and why."""

    lost: list[tuple[float, str]] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)  # seconds each


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument(
        "--visitors", type=int, default=10, help="no more than 16 are let in from one address"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as work:
        running = stack.start(Path(work, "stack"))
        try:
            with dashboards(running.data_dir, Path(work)) as start:
                served = start("import chimera_nb as ch\nch.Dashboard()", warm=2)
                return _watched(served, asked.visitors, asked.minutes * 60)
        finally:
            stack.stop(running.data_dir)


def _watched(served: Dashboard, visitors: int, seconds: float) -> int:
    began = time.monotonic()
    until = began + seconds
    chromium = find_chromium()
    courses = [Course() for _ in range(visitors)]
    threads = [
        threading.Thread(target=_visit, args=(served, course, until))
        for course in (courses[:-1] if chromium else courses)
    ]
    before = _weight(served)
    for thread in threads:
        thread.start()
    if chromium:
        _visit_in_browser(chromium, served, courses[-1], until)
    for thread in threads:
        thread.join()
    lost = [each for course in courses for each in course.lost]
    answers = sorted(answer for course in courses for answer in course.answers)
    print(f"{visitors} visitors, {'one of them Chromium, ' if chromium else ''}{seconds / 60:.0f} minutes")
    print(f"connections lost: {len(lost)} {lost or ''}")
    print(
        f"answers of kernels: {len(answers)}, median {answers[len(answers) // 2] * 1000:.0f} ms, "
        f"slowest {answers[-1] * 1000:.0f} ms"
    )
    print(f"the server: {before:.0f} MB before, {_weight(served):.0f} MB after")
    print(f"load at the end: {os.getloadavg()[0]:.1f}")
    return 1 if lost or not answers else 0


def _visit(served: Dashboard, course: Course, until: float) -> None:
    """One that has a page and its connection, and asks; it comes back to the same kernel where that is lost."""
    began = time.monotonic()
    visitor = Visitor(served)
    kernel = visitor.open_page()
    while time.monotonic() < until:
        try:
            with visitor.socket(kernel) as connection:
                _ask(connection, course, until)
        except (ConnectionClosed, OSError, AssertionError) as e:
            course.lost.append((round(time.monotonic() - began, 1), f"{type(e).__name__}: {e}"))
            time.sleep(1)
    visitor.leave()


def _ask(connection: Any, course: Course, until: float) -> None:
    while (now := time.monotonic()) < until:
        answers_to(connection, "kernel_info_request", _LIMIT)
        course.answers.append(time.monotonic() - now)
        again = now + _ASKED_EVERY
        while (left := min(again, until) - time.monotonic()) > 0:
            try:
                connection.recv(timeout=left)
            except TimeoutError:
                break


def _visit_in_browser(chromium: Any, served: Dashboard, course: Course, until: float) -> None:
    began = time.monotonic()
    with launched(chromium) as engine:
        page = engine.new_page()
        page.set_default_timeout(_LIMIT * 1000)

        def lost(_: Any) -> None:
            course.lost.append((round(time.monotonic() - began, 1), "Chromium's"))

        def watch(connection: Any) -> None:
            connection.on("close", lost)

        page.on("websocket", watch)
        page.goto(served.url)
        page.locator(".ch-row:visible .ch-label, .ch-empty:visible").first.wait_for()
        while time.monotonic() < until:
            page.wait_for_timeout(1000)
        page.remove_listener("websocket", watch)
        seen = len(course.lost)
        page.close()
        del course.lost[seen:]  # its own end


def _weight(served: Dashboard) -> float:
    """Resident memory of the server itself, in MB."""
    return psutil.Process(served.process.pid).memory_info().rss / 1e6


if __name__ == "__main__":
    sys.exit(main())
