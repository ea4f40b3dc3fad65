"""CRC-32C (Castagnoli) as Google Cloud Storage shows it: base64 of the four bytes, big-endian.

https://cloud.google.com/storage/docs/data-validation
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

import google_crc32c


class Crc32c:
    """The checksum of bytes that come in pieces."""

    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes) -> None:
        self._value = google_crc32c.extend(self._value, data)

    def __str__(self) -> str:
        return as_base64(self._value).decode("ascii")


def as_base64(value: int) -> bytes:
    """How a checksum is written."""
    return binascii.b2a_base64(value.to_bytes(4, "big"), newline=False)


def crc32c_of_run(pieces: Iterable[tuple[str, int]]) -> str:
    """The checksum of pieces laid end to end, from each one's checksum and size: no byte is read.

    As crc32_combine of https://github.com/madler/zlib/blob/master/crc32.c, with the polynomial of RFC 3720.
    """
    value = 0
    for crc32c, size in pieces:
        value = _product(_shift(size), value) ^ int.from_bytes(base64.b64decode(crc32c), "big")
    return as_base64(value).decode("ascii")


_POLYNOMIAL = 0x82F63B78  # without its highest term, the lowest power first
_ONE, _BYTE = 1 << 31, 1 << 23  # x^0 and x^8


def _shift(size: int) -> int:
    """What so many bytes behind it multiply a checksum by: x^(8 size)."""
    power, square = _ONE, _BYTE
    while size:
        if size & 1:
            power = _product(power, square)
        square = _product(square, square)
        size >>= 1
    return power


def _product(one: int, other: int) -> int:
    """Of two polynomials over GF(2), modulo that of the checksum."""
    product = 0
    while one:
        if one & _ONE:
            product ^= other
        one = (one << 1) & 0xFFFFFFFF
        other = (other >> 1) ^ (_POLYNOMIAL if other & 1 else 0)
    return product
