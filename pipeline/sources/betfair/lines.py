"""A file's lines as messages that change markets; what does not decode is told, and a file of nothing else refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, Protocol, TypeVar

from msgspec import MsgspecError

from pipeline.errors import BadFileError
from pipeline.sources.betfair.messages import decode_origin, is_recorded
from pipeline.sources.betfair.plan import Plan
from pipeline.sources.view import ViewedFile

_NO_STREAM = (
    "holds no market changes, so it is no stream file of Betfair's (a message a line, with op mcm and mc); "
    "leave the view out to have its lines as they are"
)
_BAD_LINES_BEFORE = 1000  # the first market change: with more the rest is not looked at
_FAULTS = (MsgspecError, UnicodeDecodeError, RecursionError)


class Message(Protocol):
    op: str | None
    pt: int | None
    mc: Any


M = TypeVar("M", bound=Message)


class Changes(Generic[M]):
    """The messages of a file that change markets, in order.

    While they are taken it tells:

    number  of the line of the message that was given last, from 1
    decode  may be set to another decoder, for the lines from the next on
    plan    complete up to the block of the line
    """

    def __init__(self, blocks: Iterable[bytes], file: ViewedFile, decode: Callable[[bytes], M]) -> None:
        self.decode = decode
        self.number = 0
        self.plan = Plan()
        self._blocks = blocks
        self._file = file
        self._begun = False
        self._lines: list[bytes] = []  # of the block that is read
        self._before = 0  # lines before those
        self._held: list[tuple[int, str]] = []

    def __iter__(self) -> Iterator[M]:
        """Raises BadFileError where there are none, and where the file has more bad lines than it may."""
        before = 0
        for block in self._blocks:
            self.plan.add(block)
            self._lines, self._before = block.split(b"\n"), before
            before += len(self._lines) - 1  # what is behind the last line end is no line
            lines = iter(self._lines)
            number = self._before
            while True:
                decode = self.decode
                try:
                    for message in map(decode, lines):
                        number += 1
                        if not message.mc or message.op != "mcm":
                            continue
                        self.number = number
                        known = self._begun and message.pt is not None
                        if not known and not self._accepts(message, self.line, number):
                            continue
                        yield message
                        if self.decode is not decode:
                            break
                    else:
                        break
                except _FAULTS as e:
                    number += 1
                    self._does_not_decode(self._lines[number - self._before - 1], number, e)
        self.end()

    @property
    def line(self) -> bytes:
        """The line of the message that was given last."""
        return self._lines[self.number - self._before - 1]

    def take(self, line: bytes, number: int) -> M | None:
        """One line's message, if it changes markets, by whoever goes through the lines himself."""
        try:
            message = self.decode(line)
        except _FAULTS as e:
            self._does_not_decode(line, number, e)
            return None
        if message.mc and message.op == "mcm" and self._accepts(message, line, number):
            return message
        return None

    def end(self) -> None:
        """Call after the last line. Raises BadFileError where no line has changed a market."""
        if not self._begun:
            raise BadFileError(_NO_STREAM, of_the_file=True)

    def _accepts(self, message: M, line: bytes, number: int) -> bool:
        if message.pt is None:
            self._bad_line(number, "has no publish time (pt)")
            return False
        if not self._begun:
            self._begun = True
            self.plan.recorded = self.plan.recorded or is_recorded(decode_origin(line))
            for held in self._held:
                self._file.bad_line(*held)
            self._held = []
        return True

    def _does_not_decode(self, line: bytes, number: int, error: Exception) -> None:
        if line.strip():
            self._bad_line(number, f"does not decode: {error}")

    def _bad_line(self, number: int, reason: str) -> None:
        """Of a file that is no stream that is told, and not of each line."""
        if self._begun:
            self._file.bad_line(number, reason)
            return
        self._held.append((number, reason))
        if len(self._held) > _BAD_LINES_BEFORE:
            raise BadFileError(_NO_STREAM, of_the_file=True)
