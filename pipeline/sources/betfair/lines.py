"""A file's lines as messages that change markets; what does not decode is told, and a file of nothing else refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic

from msgspec import MsgspecError

from pipeline.errors import BadFileError
from pipeline.sources.betfair.messages import C, LineDecoder, decode_origin, is_recorded
from pipeline.sources.betfair.plan import Plan
from pipeline.sources.view import ViewedFile

_NO_STREAM = (
    "holds no market changes, so it is no stream file of Betfair's (a message a line, with op mcm and mc); "
    "leave the view out to have its lines as they are"
)
_LINES, _BYTES = 64, 16 << 10  # of a batch
_BAD_LINES_BEFORE = 1000  # the first market change: with more the rest is not looked at
_BEGIN = b'{"op":"mcm",'  # of a line as Betfair writes it
_STRETCH = 16 << 10  # of fewer bytes decoding takes less time
DEFINITION = b'"marketDefinition"'
_IMAGE = b'"img":true'  # needed whatever else the line has
_FAULTS = (MsgspecError, UnicodeDecodeError, RecursionError)


class Changes(Generic[C]):
    """The messages of a file that change markets, in order.

    Attributes, while they are taken:

    decoder    may be set to another, for the lines after the batch; the wider one once a line asks for it
    undecoded  may be set: is called with many whole lines without definitions; returns how many it took, all or 0
    plan       complete up to the block of the line
    number     of the line of the message that was given last, from 1; not by batches, which have their own
    """

    def __init__(
        self,
        blocks: Iterable[bytes],
        file: ViewedFile,
        decoder: LineDecoder[C],
        *,
        needed: re.Pattern[bytes] | None = None,
    ) -> None:
        """A line that has `needed` nowhere is not decoded, if from outside it looks like a whole message."""
        self.decoder = decoder
        self.undecoded: Callable[[bytes], int] | None = None
        self._needed = needed
        self.plan = Plan()
        self.number = 0
        self._blocks = blocks
        self._file = file
        self._begun = False
        self._before = 0  # lines that were looked at
        self._batch: tuple[list[bytes] | bytes, Sequence[int]] = [], ()  # lines, one by one or together
        self._held: list[tuple[int, str]] = []

    def __iter__(self) -> Iterator[C]:
        """Raises what `batches` raises."""
        for messages, numbers in self.batches():
            for self.number, message in zip(numbers, messages, strict=True):
                yield message

    def batches(self) -> Iterator[tuple[list[C], Sequence[int]]]:
        """Some messages at a time, and the numbers of their lines, from 1.

        Raises BadFileError where there are none, and where the file has more bad lines than it may.
        """
        for block in self._blocks:
            self.plan.add(block)
            begin = 0
            while not self._begun and begin < len(block):  # the first line tells what the others are
                end = block.index(b"\n", begin)
                self._before += 1
                yield self._decode([block[begin:end]], [self._before])
                begin = end + 1
            if self.undecoded is None:
                yield from self._decoded(block[begin:])
                continue
            for stretch in _between_definitions(block, begin):
                take = self.undecoded if len(stretch) >= _STRETCH else None
                taken = 0 if take is None else take(stretch)
                self._before += taken
                if not taken:
                    yield from self._decoded(stretch)
        self.end()

    def _decoded(self, block: bytes) -> Iterator[tuple[list[C], Sequence[int]]]:
        if self._needed is None or not looks_whole(block, count := block.count(b"\n")):
            yield from self._in_parts(block)
            return
        lines, numbers = _with(self._needed.search, block, self._before + 1)
        self._before += count
        for start in range(0, len(lines), _LINES):
            yield self._decode(lines[start : start + _LINES], numbers[start : start + _LINES])

    def _in_parts(self, block: bytes) -> Iterator[tuple[list[C], Sequence[int]]]:
        """So much at a time that the messages stay in the processor's cache."""
        begin, end = 0, len(block)
        while begin < end:
            cut = block.rfind(b"\n", begin, begin + _BYTES) + 1 or block.index(b"\n", begin) + 1
            part = block[begin:cut]
            begin = cut
            numbers = range(self._before + 1, self._before + part.count(b"\n") + 1)
            self._before = numbers[-1]
            messages = self._together(part)
            if len(messages) == len(numbers):  # or there are some that are none, or none to a line
                self._batch = part, numbers
                yield messages, numbers
            else:
                yield self._decode(part[:-1].split(b"\n"), numbers)

    def _together(self, part: bytes) -> list[C]:
        """Lines as messages; none where one of them is no message."""
        while True:
            try:
                return self.decoder.lines(part)
            except _FAULTS:
                if self.decoder.wider is None:
                    return []
                self.decoder = self.decoder.wider

    def _decode(self, lines: list[bytes], numbers: Sequence[int]) -> tuple[list[C], Sequence[int]]:
        """Line by line."""
        messages: list[C] = []
        refused: list[int] = []  # places in the batch
        rest = iter(lines)
        while True:
            try:
                messages.extend(map(self.decoder.line, rest))
                break
            except _FAULTS:  # the messages before it have been added
                if self.decoder.wider is not None:
                    self.decoder = self.decoder.wider
                    rest = iter(lines[len(messages) + len(refused) :])
                    continue
                refused.append(len(messages) + len(refused))
                self._refuse(lines[refused[-1]], numbers[refused[-1]])
        if refused:
            lines = [line for place, line in enumerate(lines) if place not in refused]
            numbers = [number for place, number in enumerate(numbers) if place not in refused]
        if lines and not self._begun:
            self._begin(lines[0])
        self._batch = lines, numbers
        return messages, numbers

    def again(self, place: int, decoder: LineDecoder[C]) -> tuple[list[C], Sequence[int]]:
        """The last batch from a place on, by another decoder, which then decodes all lines after it."""
        self.decoder = decoder
        lines, numbers = self._batch
        if isinstance(lines, bytes):
            lines = lines[:-1].split(b"\n")
        return self._decode(lines[place:], numbers[place:])

    def take(self, line: bytes, number: int) -> C | None:
        """One line's message, if it changes markets, by whoever goes through the lines himself."""
        messages, _ = self._decode([line], [number])
        return messages[0] if messages else None

    def end(self) -> None:
        """Call after the last line. Raises BadFileError where no line has changed a market."""
        if not self._begun:
            raise BadFileError(_NO_STREAM, of_the_file=True)

    def _begin(self, line: bytes) -> None:
        self._begun = True
        self.plan.recorded = self.plan.recorded or is_recorded(decode_origin(line))
        for held in self._held:
            self._file.bad_line(*held)
        self._held = []

    def _refuse(self, line: bytes, number: int) -> None:
        """A line that is no change of a market: a bad one, unless it is another message, or empty."""
        try:
            message = self.decoder.other(line)
        except _FAULTS as e:
            if line.strip():
                self._bad_line(number, f"does not decode: {e}")
            return
        if message.mc and message.op == "mcm":
            self._bad_line(number, "has no publish time (pt)")

    def _bad_line(self, number: int, reason: str) -> None:
        """Of a file that is no stream that is told, and not of each line."""
        if self._begun:
            self._file.bad_line(number, reason)
            return
        self._held.append((number, reason))
        if len(self._held) > _BAD_LINES_BEFORE:
            raise BadFileError(_NO_STREAM, of_the_file=True)


def looks_whole(block: bytes, lines: int) -> bool:
    """Whether each line looks from outside like a whole message, as Betfair writes it."""
    return block.startswith(_BEGIN) and block.endswith(b"}\n") and block.count(b"}\n" + _BEGIN) == lines - 1


def _between_definitions(block: bytes, begin: int) -> Iterator[bytes]:
    """The lines of a block, those with a definition apart from those between them."""
    while begin < len(block):
        found = block.find(DEFINITION, begin)
        end = block.rfind(b"\n", begin, found) + 1 if found >= 0 else len(block)
        if end > begin:
            yield block[begin:end]
            begin = end
        if found >= 0:
            begin, end = max(begin, end), block.index(b"\n", found) + 1
            yield block[begin:end]
            begin = end


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
