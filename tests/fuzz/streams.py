"""Compressed files as hypothesis makes them: whole ones of every kind, and the same spoiled in every way."""

from __future__ import annotations

import bz2
import io
import lzma
import struct
import zipfile
import zlib
from functools import partial

import zstandard
from hypothesis import strategies as st

# Raw bytes: lines, noise, nothing, and what is large when it is unpacked.
_pieces = st.sampled_from([b'{"op":"mcm"}', b"a", b"\n", b"\r\n", b"\0", b"\xff\xfe", b"BZh9", b"PK\x03\x04"])
raw_bytes = st.one_of(
    st.binary(max_size=200),
    st.lists(_pieces, max_size=30).map(b"".join),
    st.builds(lambda piece, times: piece * times, st.binary(min_size=1, max_size=40), st.integers(0, 5000)),
    st.builds(lambda size: bytes(size % 251 for size in range(size)), st.integers(0, 3000)),
    st.sampled_from([b"%PDF-1.7\n", b"<html>\n", b"\xff\xd8\xff\xe0"]),
    st.integers(0, 30).map(lambda size: b"x" * (size if size < 30 else 1 << 20) + b"\n"),
)


def bz2_member(raw: bytes, level: int) -> bytes:
    return bz2.compress(raw, level % 9 + 1)


def gzip_member(raw: bytes, level: int, flags: int = 0, extra: bytes = b"") -> bytes:
    """With any of the header's optional parts (RFC 1952); flags beyond 31 are reserved ones."""
    packer = zlib.compressobj(level % 10, zlib.DEFLATED, -15)
    body = packer.compress(raw) + (packer.flush(zlib.Z_FULL_FLUSH) if level > 9 else b"") + packer.flush()
    head = b"\x1f\x8b\x08" + bytes([flags]) + struct.pack("<IBB", 1, 0, 255)
    head += struct.pack("<H", len(extra)) + extra if flags & 4 else b""
    head += b"name\0" if flags & 8 else b""
    head += b"a comment\0" if flags & 16 else b""
    head += struct.pack("<H", zlib.crc32(head) & 0xFFFF) if flags & 2 else b""
    return head + body + struct.pack("<II", zlib.crc32(raw), len(raw) & 0xFFFFFFFF)


_CHECKS = (lzma.CHECK_NONE, lzma.CHECK_CRC32, lzma.CHECK_CRC64, lzma.CHECK_SHA256)
_BEFORE = ([], [{"id": lzma.FILTER_DELTA, "dist": 3}], [{"id": lzma.FILTER_X86}])


