"""Formats by their first bytes: the ones that are decoded, and the ones that are refused by name.

Sources: `magic(5)`, RFC 1952 (gzip), RFC 8878 (zstd), and the published formats of
xz, zip and bzip2.
"""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True)
class Refused:
    """A format that is known and not read.

    remedy  what makes a file that is read of FILE
    """

    name: str
    remedy: str
    magic: tuple[bytes, ...] = ()
    suffixes: tuple[str, ...] = ()  # of those without a magic number

    def within(self, codec: str) -> str:
        """The remedy where a compressed file holds it."""
        return f"unpack the {codec}, and then {self.remedy}"


_INFLATE = "import sys, zlib; sys.stdout.buffer.write(zlib.decompress(sys.stdin.buffer.read(){}))"
_PARQUET = 'pandas.read_parquet("FILE").to_json("NEW.ndjson", orient="records", lines=True)'

# All of the magic numbers hold bytes that no text begins with, so that no text is refused for its first word.
_TAR = Refused("a tar archive whose first header is corrupt", "get it again from where it came from")
_REFUSED = (
    Refused("7z", "extract it and read the files in it: 7z x FILE", (b"7z\xbc\xaf\x27\x1c",)),
    Refused("avro", "make it NDJSON: fastavro FILE > NEW.ndjson", (b"Obj\x01",)),
    Refused("compress (.Z)", "decompress it: gzip -dc FILE > NEW", (b"\x1f\x9d",)),
    Refused("lz4", "decompress it: lz4 -dc FILE > NEW", (b"\x04\x22\x4d\x18", b"\x02\x21\x4c\x18")),
    Refused("lzip", "decompress it: lzip -dc FILE > NEW", (b"LZIP\x01",)),
    Refused("lzma", "decompress it: xz --format=lzma -dc FILE > NEW", (b"\x5d\0\0",), (".lzma",)),
    Refused("parquet", f"make it NDJSON: {_PARQUET}", (b"PAR1\x15",)),
    Refused("rar", "extract it and read the files in it: unrar x FILE", (b"Rar!\x1a\x07",)),
    Refused(
        "snappy",
        "decompress it: python3 -m snappy -d FILE NEW",
        (b"\xff\x06\0\0sNaPpY",),
        (".snappy", ".sz"),
    ),
    Refused("zlib", f"decompress it: python3 -c '{_INFLATE.format('')}' < FILE > NEW", (b"\x78\x9c",)),
    Refused("brotli", "decompress it: brotli -dc FILE > NEW", suffixes=(".br",)),
    Refused(
        "deflate",
        f"decompress it: python3 -c '{_INFLATE.format(', -15')}' < FILE > NEW",
        suffixes=(".deflate",),
    ),
    Refused("lzo", "decompress it: lzop -dc FILE > NEW", suffixes=(".lzo",)),
)
# All at once, since of most heads there is none: archives hold files of a line by the hundred thousand.
_ANY_MAGIC = tuple(number for magic in MAGIC.values() for number in magic)
_ANY_REFUSED = tuple(number for known in _REFUSED for number in known.magic)


def compression_of(head: bytes) -> str | None:
    """The codec whose magic number the bytes begin with."""
    if not head.startswith(_ANY_MAGIC):
        return None
    return next(name for name, magic in MAGIC.items() if head.startswith(magic))


def refused_format_of(head: bytes) -> Refused | None:
    """The format that the bytes begin, when it is one that is known and not read."""
    if head[257:MAGIC_BYTES] == b"ustar":
        return _TAR
    if not head.startswith(_ANY_REFUSED):
        return None
    return next(known for known in _REFUSED if known.magic and head.startswith(known.magic))


def refused_suffix(suffix: str) -> Refused | None:
    """The format without a magic number that a suffix (lower case, with the dot) stands for."""
    return next((known for known in _REFUSED if suffix in known.suffixes), None)


def begins_with(head: bytes) -> str:
    """The first bytes, for a message."""
    if document := document_of(head):
        return f"it is {document.name}; {document.remedy}"
    return f"it begins with {head[:16]!r}"
