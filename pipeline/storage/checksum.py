"""CRC-32C (Castagnoli) as Google Cloud Storage shows it: base64 of the four bytes, big-endian.

https://cloud.google.com/storage/docs/data-validation
"""

from __future__ import annotations

import base64

import google_crc32c


class Crc32c:
    """The checksum of bytes that come in pieces."""

    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes) -> None:
        self._value = google_crc32c.extend(self._value, data)

    def __str__(self) -> str:
        return base64.b64encode(self._value.to_bytes(4, "big")).decode("ascii")
