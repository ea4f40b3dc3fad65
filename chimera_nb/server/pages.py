"""Pages rendered ahead of the visitor, each with a kernel that has run the notebook.

A page is text in pieces. The first one, the frame and its skeleton, is there before its kernel is even started, so
a visitor who finds none ready sees that much at once and the rest as it comes.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

from chimera_nb.server.kernels import DashboardKernels
from pipeline.cores import usable_cores

# A visitor's own page comes first: its kernel, its scripts and its first rows want both of a small machine's cores.
_AFTER_VISITOR_SECONDS = 3.0
_AFTER_FAILURE_SECONDS = 30.0
_FORKED_AT_ONCE = 3  # for each core
_EACH = 8  # kernels that one visitor may hold: tabs that are open, and some that were closed without a word

Render = Callable[[str, Any], AsyncIterator[str]]
"""Kernel id and awaitable manager of that kernel -> the pieces of a page."""

_log = logging.getLogger(__name__)


class FullError(Exception):
    """There are as many kernels as there may be."""


class Page:
    """One page, rendered once; who reads its pieces waits for those to come."""

    def __init__(self, kernels: DashboardKernels, render: Render, cores: asyncio.Semaphore) -> None:
        self.kernel_id = str(uuid.uuid4())
        self.failed = self._over = False
        self._kernels, self._cores = kernels, cores
        kernels.reserve(self.kernel_id)
        self._pieces: list[str] = []
        self._news, self._begun = asyncio.Event(), asyncio.Event()
        self._task = asyncio.create_task(self._run(render))

    @property
    def ready(self) -> bool:
        return self._task.done() and not self.failed

    async def pieces(self) -> AsyncIterator[str]:
        """All that has come since, each time: few large pieces rather than many small ones."""
        told = 0
        while True:
            self._news.clear()
            if told < len(self._pieces):
                piece, told = "".join(self._pieces[told:]), len(self._pieces)
                yield piece
            elif self._task.done():
                return
            else:
                await self._news.wait()

    def when_finished(self, call: Callable[[], None]) -> None:
        self._task.add_done_callback(lambda _: call())

    async def finished(self) -> None:
        await asyncio.wait([self._task])

    async def close(self) -> None:
        """Stop rendering. A kernel that is just being started comes up first, so that it can be ended."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self, render: Render) -> None:
        starting = asyncio.create_task(self._start())
        try:
            # Shielded: a kernel whose start is broken off half-way is nobody's to end.
            async for piece in render(self.kernel_id, asyncio.shield(starting)):
                self._pieces.append(piece)
                self._news.set()
                self._begun.set()
        except Exception:  # noqa: BLE001 - a template may raise anything; the page says so and the log says what
            self.failed = True
            _log.exception("Kernel %s: its page could not be rendered", self.kernel_id)
        finally:
            self._over = True
            self._begun.set()
            await asyncio.wait([starting])
            self._cores.release()
            if self.failed:
                await self._end()
            self._news.set()

    async def _start(self) -> Any:
        await self._begun.wait()  # starting a process takes the loop: after the first piece has gone out
        await self._cores.acquire()  # until the page is rendered
        if self._over:
            raise asyncio.CancelledError
        return await self._kernels.start(self.kernel_id)

    async def _end(self) -> None:
        if self.kernel_id in self._kernels:
            await self._kernels.shutdown_kernel(self.kernel_id, now=True)  # type: ignore[no-untyped-call]
        else:
            self._kernels.remove_kernel(self.kernel_id)


class Pages:
    """A few pages in wait, and a new one for each that is taken. Needs a running loop."""

    def __init__(self, kernels: DashboardKernels, render: Render, *, warm: int, limit: int) -> None:
        self._kernels, self._render, self._warm, self._limit = kernels, render, warm, limit
        self._waiting: deque[Page] = deque()
        self._coming: set[Page] = set()
        # Ten kernels that start at once on two cores come up all at the end; two by two, the first is there early. A
        # forked one has the core for a third of the time that its page takes.
        self._cores = asyncio.Semaphore(len(usable_cores()) * (_FORKED_AT_ONCE if kernels.forks else 1))
        self._taken_at = float("-inf")
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._keeping = asyncio.create_task(self._keep())

    @property
    def ready(self) -> int:
        """How many a visitor would find whole."""
        return sum(page.ready for page in self._waiting)

    def take(self, owner: str, network: str | None = None) -> Page:
        """A page for this visitor; raises FullError. The kernel is theirs from now on.

        `network` is the visitor's, where no proxy says who they are. A browser without cookies is a new visitor each
        time, so one network gets at most half of all kernels.
        """
        self._taken_at = time.monotonic()
        self._waiting = deque(page for page in self._waiting if self._alive(page))
        self._wanted.set()
        if self._has_enough(owner, network):
            raise FullError
        if self._waiting:
            page = self._waiting.popleft()
        elif self._kernels.taken < self._limit:
            page = self._new()
        else:
            raise FullError
        self._kernels.hand_over(page.kernel_id, owner, network)
        return page

    def _has_enough(self, owner: str, network: str | None) -> bool:
        networks = tuple(self._kernels.networks.values())
        return (
            tuple(self._kernels.owners.values()).count(owner) >= _EACH
            or networks.count(network) >= max(1, self._limit // 2)  # None is not among them
        )

    async def close(self) -> None:
        self._keeping.cancel()
        await asyncio.wait([self._keeping])
        await asyncio.gather(*(page.close() for page in tuple(self._coming)))

    def _new(self) -> Page:
        page = Page(self._kernels, self._render, self._cores)
        self._coming.add(page)
        page.when_finished(lambda: self._coming.discard(page))
        return page

    def _alive(self, page: Page) -> bool:
        return not page.failed and (not page.ready or page.kernel_id in self._kernels)

    async def _keep(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            while len(self._waiting) < self._warm and self._kernels.taken < self._limit:
                await asyncio.sleep(max(0.0, self._taken_at + _AFTER_VISITOR_SECONDS - time.monotonic()))
                page = self._new()
                self._waiting.append(page)
                await page.finished()
                if page.failed:
                    self._waiting = deque(other for other in self._waiting if other is not page)
                    await asyncio.sleep(_AFTER_FAILURE_SECONDS)
