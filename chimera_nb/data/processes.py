"""Work done by several processes, a group of items at a time: Python decodes on one core a process.

The two sides speak in frames: a length in eight bytes, and that many bytes of pickle. The first frame to a process is
the work, a function of a group; each one after it is a group, and is answered by one frame with what the work gives.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import IO, Any, Self, TypeVar

from pipeline.errors import JobError

Group = TypeVar("Group")
Answer = TypeVar("Answer")
_PROGRAM = "from chimera_nb.data.processes import main; main()"


def in_processes(work: Callable[[Group], Answer], groups: Iterable[Group], count: int) -> Iterator[Answer]:
    """What the work gives for each group, in their order. Raises what it raises, and JobError for a process that dies.

    Closed early, it ends the processes, whatever they are at.
    """
    with contextlib.ExitStack() as stack:
        idle: SimpleQueue[Process] = SimpleQueue()
        for _ in range(count):
            idle.put(stack.enter_context(Process(work)))
        pool = ThreadPoolExecutor(count, thread_name_prefix="await-process")
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)

        def answer_of(group: Group) -> Answer:
            process = idle.get()
            try:
                answer: Answer = process.ask(group)
                return answer
            finally:
                idle.put(process)

        waiting: list[Future[Answer]] = []
        for group in groups:
            waiting.append(pool.submit(answer_of, group))
            if len(waiting) >= 2 * count:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()


class Process:
    """A process of its own that does one kind of work; it ends with the `with`, whatever it is at."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._lock = threading.Lock()
        self._work = work

    def __enter__(self) -> Self:
        self._send(self._work)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.wait()

    def ask(self, group: Any) -> Any:
        """What the work gives for a group. Raises what it raised."""
        with self._lock:
            self._send(group)
            try:
                answer = _receive(self._process.stdout) if self._process.stdout else None
            except EOFError:
                raise self._died() from None
        if isinstance(answer, _Raised):
            raise answer.error
        return answer

    def _send(self, value: object) -> None:
        try:
            if self._process.stdin is not None:
                _send(self._process.stdin, value)
        except OSError as e:
            raise self._died() from e

    def _died(self) -> JobError:
        code = self._process.wait()
        return JobError(
            f"a process that reads files has ended (exit {code}); it may have had too little memory: read fewer files "
            "at a time, or run a job"
        )


@dataclass(frozen=True)
class _Raised:
    """An answer that is none."""

    error: Exception


def main() -> None:
    """The other process: answer until there is no more to answer."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the work prints is no answer
    asked = sys.stdin.buffer
    work = _receive(asked)
    while True:
        try:
            group = _receive(asked)
        except EOFError:
            return
        try:
            answer = work(group)
        except Exception as e:  # noqa: BLE001 - whoever asked raises it
            answer = _Raised(e)
        _send(answers, answer)


def _send(to: IO[bytes], value: Any) -> None:
    data = pickle.dumps(value)
    to.write(len(data).to_bytes(8, "big"))
    to.write(data)
    to.flush()


def _receive(source: IO[bytes]) -> Any:
    """Read one frame. Raises EOFError where there is none."""
    head = source.read(8)
    if len(head) < 8:
        raise EOFError
    return pickle.loads(source.read(int.from_bytes(head, "big")))  # noqa: S301 - of the process that started this one
