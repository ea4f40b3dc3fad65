"""Many files as rows of a view, by as many processes as there are cores: Python decodes on one core a process."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, Self

from chimera_nb.data.view_reader import THREADS, FileRows, read_rows_of, receive, send
from chimera_nb.machine.cores import usable_cores
from pipeline.errors import JobError
from pipeline.read.file import ReadOptions
from pipeline.storage import Entry, Store

_ALONE_BYTES = 2_000_000  # of files: less is read before another process has begun
_AT_ONCE_BYTES = 4_000_000  # of files that a process is given at a time
_AT_ONCE = 64
_PROGRAM = "from chimera_nb.data.view_reader import main; main()"


def read_view(store: Store, options: ReadOptions, files: Sequence[Entry]) -> Iterator[FileRows]:
    """The rows of each file, in their order. Raises StoreUnavailableError, and JobError for a process that dies."""
    cores = len(usable_cores())
    groups = list(_grouped(files))
    if cores == 1 or len(files) == 1 or sum(entry.size for entry in files) < _ALONE_BYTES:
        with ThreadPoolExecutor(THREADS, thread_name_prefix="read-view") as pool:
            for group in groups:
                yield from pool.map(lambda uri: read_rows_of(store, options, uri), group)
        return
    with contextlib.ExitStack() as stack:
        idle: SimpleQueue[_Reader] = SimpleQueue()
        count = min(cores, len(groups))
        for _ in range(count):
            idle.put(stack.enter_context(_Reader(store, options)))
        pool = ThreadPoolExecutor(count, thread_name_prefix="await-view")
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)

        def read(group: list[str]) -> list[FileRows]:
            reader = idle.get()
            try:
                return reader.read(group)
            finally:
                idle.put(reader)

        waiting: list[Future[list[FileRows]]] = []
        rest = iter(groups)
        for group in rest:
            waiting.append(pool.submit(read, group))
            if len(waiting) >= 2 * count:
                yield from waiting.pop(0).result()
        for future in waiting:
            yield from future.result()


def _grouped(files: Sequence[Entry]) -> Iterator[list[str]]:
    group: list[str] = []
    size = 0
    for entry in files:
        if group and (size + entry.size > _AT_ONCE_BYTES or len(group) == _AT_ONCE):
            yield group
            group, size = [], 0
        group.append(entry.uri)
        size += entry.size
    if group:
        yield group


class _Reader:
    """A process of its own; it ends with the `with`, whatever it is at."""

    def __init__(self, store: Store, options: ReadOptions) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._lock = threading.Lock()
        self._begin = (store, options)

    def __enter__(self) -> Self:
        self._send(self._begin)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.wait()

    def read(self, uris: list[str]) -> list[FileRows]:
        """The rows of some files. Raises what reading them raised."""
        with self._lock:
            self._send(uris)
            try:
                answer: Any = receive(self._process.stdout) if self._process.stdout else None
            except EOFError:
                raise self._died() from None
        if isinstance(answer, Exception):
            raise answer
        found: list[FileRows] = answer
        return found

    def _send(self, value: object) -> None:
        try:
            if self._process.stdin is not None:
                send(self._process.stdin, value)
        except OSError as e:
            raise self._died() from e

    def _died(self) -> JobError:
        code = self._process.wait()
        return JobError(
            f"a process that reads files has ended (exit {code}); it may have had too little memory: read fewer files "
            "at a time, or run a job"
        )
