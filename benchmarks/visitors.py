"""Many visitors of the dashboard at once, without browsers: those would take most of a small machine themselves.

Each asks for its page, connects to its kernel, and has an answer from it. The peer is the same dashboard whose kernels
start one by one, in turn with ours.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import psutil

from benchmarks.row import Context, Goal, Row, median_ratio
from benchmarks.served import kernels, notebook_for, served, wait_for_kernels
from chimera_nb.local import stack
from tests.fixtures.dashboard import Address, Visitor, answers_to

_VISITORS = 10
_CROWD = 50
_READY = 2
_PATIENCE_SECONDS = 120
_PEER = "started one by one"


def rows(context: Context) -> list[Row]:
    running = stack.start(context.work / "stack")
    try:
        notebook = notebook_for(context.work / "dashboard.ipynb")
        pairs = [
            [_visited(running.data_dir, notebook, _VISITORS, fork=fork) for fork in (True, False)]
            for _ in range(1 if context.quick else 3)
        ]
        crowd = None if context.quick else _visited(running.data_dir, notebook, _CROWD, fork=True)
    finally:
        stack.stop(running.data_dir)
    (ours, peers) = zip(*pairs, strict=True)
    found = [
        _row(
            "ten visitors: the tenth has its page",
            [v.page for v in ours],
            [v.page for v in peers],
            "ms",
            3000,
        ),
        _row(
            "ten visitors: all kernels answer",
            [v.answer for v in ours],
            [v.answer for v in peers],
            "ms",
            4000,
        ),
        _row("a further kernel: memory of its own", [v.own for v in ours], [v.own for v in peers], "MB", 40),
    ]
    if crowd is not None:
        found += [
            Row("fifty visitors: the last has its page", crowd.page, "ms", Goal(under=20_000)),
            Row("fifty visitors: an answer then, median", crowd.later, "ms", Goal(under=300)),
            Row("fifty visitors: memory of all", crowd.whole, "MB", Goal(under=4000)),
        ]
    return found


def _row(what: str, ours: Sequence[float], peers: Sequence[float], unit: str, goal: float) -> Row:
    ratio = 1 / median_ratio(ours, peers)
    return Row(what, median(ours), unit, Goal(under=goal), _PEER, median(peers), ratio)


class _Visited:
    """Milliseconds to the last page, the last kernel's first answer, and to a later one; megabytes."""

    def __init__(self, server: psutil.Process, visitors: Sequence[Visitor]) -> None:
        start = time.monotonic()

        def come(visitor: Visitor) -> tuple[float, float, str]:
            kernel = visitor.open_page()
            page = time.monotonic() - start
            self._ask(visitor, kernel)
            return page, time.monotonic() - start, kernel

        with ThreadPoolExecutor(len(visitors)) as pool:
            came = list(pool.map(come, visitors))
        self.page = max(page for page, _, _ in came) * 1000
        self.answer = max(answer for _, answer, _ in came) * 1000
        self.later = (
            median(self._ask(v, kernel) for v, (_, _, kernel) in zip(visitors, came, strict=True)) * 1000
        )
        family = [server, *server.children(recursive=True)]
        self.own = median(_megabytes(each, "Private_Clean", "Private_Dirty") for each in kernels(server))
        self.whole = sum(_megabytes(each, "Pss") for each in family)

    @staticmethod
    def _ask(visitor: Visitor, kernel: str) -> float:
        start = time.monotonic()
        with visitor.socket(kernel) as connection:
            answers_to(connection, "kernel_info_request", _PATIENCE_SECONDS)
        return time.monotonic() - start


def _visited(data_dir: Path, notebook: Path, visitors: int, *, fork: bool) -> _Visited:
    with served(data_dir, notebook, warm=_READY, fork=fork) as (url, server):
        wait_for_kernels(server, _READY)
        return _Visited(server, [Visitor(Address(url)) for _ in range(visitors)])


def _megabytes(process: psutil.Process, *kinds: str) -> float:
    """Of a process's memory, by the system's own account of what it shares and what it does not."""
    text = Path(f"/proc/{process.pid}/smaps_rollup").read_text("utf-8")
    return sum(
        int(found) * 1024 / 1e6
        for found in re.findall(rf"^(?:{'|'.join(kinds)}): +(\d+) kB", text, re.MULTILINE)
    )
