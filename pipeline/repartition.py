"""A wanted number of shards, from parts as the workers happened to write them.

Each shard is a run of whole lines over the parts laid end to end, of the same number of lines to within one.
It is copied by ranged reads, so that memory stays small and no data goes through a shuffle; the price is that
the output is read twice and written once more.
"""

from __future__ import annotations

import uuid
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.errors import ReconciliationError
from pipeline.ledger import Part
from pipeline.storage import Store, join
from pipeline.storage.checksum import crc32c_of_run

_READ_BYTES = 8 << 20
_STRIDE_BYTES = 4096  # where the search for a line end begins


@dataclass(frozen=True)
class Cut:
    """The places in one part where a shard ends and the next begins, as counts of lines before them."""

    part: Part
    lines: tuple[int, ...]


@dataclass(frozen=True)
class CutAt:
    """The same places as byte offsets."""

    uri: str
    offsets: tuple[int, ...]


@dataclass(frozen=True)
class Slice:
    """The bytes [start, end) of a part."""

    uri: str
    start: int
    end: int


@dataclass(frozen=True)
class Shard:
    """One output file to be written: its number, and what it is made of."""

    index: int
    total: int
    slices: tuple[Slice, ...]


def plan_cuts(parts: Sequence[Part], shards: int) -> list[Cut]:
    """Where to cut the parts, in their order, into `shards` runs; fewer when there are fewer lines than that."""
    total = sum(part.lines for part in parts)
    shards = min(shards, total)
    ends = [total * k // shards for k in range(1, shards)]
    cuts, before, done = [], 0, 0
    for part in parts:
        upto = bisect_right(ends, before + part.lines, done)
        cuts.append(Cut(part, tuple(end - before for end in ends[done:upto])))
        before, done = before + part.lines, upto
    return cuts


def locate(store: Store, cut: Cut) -> CutAt:
    """Find the byte offsets of a part's cuts, in one pass over it."""
    offsets: list[int] = []
    lines = at = 0
    wanted = iter(cut.lines)
    line = next(wanted, None)
    while line is not None:
        block = store.read_range(cut.part.uri, at, min(at + _READ_BYTES, cut.part.size))
        if not block:
            raise ReconciliationError(f"{cut.part.uri} ends at byte {at:,}, before its line {line:,}")
        found = block.count(b"\n")
        position, passed = -1, lines
        while line is not None and line <= lines + found:
            position = _nth_newline(block, line - passed, position + 1)
            offsets.append(at + position + 1)
            passed, line = line, next(wanted, None)
        lines += found
        at += len(block)
    return CutAt(cut.part.uri, tuple(offsets))


def plan_shards(parts: Sequence[Part], cuts: Mapping[str, Sequence[int]], shards: int) -> list[Shard]:
    """What each shard is made of, from the parts in the same order and the offsets of their cuts.

    No lines make no shard: every file failed, and it is the job's end that says so.
    """
    if not any(part.lines for part in parts):
        return []
    runs: list[list[Slice]] = [[]]
    for part in parts:
        start = 0
        for offset in cuts.get(part.uri, ()):
            if offset > start:
                runs[-1].append(Slice(part.uri, start, offset))
            runs.append([])
            start = offset
        if start < part.size:
            runs[-1].append(Slice(part.uri, start, part.size))
    expected = min(shards, sum(part.lines for part in parts))
    if len(runs) != expected or not all(runs):
        raise ReconciliationError(f"{len(runs):,} shards were planned where {expected:,} were expected")
    return [Shard(index, len(runs), tuple(run)) for index, run in enumerate(runs)]


def write_shard(store: Store, shard: Shard, folder: str, owner: str | None = None) -> Part:
    """Copy a shard's slices into one file under a temporary name, which sorts by the shard's number.

    The name is this attempt's alone: another that is still at work must not write over what is then published.
    """
    lines = 0
    uri = join(folder, f"shard-{shard.index:05d}-{uuid.uuid4().hex}.ndjson")
    with store.open_write(uri, owner=owner) as out:
        for block in _blocks(store, shard.slices):
            out.write(block)
            lines += block.count(b"\n")
    return Part(out.uri, out.size, lines, out.crc32c, out.generation)


def check_shards(parts: Sequence[Part], shards: Sequence[Part]) -> Sequence[Part]:
    """The shards, once they are seen to hold the bytes of the parts. Raises ReconciliationError.

    Slices are read without a checksum of their own: what changed on its way shows in that of the whole.
    """
    written, copied = (
        crc32c_of_run((str(part.crc32c), part.size) for part in sorted(pieces)) for pieces in (parts, shards)
    )
    if written != copied:
        raise ReconciliationError(
            f"the shards hold other bytes than the parts that they were copied from (CRC-32C {copied} where "
            f"{written} was written): some changed as they were read. Nothing was published; run the job again"
        )
    return shards


def _blocks(store: Store, slices: Sequence[Slice]) -> Iterator[bytes]:
    for piece in slices:
        at = piece.start
        while at < piece.end:
            block = store.read_range(piece.uri, at, min(at + _READ_BYTES, piece.end))
            if not block:
                raise ReconciliationError(f"{piece.uri} ends at byte {at:,}, before {piece.end:,}")
            yield block
            at += len(block)


def _nth_newline(block: bytes, n: int, start: int) -> int:
    """The position of the n-th line end (from 1) at or after `start`, which is there.

    Doubles a range until it holds the line end, then halves it: counting is fast, and many cuts in one block
    must not each count the whole of it.
    """
    low, high = start, min(start + _STRIDE_BYTES, len(block))
    while (found := block.count(b"\n", low, high)) < n and high < len(block):
        n -= found
        low, high = high, min(high + 2 * (high - low), len(block))
    while high - low > 1:
        middle = (low + high) // 2
        found = block.count(b"\n", low, middle)
        if found >= n:
            high = middle
        else:
            low, n = middle, n - found
    return low
