"""A file's lines as messages that change markets; what does not decode is told, and a file of nothing else refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
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
_BEGIN = b'{"op":"mcm",'  # of a line as Betfair writes it
_IMAGE = b'"img":true'  # needed whatever else the line has
_FAULTS = (MsgspecError, UnicodeDecodeError, RecursionError)


class Message(Protocol):
    op: str | None
    pt: int | None
    mc: Any


M = TypeVar("M", bound=Message)


class Changes(Generic[M]):
    """The messages of a file that change markets, in order.

    Attributes, while they are taken:

    decode  may be set to another decoder, for the lines from the next on
    plan    complete up to the block of the line
    """

    def __init__(
        self,
        blocks: Iterable[bytes],
        file: ViewedFile,
        decode: Callable[[bytes], M],
        *,
        needed: re.Pattern[bytes] | None = None,
    ) -> None:
        """A line that has `needed` nowhere is not decoded, if from outside it looks like a whole message."""
        self.decode = decode
        self._needed = needed
        self.plan = Plan()
        self._blocks = blocks if needed is None else _first_line_apart(blocks)
        self._file = file
        self._begun = False
        self._lines: list[bytes] = []  # of the block that is read, and their numbers
        self._numbers: Sequence[int] = ()
        self._place = 0
        self._held: list[tuple[int, str]] = []

    def __iter__(self) -> Iterator[M]:
        """Raises BadFileError where there are none, and where the file has more bad lines than it may."""
        before, begun = 0, False
        for block in self._blocks:
            self.plan.add(block)
            lines = block.count(b"\n")
            if self._needed is None or not (self._begun and looks_whole(block, lines)):
                self._lines, self._numbers = block.split(b"\n"), range(before + 1, before + lines + 2)
            else:
                self._lines, self._numbers = _with(self._needed.search, block, before + 1)
            before += lines
            rest = iter(self._lines)
            place = -1
            while True:
                decode = self.decode
                try:
                    for message in map(decode, rest):
                        place += 1
                        if not message.mc or message.op != "mcm":
                            continue
                        self._place = place
                        if not begun or message.pt is None:
                            if not self._accepts(message, self.line, self.number):
                                continue
                            begun = True
                        yield message
                        if self.decode is not decode:
                            break
                    else:
                        break
                except _FAULTS as e:
                    place += 1
                    self._does_not_decode(self._lines[place], self._numbers[place], e)
        self.end()

    @property
    def number(self) -> int:
        """The number of the line of the message that was given last, from 1."""
        return self._numbers[self._place]

    @property
    def line(self) -> bytes:
        """The line of the message that was given last."""
        return self._lines[self._place]

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


def _first_line_apart(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The first line is decoded in any case: it tells whether the file is a stream."""
    rest = iter(blocks)
    for block in rest:
        cut = block.find(b"\n") + 1
        yield block[:cut]
        if cut < len(block):
            yield block[cut:]
        yield from rest


def looks_whole(block: bytes, lines: int) -> bool:
    """Whether each line looks from outside like a whole message, as Betfair writes it."""
    return block.startswith(_BEGIN) and block.endswith(b"}\n") and block.count(b"}\n" + _BEGIN) == lines - 1


def _with(
    needed: Callable[[bytes, int], re.Match[bytes] | None], block: bytes, number: int
) -> tuple[list[bytes], list[int]]:
    """The lines of a block in which something is found, and those with an image; and their numbers."""
    lines, numbers = [], []
    done, end = 0, len(block)
    image = block.find(_IMAGE)
    while done < end:
        found = needed(block, done)
        at = found.start() if found else end
        if 0 <= image < done:
            image = block.find(_IMAGE, done)
        if 0 <= image < at:
            at = image
        if at == end:
            break
        begin = max(block.rfind(b"\n", done, at) + 1, done)
        number += block.count(b"\n", done, begin)
        done = block.index(b"\n", at) + 1
        lines.append(block[begin : done - 1])
        numbers.append(number)
        number += 1
    return lines, numbers
