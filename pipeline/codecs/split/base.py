"""What a format gives so that a file of it can be decoded from any place on.

A file is a row of blocks, and a worker has those that begin in its range of bytes. It finds the first one by itself,
and may be wrong: compressed bytes can look like a block's beginning. So nothing that was decoded is believed until the
blocks of all ranges were laid end to end, from the file's first to its last byte, and their proofs add up.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self

from pipeline.codecs.stream import RandomAccess

LARGEST_BLOCK = (
    64 << 20
)  # bytes, stored or raw: a block is held as a whole, and a file of larger ones is read in order


class Proof(Protocol):
    """What a row of blocks says of itself, of which a longer row's is made."""

    def then(self, following: Self, /) -> Self:
        """Of both rows, one behind the other. Raises BadFileError where they contradict each other."""

    def check_whole(self) -> None:
        """Raise BadFileError where this is not a whole file."""


@dataclass(frozen=True)
class NoProof:
    """Of a format in which each block is proved alone, and what lies between blocks tells no more."""

    def then(self, following: NoProof, /) -> NoProof:
        return following

    def check_whole(self) -> None:
        pass


@dataclass(frozen=True)
class Block:
    """Blocks that were decoded together, one or a few, or a stream's end, which has no raw bytes.

    start, end  bits of the file: where the first begins, and where what follows must begin, at the file's end nothing
    last        the bit at which the last of them begins
    raw         their raw bytes, in chunks
    proof       of them alone
    stored      the bytes of the file from start // 8 to end // 8
    """

    start: int
    last: int
    end: int
    raw: tuple[bytes, ...]
    proof: Proof
    stored: bytes


class Splitter(ABC):
    """A format whose files can be decoded from any place on. It keeps no state."""

    codec: ClassVar[str]  # whose files these are

    @abstractmethod
    def first(self, source: RandomAccess) -> int | None:
        """The bit at which the first block of a file begins; None where it is not one to split. Asks for little."""

    @abstractmethod
    def blocks(
        self, source: RandomAccess, start: int, until: int, *, singly: bool = False
    ) -> Generator[Block, None, None]:
        """The blocks that begin at or behind the byte `start`, each where the one before ends, to the file's end.

        Only those that begin before the byte `until`, and the first one behind it, are decoded before they are asked
        for. None that begins behind it is decoded together with others, and none at all with `singly`. Raises
        BadFileError where no block is found, or none where one has to be; errors of `source` pass through.
        """
