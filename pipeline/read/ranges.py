"""The lines of one range of a large file, and what has to meet so that the ranges of a file are all of it.

A range has the blocks (`pipeline.codecs.split`) that begin in it. A line belongs to the range in whose blocks it
begins, except that the first line goes to the range before, always: so a range reads on behind its blocks, through the
first line's end there, and leaves out its own bytes through the first line's end. Only the beginning of the file gives
no line away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pipeline.codecs.split import Block, Proof, Splitter
from pipeline.codecs.stream import RandomAccess
from pipeline.errors import BadFileError
from pipeline.job_options import MAX_RATIO
from pipeline.ledger import Part
from pipeline.read.lines import MAX_LINE_BYTES, LineCount
from pipeline.read.ratio import is_bomb
from pipeline.storage.checksum import Crc32c, crc32c_of_run


@dataclass(frozen=True)
class Bytes:
    """Raw bytes that are not held: how many, and their CRC-32C."""

    size: int = 0
    crc32c: str = str(Crc32c())

    def then(self, following: Bytes) -> Bytes:
        """Of both, one behind the other."""
        if not (self.size and following.size):
            return following if following.size else self
        pieces = ((self.crc32c, self.size), (following.crc32c, following.size))
        return Bytes(self.size + following.size, crc32c_of_run(pieces))


@dataclass(frozen=True)
class RangeRead:
    """What was made of the blocks of a range.

    start, end  bits of the file: of the first block, and of what follows the last
    proof       of its blocks
    stored      the stored bytes from start // 8 to end // 8
    raw         how many raw bytes its blocks hold
    given       those of its beginning that are of the line of the range before
    all_given   no line ends in it, so that they are all of it
    taken       those behind its blocks that are of its own last line
    lines       how many are its own; `output` their bytes
    seconds     spent on it, of them wire_seconds waiting for stored bytes
    parts       the files they were written to, in their order
    """

    start: int
    end: int
    proof: Proof
    stored: Bytes
    raw: int
    given: Bytes
    all_given: bool
    taken: Bytes
    lines: int
    output: Bytes
    seconds: float = 0.0
    wire_seconds: float = 0.0
    parts: tuple[Part, ...] = ()


class _Lines:
    """Raw bytes in order -> whole lines for `write`, without what is given away before the first line's end."""

    def __init__(self, write: Callable[[bytes], Any], *, gives: bool) -> None:
        self._write = write
        self.gives = gives
        self._given, self._given_crc = 0, Crc32c()
        self._count = LineCount()
        self._crc = Crc32c()

    @property
    def given(self) -> Bytes:
        return Bytes(self._given, str(self._given_crc))

    @property
    def lines(self) -> int:
        return self._count.lines

    @property
    def output(self) -> Bytes:
        return Bytes(self._count.size, str(self._crc))

    def add(self, raw: bytes) -> None:
        """Raises BadFileError for a line that is too long."""
        if self.gives:
            cut = raw.find(b"\n") + 1 or len(raw)
            self.gives = not raw[:cut].endswith(b"\n")
            self._given += cut
            self._given_crc.update(raw[:cut])
            if self._given > MAX_LINE_BYTES:
                raise BadFileError("holds a line that is too long", of_the_file=True)
            raw = raw[cut:]
        if raw:
            ends = self._count.add(raw)
            self._crc.update(raw)
            for piece in filter(
                None, (raw[:ends], raw[ends:])
            ):  # a part may be full at a line's end, and there only
                self._write(piece)

    def end(self) -> None:
        """The file ends here: a last line without an end is given one."""
        if self._count.size > self._count.whole:
            self.add(b"\n")


