"""Text as arrays: at each place the word of eight bytes that begins there, the first byte the lowest.

An operation on such an array is one on all places at once; there is no object for any of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def word(text: bytes) -> np.uint64:
    """Up to eight bytes, with zeros after them."""
    return np.uint64(int.from_bytes(text, "little"))


BYTE, ONE = np.uint64(8), np.uint64(1)
_EACH = word(b"\1" * 8)
_HIGH = word(b"\x80" * 8)


def words_of(text: bytes) -> Array:
    """Of each place but the last seven its word; without a copy."""
    return np.ndarray((max(0, len(text) - 7),), np.dtype("<u8"), text, strides=(1,))


def first_that_is(words: Array, character: str) -> Array:
    """The highest bit of the first byte of each word that is a character; 0 where none is."""
    other = words ^ (_EACH * np.uint64(ord(character)))
    found = (other - _EACH) & ~other & _HIGH  # exact up to the first
    return found & (~found + ONE)


def before(bits: Array) -> Array:
    """A mask of the bytes before the one that a bit is the highest of; all bytes where there is no bit."""
    return (bits >> np.uint64(7)) - ONE


def place_of(bits: Array) -> Array:
    """The number of the byte, from 0, that each bit is the highest of."""
    return ((bits >> np.uint64(7)) * np.uint64(0x0001020304050607) >> np.uint64(56)).astype(np.int64)


def no_digits(words: Array) -> Array:
    """The highest bit of each byte that is no digit."""
    low = words ^ (_EACH * np.uint64(ord("0")))
    return ((low & ~_HIGH) + _EACH * np.uint64(0x76) | low) & _HIGH


def number_of(words: Array) -> Array:
    """Of eight digits the number."""
    pairs = (words & (_EACH * np.uint64(15))) * np.uint64((10 << 8) + 1) >> BYTE & word(b"\xff\0" * 4)
    fours = pairs * np.uint64((100 << 16) + 1) >> np.uint64(16) & word(b"\xff\xff\0\0" * 2)
    return (fours * np.uint64((10_000 << 32) + 1) >> np.uint64(32)).astype(np.int64)


def all_are(words: Array, places: Array, text: bytes) -> bool:
    """Whether a text of eight bytes or more stands at each of the places."""
    last = len(text) - 8
    return all(
        bool((words[places + at] == word(text[at : at + 8])).all()) for at in (*range(0, last, 8), last)
    )


class Numbered:
    """Words that are all different, found by a factor that gives each product upper 16 bits of its own."""

    def __init__(self, words: Array) -> None:
        self._words = words if len(words) else np.zeros(1, np.uint64)  # which is no text
        self._numbers = np.zeros(1 << 16, np.int16)
        factor = int(_EACH)
        while True:
            factor = (factor * 6364136223846793005 + 1442695040888963407) % (1 << 64) | 1
            self._factor = np.uint64(factor)
            slots = self._slots(words)
            if len(set(slots.tolist())) == len(words):
                break
        self._numbers[slots] = np.arange(len(words))

    def find(self, words: Array) -> tuple[Array, Array]:
        """The place of each among the words, and whether it is one of them; of others the place means nothing."""
        numbers = self._numbers[self._slots(words)]
        return numbers, self._words[numbers] == words

    def _slots(self, words: Array) -> Array:
        return words * self._factor >> np.uint64(48)
