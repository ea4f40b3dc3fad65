"""Work done by several processes: Python computes on one core a process.

The two sides speak in frames: how many bytes in eight, one byte that says of what kind they are, and that many bytes,
of a pickle or as they are. The first frame to a process is its program, a function of a channel; what is said after it
is between the program and whoever started it. A process ends when its channel is closed, also by the end of the other.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import IO, Any, Generic, Self, TypeVar

from pipeline.errors import JobError
from pipeline.interruption import ignore

Group = TypeVar("Group")
Answer = TypeVar("Answer")
_PROGRAM = "from pipeline.processes import main; main()"
_ONE_CORE = {"OMP_NUM_THREADS": "1"}  # of Arrow and numpy: there are as many processes as cores
_BYTES, _PICKLE = b"b", b"p"
_HEAD = 9
_ENDING_SECONDS = 10
_PIPE_BYTES = 1 << 20  # as much as Linux gives to anybody: what a file holds goes through at once
_SET_PIPE_SIZE: int | None = getattr(fcntl, "F_SETPIPE_SZ", None)  # Linux alone has it


class ClosedError(Exception):
    """The other side is gone."""


class Channel:
    """Frames to another process and from it. Of a value in bytes no copy is made that can be spared."""

    def __init__(self, heard: IO[bytes], said: IO[bytes]) -> None:
        self._heard, self._said = heard, said
        self._saying = threading.Lock()  # a program may have threads

    def send(self, value: Any) -> None:
        """Raises ClosedError, and what pickle raises for a value that it cannot take."""
        is_data = isinstance(value, bytes | bytearray | memoryview)
        kind, data = (_BYTES, value) if is_data else (_PICKLE, pickle.dumps(value))
        try:
            with self._saying:
                self._said.write(len(data).to_bytes(_HEAD - 1, "big") + kind)
                self._said.write(data)
                self._said.flush()
        except (OSError, ValueError) as e:  # closed at that side, or at this one
            raise ClosedError from e

    def receive(self) -> Any:
        """The next value. Raises ClosedError where there is none, and what pickle raises for one it cannot make."""
        try:
            head = self._heard.read(_HEAD)
            kind, size = head[_HEAD - 1 :], int.from_bytes(head[: _HEAD - 1], "big")
            if kind not in (_BYTES, _PICKLE):  # it has ended, or an interpreter's start has printed something
                raise ClosedError
            data = self._heard.read(size)
        except (OSError, ValueError) as e:
            raise ClosedError from e
        if len(data) < size:
            raise ClosedError
        return data if kind == _BYTES else pickle.loads(data)  # noqa: S301 - of a process of this program's

    def close(self) -> None:
        for pipe in (self._said, self._heard):
            with contextlib.suppress(OSError):
                pipe.close()


class Process:
    """A process of its own with a program; it ends with the `with`, whatever it is at. Attribute: channel."""

    def __init__(self, program: Callable[[Channel], None]) -> None:
        self._program = program
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM],
            env={
                **_ONE_CORE,
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "TMPDIR": tempfile.gettempdir(),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        heard, said = self._process.stdout, self._process.stdin
        if heard is None or said is None:
            raise AssertionError("asked for as pipes")
        for pipe in (heard, said):
            if _SET_PIPE_SIZE is not None:
                with contextlib.suppress(OSError):  # a user has so much for all pipes together
                    fcntl.fcntl(pipe, _SET_PIPE_SIZE, _PIPE_BYTES)
        self.channel = Channel(heard, said)

    def __enter__(self) -> Self:
        with contextlib.suppress(ClosedError):  # whoever speaks to it next is told
            self.channel.send(self._program)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self.channel.close()
        self._process.wait()

    def exit_code(self) -> int:
        """Of a process whose channel is closed at its side: it has ended, or is about to, or is made to."""
        try:
            return self._process.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def in_processes(work: Callable[[Group], Answer], groups: Iterable[Group], count: int) -> Iterator[Answer]:
    """What the work gives for each group, in their order. Raises what it raises, and JobError for a process that dies.

    Closed early, it ends the processes, whatever they are at.
    """
    with contextlib.ExitStack() as stack:
        idle: SimpleQueue[Process] = SimpleQueue()
        for _ in range(count):
            idle.put(stack.enter_context(Process(_Answering(work))))
        pool = ThreadPoolExecutor(count, thread_name_prefix="await-process")
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)

        def answer_of(group: Group) -> Answer:
            process = idle.get()
            try:
                answer: Answer = _answer(process, group)
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


def _answer(process: Process, group: Any) -> Any:
    try:
        process.channel.send(group)
        answer = process.channel.receive()
    except ClosedError:
        raise JobError(
            f"a process that reads files has ended (exit {process.exit_code()}); it may have had too little memory: "
            "read fewer files at a time, or run a job"
        ) from None
    if isinstance(answer, _Raised):
        raise answer.error
    return answer


@dataclass(frozen=True)
class _Answering(Generic[Group, Answer]):
    """A program that answers each group by what the work gives for it."""

    work: Callable[[Group], Answer]

    def __call__(self, channel: Channel) -> None:
        while True:
            group = channel.receive()
            try:
                answer: Any = self.work(group)
            except Exception as e:  # noqa: BLE001 - whoever asked raises it
                answer = _Raised(e)
            channel.send(answer)


@dataclass(frozen=True)
class _Raised:
    """An answer that is none."""

    error: Exception


def main() -> None:
    """The other process: run the program until the channel closes."""
    ignore()  # a terminal sends its signals to all of a group, and the first process closes the channels of the others
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - pathlib is not loaded here for this alone
        channel = Channel(os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb"))
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)  # what the program prints is no frame
    sys.stdout = sys.stderr
    with contextlib.suppress(ClosedError):
        channel.receive()(channel)
    os._exit(0)  # what is left to be done belongs to nobody