def xz_member(raw: bytes, level: int) -> bytes:
    filters = [*_BEFORE[level // 4 % 3], {"id": lzma.FILTER_LZMA2, "preset": level % 3}]
    return lzma.compress(raw, check=_CHECKS[level % 4], filters=filters)


def zstd_member(raw: bytes, level: int) -> bytes:
    packer = zstandard.ZstdCompressor(
        level=(1, 3, 7, -1)[level % 4], write_checksum=bool(level & 4), write_content_size=bool(level & 8)
    )
    if level & 8:
        return packer.compress(raw)
    made = packer.compressobj()
    half = len(raw) // 2
    return (
        made.compress(raw[:half])
        + made.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
        + made.compress(raw[half:])
        + made.flush()
    )


def skippable(content: bytes, number: int) -> bytes:
    return struct.pack("<II", 0x184D2A50 + number % 16, len(content)) + content


_MEMBERS = {"bz2": bz2_member, "gzip": gzip_member, "xz": xz_member, "zstd": zstd_member}


def members(codec: str) -> st.SearchStrategy[bytes]:
    """One whole member."""
    levels = st.integers(0, 15)
    made = st.builds(_MEMBERS[codec], raw_bytes, levels)
    if codec == "gzip":
        flags = st.integers(0, 31) | st.integers(0, 255)
        made |= st.builds(gzip_member, raw_bytes, levels, flags, st.binary(max_size=20))
    if codec == "zstd":
        made |= st.builds(skippable, st.binary(max_size=20), levels)
    return made


@st.composite
def archives(draw: st.DrawFn) -> bytes:
    """A whole zip."""
    buffer = io.BytesIO()
    names = st.sampled_from(["a.json", "b/", "b/c.bz2", "__MACOSX/x", "m/.DS_Store", "a.pdf", "é", "d" * 50])
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in draw(st.lists(names, max_size=4, unique=True)):
            raw = draw(raw_bytes)
            if draw(st.booleans()) and not name.endswith("/"):
                inner = draw(st.sampled_from(sorted(_MEMBERS)))
                raw = _MEMBERS[inner](raw, 1)
            method = draw(
                st.sampled_from(
                    [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
                )
            )
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_STORED if name.endswith("/") else method
            with archive.open(info, "w", force_zip64=draw(st.booleans())) as file:
                file.write(b"" if name.endswith("/") else raw)
        archive.comment = draw(st.binary(max_size=10))
    return buffer.getvalue()


def whole(codec: str) -> st.SearchStrategy[bytes]:
    """Members one after another, as far as the format has that."""
    if codec == "zip":
        return archives()
    return st.lists(members(codec), max_size=4).map(b"".join)


_garbage = st.one_of(
    st.binary(min_size=1, max_size=20),
    st.integers(1, 12).map(bytes),
    st.sampled_from(
        [
            b"\r\n",
            b"\n\0\0\x1a",
            b"BZh9",
            b"BZh91AY&SY",
            b"\x1f\x8b\x08",
            b"\xfd7zXZ\0",
            b"\x28\xb5\x2f\xfd",
            b"PK\x05\x06",
            b"<html>",
        ]
    ),
)


def _place(data: bytes, at: int) -> int:
    """A place in the data; small and negative ones are near its ends, where headers and trailers are."""
    return at % (len(data) + 1)


def _flip(at: int, bit: int, data: bytes) -> bytes:
    if not data:
        return data
    spoiled = bytearray(data)
    spoiled[at % len(data)] ^= 1 << bit
    return bytes(spoiled)


def _set(at: int, value: int, data: bytes) -> bytes:
    if not data:
        return data
    spoiled = bytearray(data)
    spoiled[at % len(data)] = value
    return bytes(spoiled)


def _truncate(at: int, data: bytes) -> bytes:
    return data[: _place(data, at)]


def _behead(at: int, data: bytes) -> bytes:
    return data[_place(data, at) :]


def _insert(at: int, what: bytes, data: bytes) -> bytes:
    place = _place(data, at)
    return data[:place] + what + data[place:]


def _leave_out(at: int, size: int, data: bytes) -> bytes:
    place = _place(data, at)
    return data[:place] + data[place + size :]


def _repeat(at: int, size: int, data: bytes) -> bytes:
    place = _place(data, at)
    return data[: place + size] + data[place:]


def _append(other: bytes, data: bytes) -> bytes:
    return data + other


def _splice(other: bytes, at: int, there: int, data: bytes) -> bytes:
    return data[: _place(data, at)] + other[_place(other, there) :]


def changes(codec: str) -> st.SearchStrategy[partial[bytes]]:
    """One thing that is done to a file."""
    at = st.integers(-40, 40) | st.integers(0, 1 << 20)
    other = whole(codec)
    return st.one_of(
        st.builds(partial, st.just(_flip), at, st.integers(0, 7)),
        st.builds(partial, st.just(_set), at, st.integers(0, 255)),
        st.builds(partial, st.just(_truncate), at),
        st.builds(partial, st.just(_behead), at),
        st.builds(partial, st.just(_insert), at, _garbage),
        st.builds(partial, st.just(_leave_out), at, st.integers(1, 40)),
        st.builds(partial, st.just(_repeat), at, st.integers(1, 40)),
        st.builds(partial, st.just(_append), _garbage | other),
        st.builds(partial, st.just(_splice), other, at, at),
    )


@st.composite
def files(draw: st.DrawFn, codec: str) -> bytes:
    """A file of that codec, whole or spoiled."""
    data = draw(whole(codec))
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2, 3]))):
        data = draw(changes(codec))(data)
    return data


reads = st.lists(st.integers(1, 50) | st.integers(1, 1 << 20), min_size=1, max_size=8)


class Stream:
    """Gives as many bytes at a time as it is told to, over and over, and cannot seek."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self._file, self._sizes, self._calls = io.BytesIO(data), sizes, 0

    def read(self, size: int, /) -> bytes:
        self._calls += 1
        # Thousands of tiny reads say no more than hundreds.
        least = 1 if self._calls < 500 else 4096
        return self._file.read(min(size, max(least, self._sizes[self._calls % len(self._sizes)])))


class Anywhere(Stream):
    """The same, and can be asked for any place, as a store's objects can."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        super().__init__(data, sizes)
        self._data = data

    def length(self) -> int:
        return len(self._data)

    def read_at(self, start: int, size: int, /) -> bytes:
        return self._data[start : start + size]
