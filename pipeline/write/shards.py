"""A wanted number of shards, from parts as the workers happened to write them.

Each shard is a run of whole lines over the parts laid end to end, of the same number of lines to within one.
It is copied by ranged reads, so that memory stays small and no data goes through a shuffle; the price is that
the output is read twice and written once more.
"""

from __future__ import annotations

import uuid
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from pipeline.errors import ReconciliationError, TransferError
from pipeline.ledger import Part
from pipeline.storage import Store, join
from pipeline.storage.checksum import Crc32c, crc32c_of_run
from pipeline.storage.patience import Trials
from pipeline.write.parts_in_order import PartsInOrder

_READ_BYTES = 8 << 20
_READINGS = 5  # of a part or of a shard's slices, at the most
_Result = TypeVar("_Result")
_STRIDE_BYTES = 4096  # where the search for a line end begins


@dataclass(frozen=True)
class Cut:
    """The places in one part where a shard ends and the next begins, as counts of lines before them."""

    part: Part
    lines: tuple[int, ...]


@dataclass(frozen=True)
class CutAt:
    """The same places as byte offsets, and the CRC-32C of each stretch before, between and behind them."""

    uri: str
    offsets: tuple[int, ...]
    checksums: tuple[str, ...]


@dataclass(frozen=True, order=True)
class Shard:
    """One output file to be written: its number, and which bytes [start, end) of all parts it has.

    `known` are the CRC-32C of those of its slices that are less than a part, by the byte at which they begin.
    """

    index: int
    total: int
    start: int
    end: int
    known: tuple[tuple[int, str], ...] = ()


def plan_cuts(parts: Iterable[Part], shards: int) -> list[Cut]:
    """Where to cut the parts, in their order, into `shards` runs; fewer when there are fewer lines than that.

    Parts that are not cut are not told.
    """
    total = sum(part.lines for part in parts)
    shards = min(shards, total)
    ends = [total * k // shards for k in range(1, shards)]
    cuts, before, done = [], 0, 0
    for part in parts:
        upto = bisect_right(ends, before + part.lines, done)
        if upto > done:
            cuts.append(Cut(part, tuple(end - before for end in ends[done:upto])))
        before, done = before + part.lines, upto
    return cuts


def locate(store: Store, cut: Cut) -> CutAt:
    """Find the byte offsets of a part's cuts, in one pass over it, and the checksums of what is between them.

    A part that does not come as it was written is read again. Raises TransferError when that does not help.
    """
    return _patiently(store, lambda: _locate(store, cut))


def _locate(store: Store, cut: Cut) -> CutAt:
    part = cut.part
    offsets: list[int] = []
    checksums: list[str] = []
    crc = Crc32c()
    lines = 0
    wanted = iter(cut.lines)
    line = next(wanted, None)
    for at, block in _blocks(store, part.uri, 0, part.size):
        found = block.count(b"\n")
        position, passed = -1, lines
        begin = 0
        while line is not None and line <= lines + found:
            position = _nth_newline(block, line - passed, position + 1)
            crc.update(block[begin : position + 1])
            offsets.append(at + position + 1)
            checksums.append(str(crc))
            crc, begin = Crc32c(), position + 1
            passed, line = line, next(wanted, None)
        crc.update(block[begin:])
        lines += found
    checksums.append(str(crc))
    ends = [*offsets, part.size]
    read = crc32c_of_run(
        (c, end - begin) for c, begin, end in zip(checksums, [0, *offsets], ends, strict=False)
    )
    if line is not None or (part.crc32c is not None and read != part.crc32c):
        raise TransferError(part.uri, f"came with the CRC-32C {read} where {part.crc32c} was written")
    return CutAt(part.uri, tuple(offsets), tuple(checksums))


def _patiently(store: Store, call: Callable[[], _Result]) -> _Result:
    """What a call gives that reads parts; once more where what came was not what the store keeps."""
    trials = Trials(store.patience, most=_READINGS)
    while True:
        try:
            return call()
        except TransferError as e:
            trials.failed(e)


def plan_shards(parts: Iterable[Part], cuts: Mapping[str, CutAt], shards: int) -> list[Shard]:
    """Which bytes each shard has, from the parts in the same order and where they are cut, by their URIs.

    No lines make no shard: every file failed, and it is the job's end that says so.
    """
    starts, known, at, lines = [0], dict[int, str](), 0, 0
    for part in parts:
        if cut := cuts.get(part.uri):
            begins = [at, *(at + offset for offset in cut.offsets)]
            ends = [*begins[1:], at + part.size]
            pieces = zip(begins, ends, cut.checksums, strict=True)
            known.update((begin, crc32c) for begin, end, crc32c in pieces if begin < end)
            starts += begins[1:]
        at, lines = at + part.size, lines + part.lines
    if not lines:
        return []
    expected = min(shards, lines)
    bounds = [*starts, at]
    if len(starts) != expected or any(start >= end for start, end in pairwise(bounds)):
        raise ReconciliationError(f"{len(starts):,} shards were planned where {expected:,} were expected")
    of: list[list[tuple[int, str]]] = [[] for _ in starts]
    for begin, crc32c in known.items():
        of[bisect_right(starts, begin) - 1].append((begin, crc32c))
    return [
        Shard(index, len(starts), start, end, tuple(some))
        for index, ((start, end), some) in enumerate(zip(pairwise(bounds), of, strict=True))
    ]


def write_shard(
    store: Store, shard: Shard, parts: PartsInOrder, folder: str, owner: str | None = None
) -> Part:
    """Copy a shard's slices into one file under a temporary name, which sorts by the shard's number.

    What does not come as it was written is read again, for a shard with another name: each is one attempt's alone, so
    that another that is still at work writes over nothing that is then published. Raises TransferError.
    """
    return _patiently(store, lambda: _write_shard(store, shard, parts, folder, owner))


def _write_shard(store: Store, shard: Shard, parts: PartsInOrder, folder: str, owner: str | None) -> Part:
    lines, known = 0, dict(shard.known)
    uri = join(folder, f"shard-{shard.index:05d}-{uuid.uuid4().hex}.ndjson")
    with store.open_write(uri, owner=owner) as out:
        for piece in parts.between(shard.start, shard.end):
            crc, written = Crc32c(), known.get(piece.at, piece.crc32c)
            for _, block in _blocks(store, piece.uri, piece.start, piece.end):
                out.write(block)
                crc.update(block)
                lines += block.count(b"\n")
            if written is not None and str(crc) != written:
                raise TransferError(piece.uri, f"came with the CRC-32C {crc} where {written} was written")
    return Part(out.uri, out.size, lines, out.crc32c, out.generation)


def check_shards(parts: Iterable[Part], shards: Sequence[Part]) -> Sequence[Part]:
    """The shards, once they are seen to hold the bytes of the parts. Raises ReconciliationError.

    Slices are read without a checksum of their own: what changed on its way shows in that of the whole.
    """
    written, copied = (
        crc32c_of_run((str(part.crc32c), part.size) for part in pieces) for pieces in (parts, sorted(shards))
    )
    if written != copied:
        raise ReconciliationError(
            f"the shards hold other bytes than the parts that they were copied from (CRC-32C {copied} where "
            f"{written} was written): some changed as they were read. Nothing was published; run the job again"
        )
    return shards


def _blocks(store: Store, uri: str, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """The bytes [start, end) of a part, each block with its offset. Raises TransferError where it ends before them."""
    at = start
    while at < end:
        block = store.read_range(uri, at, min(at + _READ_BYTES, end))
        if not block:
            raise TransferError(uri, f"ends at byte {at:,}, before {end:,}")
        yield at, block
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
