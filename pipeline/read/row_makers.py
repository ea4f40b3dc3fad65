"""Processes that make the rows of views for this one, one a core: Python computes on one core a process.

They are for a process that has the machine to itself: whoever runs a job in one opens them (`row_makers`), and what is
read meanwhile uses them. They begin once so much has been read that their start, a quarter of a second of a core each,
is little of it. Until the first is ready rows are made in the thread that reads; after that by them alone, since what
has ended a process for want of memory would end this one.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager

import pyarrow as pa

from pipeline.cores import usable_cores
from pipeline.errors import ProcessEndedError
from pipeline.processes import ClosedError, Process
from pipeline.read.carried_rows import UnknownViewError, carried_rows, make_rows
from pipeline.read.view_rows import LookedAt, view_rows
from pipeline.sources.view import View

ALONE_BYTES = 16 << 20  # raw, of files of views, before they begin
_log = logging.getLogger(__name__)
_open: list[RowMakers] = []


@contextmanager
def row_makers() -> Iterator[None]:
    """Have `made_rows` use processes within the block, at the end of which they end, whatever they are at."""
    cores = len(usable_cores())
    if cores == 1:
        yield
        return
    makers = RowMakers(cores)
    _open.append(makers)
    try:
        yield
    finally:
        _open.remove(makers)
        makers.close()


def made_rows(
    view: View, chunks: Iterable[bytes], file: LookedAt, *, keep_partial: bool = False
) -> Iterator[pa.RecordBatch]:
    """As `view_rows`, by another process if there is one. Raises ProcessEndedError as well, where that has ended."""
    makers = _open[-1] if _open else None
    process = None if makers is None else makers.take()
    if makers is not None and process is not None:
        try:
            yield from _carried(makers, process, view, chunks, file, keep_partial=keep_partial)
        except UnknownViewError:
            _log.debug("view %s is made in this process: another cannot have it", view.name)
        else:
            return
    counted = chunks if makers is None else makers.counted(chunks)
    yield from view_rows(view, counted, file, keep_partial=keep_partial)


def _carried(
    makers: RowMakers,
    process: Process,
    view: View,
    chunks: Iterable[bytes],
    file: LookedAt,
    *,
    keep_partial: bool,
) -> Generator[pa.RecordBatch, None, None]:
    is_through = False
    try:
        error = yield from carried_rows(process.channel, view, chunks, file, keep_partial=keep_partial)
        is_through = True
    except UnknownViewError:
        is_through = True
        raise
    except ClosedError:
        ended = ProcessEndedError(
            file.uri,
            f"the process that made its rows of view {view.name} has ended (exit {process.exit_code()})",
            "it may have had too little memory, or the view ends the process that it runs in",
        )
        ended.tried = makers.is_closed
        raise ended from None
    finally:
        makers.give_back(process, is_through=is_through)
    if error is not None:
        raise error


class RowMakers:
    """So many processes once they are begun, and another for each that ends before its time."""

    def __init__(self, count: int) -> None:
        self._alone_bytes = ALONE_BYTES
        self._changed = threading.Condition()
        self._lacking = count  # to be begun
        self._coming = 0  # or there
        self._is_used = False  # one has been ready
        self._starting: list[threading.Thread] = []
        self._processes: dict[Process, ExitStack] = {}
        self._idle: list[Process] = []
        self.is_closed = False

    def counted(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The chunks of a file whose rows are made in this process."""
        for chunk in chunks:
            with self._changed:
                self._alone_bytes -= len(chunk)
            if self._alone_bytes <= 0 and self._lacking:
                self._begin()
            yield chunk

    def take(self) -> Process | None:
        """One that is idle, which is waited for; it is to be given back. None where there is none, nor will be."""
        with self._changed:
            while self._is_used and self._coming and not self._idle:
                self._changed.wait()
            return self._idle.pop() if self._idle else None

    def give_back(self, process: Process, *, is_through: bool) -> None:
        """`is_through`: with the file that it was given. One that is not is ended, and another begins."""
        if is_through:
            self._is_idle(process)
            return
        with self._changed:
            stack = self._processes.pop(process, None)
            if stack is None:  # it is ended by `close`
                return
            self._coming -= 1
            self._lacking += 1
        stack.close()
        self._begin()

    def close(self) -> None:
        """End them all, whatever they are at."""
        with self._changed:
            self.is_closed = True
            processes, self._processes = list(self._processes.values()), {}
            self._idle, self._coming = [], 0
            self._changed.notify_all()
        for process in processes:
            process.close()
        for thread in self._starting:
            thread.join()

    def _begin(self) -> None:
        """Begin those that are lacking."""
        with self._changed:
            count, self._lacking = (0 if self.is_closed else self._lacking), 0
            threads = [threading.Thread(target=self._start, name="start-row-maker") for _ in range(count)]
            self._starting += threads
            self._coming += count
        for thread in threads:
            thread.start()

    def _start(self) -> None:
        """Begin a process; it is idle once it has loaded what it needs. One that cannot begin is done without."""
        with ExitStack() as stack:
            try:
                process = stack.enter_context(Process(make_rows))
                with self._changed:
                    if self.is_closed:
                        return
                    self._processes[process] = stack.pop_all()
                process.channel.receive()
                self._is_idle(process)
            except Exception as e:  # noqa: BLE001 - whatever it is, nobody may wait for this one
                with self._changed:
                    if self.is_closed:
                        return
                    self._coming -= 1
                    self._changed.notify_all()
                _log.warning(
                    "rows are made by fewer processes than there are cores: one has not begun (%s: %s)",
                    type(e).__name__,
                    e,
                )

    def _is_idle(self, process: Process) -> None:
        with self._changed:
            if not self.is_closed:
                self._is_used = True
                self._idle.append(process)
                self._changed.notify()
