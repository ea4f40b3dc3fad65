"""Work of a widget that must not hold up the kernel: tasks on its event loop, and calls to a store in threads."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from chimera_nb.session import Session
from pipeline.storage import Store

_TELL_SECONDS = 0.25
_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


def unforeseen(error: BaseException) -> str:
    """The text that a widget shows for an exception that is not a ChimeraError."""
    return f"this did not work, and was not foreseen ({type(error).__name__}); the log says more"


class Background:
    """What one widget has under way. Traits change on the loop alone; threads only bring what is to be shown."""

    def __init__(self, session: Session, on_failure: Callable[[str], None] = lambda _: None) -> None:
        """`on_failure` is told in a sentence of what nobody has foreseen; the log has the rest of it."""
        self._on_failure = on_failure
        self._session = session
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> bool:
        """Do this on the kernel's loop; False, and nothing is done, where none has run yet (a plain script)."""
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            if not self.tell(self._keep, work):  # else a trait was set from a thread
                work.close()
                return False
            return True
        self._keep(work)
        return True

    def tell(self, call: Callable[..., None], *arguments: object) -> bool:
        """Call this on the kernel's loop, from a thread; False, and nothing is done, where none runs (any more).

        What a watch brings comes so: nothing is left over of a call that the loop does not get to before it ends,
        where a coroutine would be one that nobody has awaited.
        """

        def guarded() -> None:
            try:
                call(*arguments)
            except Exception as e:  # noqa: BLE001 - there is nobody to raise it to
                self._failed(e)

        if self._loop is None:
            return False
        try:
            self._loop.call_soon_threadsafe(guarded)
        except RuntimeError:  # it is closed: the kernel is ending
            return False
        return True

    async def in_thread(self, uri: str, call: Callable[[Store], _Result]) -> _Result:
        """The result of a call that blocks; it is given the store of the URI. Raises ChimeraError."""
        return await asyncio.to_thread(lambda: call(self._session.store_for(uri)))

    async def watched(self, uri: str, call: Callable[[Store], object], tell: Callable[[], None]) -> None:
        """Call as `in_thread` does, and `tell`, on the loop, first, 4 times a second and last."""
        work = asyncio.ensure_future(self.in_thread(uri, call))
        tell()
        while not (await asyncio.wait({work}, timeout=_TELL_SECONDS))[0]:
            tell()
        work.result()
        tell()

    def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)  # the loop itself holds tasks weakly
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._failed(error)

    def _failed(self, error: BaseException) -> None:
        _log.error("work of a widget failed", exc_info=error)
        self._on_failure(unforeseen(error))
