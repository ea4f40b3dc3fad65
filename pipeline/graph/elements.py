"""Files as elements between stages: their URIs as bytes of UTF-8, since a local name may be no text at all."""

from __future__ import annotations

UNKNOWN_SIZE = -1  # of a file that was not listed


def encode_uri(uri: str) -> bytes:
    return uri.encode("utf-8", "surrogateescape")


def decode_uri(element: bytes) -> str:
    return element.decode("utf-8", "surrogateescape")
