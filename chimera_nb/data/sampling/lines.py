"""A number for each line, by seed, file and position; the lines with the lowest numbers are the sample.

The number depends on nothing else, so the sample is the same whatever the order in which files are read and
however they are spread over threads or bundles. All lines stand the same chance, whichever file they are in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np

NUMBERS = 1 << 63  # numbers are below this
Line = tuple[int, bytes, int, bytes]  # its number, its file's URI, its position in it from 1 on, its text

_GOLDEN = 0x9E3779B97F4A7C15
_WRAP = (1 << 64) - 1


def file_key(seed: int, uri: bytes) -> int:
    """A number of 64 bits for a file; other seeds give others that have nothing to do with it."""
    digest = hashlib.blake2b(uri, digest_size=8, key=hashlib.blake2b(str(seed).encode()).digest()).digest()
    return int.from_bytes(digest, "big")


def line_numbers(key: int, first: int, count: int) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """The numbers of `count` lines of a file from the position `first` on: SplitMix64 (Steele and others, 2014)."""
    z = np.arange(first, first + count, dtype=np.uint64)
    z *= np.uint64(_GOLDEN)
    z += np.uint64((key + _GOLDEN) & _WRAP)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (z ^ (z >> np.uint64(31))) >> np.uint64(1)


class Lowest:
    """The `n` lowest lines of those that were added. Attribute: below (no line from there on is among them)."""

    def __init__(self, n: int, below: int = NUMBERS) -> None:
        self._n = n
        self._lines: list[Line] = []
        self.below = below

    def add(self, line: Line) -> None:
        if line[0] < self.below:
            self._lines.append(line)
            if len(self._lines) >= 2 * self._n:
                self.lines()

    def lines(self) -> list[Line]:
        """The lowest, in order."""
        self._lines.sort()
        del self._lines[self._n :]
        if len(self._lines) == self._n:
            self.below = min(self.below, self._lines[-1][0] + 1)
        return self._lines


def pick_lines(blocks: Iterable[bytes], uri: bytes, seed: int, lowest: Lowest) -> int:
    """Add a file's lines that are low enough; how many it has. A blank line is no record and is never drawn.

    The blocks hold whole lines. Only lines that may be among the lowest are cut out.
    """
    key = file_key(seed, uri)
    position = 0
    for block in blocks:
        ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))
        numbers = line_numbers(key, position, len(ends))
        for i in np.flatnonzero(numbers < lowest.below).tolist():
            text = block[int(ends[i - 1]) + 1 if i else 0 : int(ends[i])]
            if text and not text.isspace():
                lowest.add((int(numbers[i]), uri, position + i + 1, text))
        position += len(ends)
    return position
