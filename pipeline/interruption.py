"""SIGTERM and SIGINT as an exception in the main thread, so that a job that is told to end gives back what it holds."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# In the order in which they are taken: who waits until SIGTERM is may send either. SIGINT has a handler of Python's own
# before, so that nobody can see when it is taken.
NUMBERS = (signal.SIGINT, signal.SIGTERM)
# One who presses Ctrl-C twice means the same; one who comes again later was not heard: library code may swallow an
# exception that is raised in the middle of it.
_SAME_SECONDS = 1.0


class Interrupted(BaseException):
    """Whoever sent the signal wants the process to end. Attribute: number, of the signal."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"ended by {signal.Signals(number).name}")

    @property
    def exit_code(self) -> int:
        """128 and the signal's number, as shells and schedulers have it: 143 for SIGTERM, 130 for SIGINT."""
        return 128 + self.number


class Interruptions:
    """What has come so far. Attribute: number, of the first signal, whatever became of its exception."""

    def __init__(self) -> None:
        self.number: int | None = None
        self._raised_at = 0.0
        self._is_held = True

    def heed(self) -> None:
        """Raise Interrupted on signals from here on, and now if one has come.

        The first call within the `try` that meets it: before that, nothing would be given back.
        """
        self._is_held = False
        if self.number is not None:
            self(self.number, None)

    def hold(self) -> None:
        """From here on a signal is noted and raises nothing: what comes next is to be done whole."""
        self._is_held = True

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        is_new = self.number is None or time.monotonic() - self._raised_at > _SAME_SECONDS
        self.number = self.number or number
        if is_new and not self._is_held:
            self._raised_at = time.monotonic()
            raise Interrupted(self.number)


def ignore() -> None:
    """Ignore both signals from here on, also in a program that this process executes."""
    for number in NUMBERS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def interruptions() -> Iterator[Interruptions]:
    """Take SIGTERM and SIGINT within the block, if this is the main thread: they are noted, and raised once heeded."""
    taken = Interruptions()
    if threading.current_thread() is not threading.main_thread():
        yield taken
        return
    before = {number: signal.signal(number, taken) for number in NUMBERS}
    try:
        yield taken
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