def read_range(
    splitter: Splitter,
    source: RandomAccess,
    bounds: tuple[int, int],
    claim: Callable[[int], int],
    write: Callable[[bytes], Any],
    *,
    first: int,
    max_ratio: int = MAX_RATIO,
    progress: Callable[[int, int], Any] | None = None,
) -> RangeRead | None:
    """Read the blocks of a range, and the line that it ends with; None where no block begins in it.

    The range is the bytes [start, end) of `bounds`, `first` the bit at which the file's first block begins. `claim` is
    asked with the byte in which a block begins, before it is taken, and tells from which byte on blocks are another
    range's: beyond that it is not asked again. `write` is given what the lines are made of, in pieces; `progress` how
    many stored and raw bytes were read. Raises BadFileError where the file is at fault, or is no case for this way:
    reading it in order says what.
    """
    began = time.monotonic()
    proof: Proof | None = None
    stored, stored_crc, raw, start, end = 0, Crc32c(), 0, 0, 0
    lines: _Lines | None = None
    with closing(_Claimed(splitter, source, bounds, claim)) as blocks:
        for block in blocks.own():
            if lines is None or proof is None:
                start, proof, lines = block.start, block.proof, _Lines(write, gives=block.start != first)
            else:
                proof = proof.then(block.proof)
            size = sum(map(len, block.raw))
            end, raw, stored = block.end, raw + size, stored + len(block.stored)
            stored_crc.update(block.stored)
            if is_bomb(raw, stored, max_ratio):
                raise BadFileError("holds more than it may for its size", of_the_file=True)
            for chunk in block.raw:
                lines.add(chunk)
            if progress is not None:
                progress(len(block.stored), size)
        if lines is None or proof is None:
            return None
        all_given = lines.gives
        taken = Bytes() if all_given else _take_line(blocks.behind(), lines)
    return RangeRead(
        start,
        end,
        proof,
        Bytes(stored, str(stored_crc)),
        raw,
        lines.given,
        all_given,
        taken,
        lines.lines,
        lines.output,
        time.monotonic() - began,
    )


class _Claimed:
    """The blocks from a range's beginning on: its own, as far as they can be claimed, and then those behind."""

    def __init__(
        self, splitter: Splitter, source: RandomAccess, bounds: tuple[int, int], claim: Callable[[int], int]
    ) -> None:
        self._of = partial(splitter.blocks, source)
        self._blocks = self._of(*bounds)
        self._claim = claim
        self._behind: Block | None = None

    def close(self) -> None:
        self._blocks.close()

    def own(self) -> Iterator[Block]:
        for block in self._blocks:
            stop = self._claim(block.last >> 3)
            if block.last >> 3 < stop:
                yield block
                continue
            self._behind = block
            if block.start >> 3 < stop:  # the range was cut between blocks that were decoded together
                yield from self._singly(block.start, stop)
            return

    def _singly(self, start: int, stop: int) -> Iterator[Block]:
        self._blocks.close()
        self._blocks = self._of(start >> 3, stop, singly=True)
        for block in self._blocks:
            self._behind = block
            if block.start >> 3 >= stop:
                return
            self._behind = None
            yield block

    def behind(self) -> Iterator[Block]:
        if self._behind is not None:
            yield self._behind
            yield from self._blocks


def _take_line(blocks: Iterator[Block], lines: _Lines) -> Bytes:
    """Add what follows through the first line's end, which may be that of the file."""
    size, crc = 0, Crc32c()
    for chunk in (chunk for block in blocks for chunk in block.raw):
        cut = chunk.find(b"\n") + 1
        piece = chunk[:cut] if cut else chunk
        size += len(piece)
        crc.update(piece)
        lines.add(piece)
        if cut:
            return Bytes(size, str(crc))
    lines.end()
    return Bytes(size, str(crc))


def join_ranges(ranges: Iterable[RangeRead], first: int, size: int) -> RangeRead:
    """What the ranges of a file make together, laid end to end: all of it, from the bit `first` to the byte `size`.

    Its `stored` is of the bytes from first // 8 on. Raises BadFileError where they do not meet, or are not all.
    """
    whole: RangeRead | None = None
    owed = due = Bytes()  # of the line that is open: what ranges gave away, and what its own range took
    for one in sorted(ranges, key=lambda one: one.start):
        if one.start != (first if whole is None else whole.end):
            raise BadFileError(f"its blocks do not meet at bit {one.start}")
        owed = owed.then(one.given)
        if not one.all_given:
            _check_line(owed, due)
            owed, due = Bytes(), one.taken
        whole = one if whole is None else _then(whole, one)
    _check_line(owed, due)
    if whole is None or whole.end != size * 8:
        raise BadFileError("its blocks do not reach its end")
    whole.proof.check_whole()
    return whole


def _check_line(given: Bytes, taken: Bytes) -> None:
    if given != taken:
        raise BadFileError("a line from one range into the next is another there")


def _then(one: RangeRead, following: RangeRead) -> RangeRead:
    return replace(
        one,
        end=following.end,
        proof=one.proof.then(following.proof),
        stored=one.stored.then(following.stored),
        raw=one.raw + following.raw,
        lines=one.lines + following.lines,
        output=one.output.then(following.output),
        seconds=one.seconds + following.seconds,
        wire_seconds=one.wire_seconds + following.wire_seconds,
        parts=one.parts + following.parts,
    )
