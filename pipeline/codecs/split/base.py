"""What a format gives so that a file of it can be decoded from any place on.

A file is a row of blocks, and a worker has those that begin in its range of bytes. It finds the first one by itself,
and may be wrong: compressed bytes can look like a block's beginning. So nothing that was decoded is believed until the
blocks of all ranges were laid end to end, from the file's first to its last byte, and their proofs add up.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self

from pipeline.codecs.stream import RandomAccess


class Proof(Protocol):
    """What a row of blocks says of itself, of which a longer row's is made."""

    def then(self, following: Self, /) -> Self:
        """Of both rows, one behind the other. Raises BadFileError where they contradict each other."""

    def check_whole(self) -> None:
        """Raise BadFileError where this is not a whole file."""


@dataclass(frozen=True)
class Block:
    """Raw bytes that were decoded alone, or a stream's end, which has none.

    start, end  bits of the file: where it begins, and where what follows it must begin, at the file's end none
    raw         its raw bytes
    proof       of it alone
    stored      the bytes of the file from start // 8 to end // 8
    """

    start: int
    end: int
    raw: bytes
    proof: Proof
    stored: bytes


class Splitter(ABC):
    """A format whose files can be decoded from any place on. It keeps no state."""

    codec: ClassVar[str]  # whose files these are

    @abstractmethod
    def first(self, head: bytes) -> int | None:
        """The bit at which the first block of a file begins, by its first bytes; None where it is not one to split."""

    @abstractmethod
    def blocks(self, source: RandomAccess, start: int, until: int) -> Iterator[Block]:
        """The blocks that begin at or behind the byte `start`, each where the one before ends, to the file's end.

        They may be taken beyond the byte `until`, where none is decoded before it is asked for. Raises BadFileError
        where no block is found, or none where one has to be; errors of `source` pass through.
        """
