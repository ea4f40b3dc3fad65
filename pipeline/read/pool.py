"""Many files at once: threads that read and decode, and a bounded number of files between them and the bundle.

google-cloud-storage and the standard library's bz2 let go of the interpreter while they wait or work, so
threads reach the wire's and the cores' limit (measured: 2.0 times on two cores; at 30 ms a request 64 threads bring
1,650 small objects a second, 96 bring 2,600, and more bring no more).
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

from pipeline.read.file import ReadFile

REMOTE_THREADS = 96  # a request to a bucket takes tens of milliseconds: most of these wait for an answer
LOCAL_THREADS = max(2, os.cpu_count() or 2)

_WAIT_SECONDS = 2.0
_MMAP_THRESHOLD = -3  # of mallopt(3)
_OWN_PAGES_FROM = 2 << 20  # bytes; decoded chunks are smaller, and what holds a window of an object is larger
_ARENA_MAX = -8
_ARENAS = 4  # measured: 25 MB less of 380; few threads allocate at once, for which they hold the interpreter

_Item = TypeVar("_Item")
_pools: dict[tuple[int, int], ThreadPoolExecutor] = {}
_lock = threading.Lock()


def ahead(threads: int) -> int:
    """How many files may have been read, or wait to be, beside those that so many threads are at.

    With fewer the threads of a small machine have nothing to do while the bundle writes (measured: a fifth of the time,
    where it writes rows of a view).
    """
    return max(8, min(threads, 16))


class ReaderPool(Generic[_Item]):
    """The files of one bundle, read by the threads that all bundles of this process share; `read` takes an item."""

    def __init__(
        self,
        read: Callable[[_Item], ReadFile],
        *,
        remote: bool,
        while_waiting: Callable[[], None] = lambda: None,
    ) -> None:
        """`while_waiting` is called every few seconds, from the thread that takes the files."""
        self._read, self._while_waiting = read, while_waiting
        threads = REMOTE_THREADS if remote else LOCAL_THREADS
        self._pool = _shared_pool(threads)
        self._window = threads + ahead(threads)
        self._open: set[Future[ReadFile]] = set()

    def add(self, item: _Item) -> Iterator[ReadFile]:
        """Begin to read a file; gives files that are ready, and waits for one when the window is full."""
        self._open.add(self._pool.submit(self._read, item))
        yield from self._ready(wait_for_one=len(self._open) >= self._window)

    def drain(self) -> Iterator[ReadFile]:
        """The files that are left, as they become ready."""
        while self._open:
            yield from self._ready(wait_for_one=True)

    def abandon(self) -> None:
        """Let go of files that nobody will take: the bundle has failed."""
        for future in self._open:
            if not future.cancel():
                future.add_done_callback(_drop)
        self._open.clear()

    def _ready(self, *, wait_for_one: bool) -> Iterator[ReadFile]:
        done, _ = wait(self._open, _WAIT_SECONDS if wait_for_one else 0, FIRST_COMPLETED)
        while wait_for_one and not done:
            self._while_waiting()
            done, _ = wait(self._open, _WAIT_SECONDS, FIRST_COMPLETED)
        for future in done:
            self._open.discard(future)
            yield future.result()


def _drop(future: Future[ReadFile]) -> None:
    if future.exception() is None:
        future.result().lines.drop()


def _shared_pool(threads: int) -> ThreadPoolExecutor:
    """One pool of each size for a process; a forked child gets its own."""
    with _lock:
        key = (os.getpid(), threads)
        if key not in _pools:
            give_freed_memory_back()
            _pools[key] = ThreadPoolExecutor(threads, thread_name_prefix="read-file")
        return _pools[key]


def give_freed_memory_back() -> None:
    """Have glibc keep no megabytes that were freed, for each thread that freed them (measured: 60 to 80 MB).

    By itself it raises the sizes from which it asks the system for memory, and gives back, with those it has met.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # not there in other libraries of C
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _OWN_PAGES_FROM)
        mallopt(_ARENA_MAX, _ARENAS)
