"""Formats by their first bytes: the ones that are decoded, and the ones that are refused by name.

Sources: `magic(5)`, RFC 1952 (gzip), RFC 8878 (zstd), and the published formats of
xz, zip and bzip2.
"""

from __future__ import annotations

from pipeline.codecs.documents import HEAD_BYTES, document_of

# A block or the end of the stream follows the level, so that text that begins with "BZh" stays text.
_BZ2_NEXT = (bytes.fromhex("314159265359"), bytes.fromhex("177245385090"))

MAGIC_BYTES = 262  # what it takes to know any of them; tar's stands the farthest in
EXCERPT_BYTES = HEAD_BYTES  # what `begins_with` looks at

ZSTD_FRAME = b"\x28\xb5\x2f\xfd"
ZSTD_SKIPPABLE = tuple(bytes([0x50 + n]) + b"\x2a\x4d\x18" for n in range(16))

MAGIC: dict[str, tuple[bytes, ...]] = {
    "bz2": tuple(b"BZh%d" % level + following for level in range(1, 10) for following in _BZ2_NEXT),
    "gzip": (b"\x1f\x8b\x08",),
    "xz": (b"\xfd7zXZ\0",),
    "zip": (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"),
    "zstd": (ZSTD_FRAME, *ZSTD_SKIPPABLE),
}

# All of these hold bytes that no text begins with, so that no text is refused for its first word.
_REFUSED: dict[str, tuple[bytes, ...]] = {
    "7z": (b"7z\xbc\xaf\x27\x1c",),
    "avro": (b"Obj\x01",),
    "compress (.Z)": (b"\x1f\x9d",),
    "lz4": (b"\x04\x22\x4d\x18", b"\x02\x21\x4c\x18"),
    "lzip": (b"LZIP\x01",),
    "lzma": (b"\x5d\0\0",),
    "parquet": (b"PAR1\x15",),
    "rar": (b"Rar!\x1a\x07",),
    "snappy": (b"\xff\x06\0\0sNaPpY",),
    "UTF-16 text": (b"\xff\xfe", b"\xfe\xff"),
    "zlib": (b"\x78\x9c",),
}

# Formats without a magic number, known by their suffix alone.
REFUSED_SUFFIXES = {
    ".br": "brotli",
    ".deflate": "deflate",
    ".lzma": "lzma",
    ".lzo": "lzo",
    ".snappy": "snappy",
    ".sz": "snappy",
}


def compression_of(head: bytes) -> str | None:
    """The codec whose magic number the bytes begin with."""
    return next((name for name, magic in MAGIC.items() if head.startswith(magic)), None)


def refused_format_of(head: bytes) -> str | None:
    """The format that the bytes begin, when it is one that is known and not decoded."""
    if head[257:MAGIC_BYTES] == b"ustar":
        return "tar"
    return next((name for name, magic in _REFUSED.items() if head.startswith(magic)), None)


def begins_with(head: bytes) -> str:
    """The first bytes, for a message."""
    if document := document_of(head):
        return f"it is {document.name}; {document.remedy}"
    return f"it begins with {head[:16]!r}"
