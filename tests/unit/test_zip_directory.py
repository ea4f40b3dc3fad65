"""Zip archives whose directory is read a piece at a time, held against zipfile."""

from __future__ import annotations

import io
import random
import struct
import tracemalloc
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.codecs import get_codec
from pipeline.codecs.stream import BufferedStream
from pipeline.errors import BadFileError, StorageError

NAMES = st.sampled_from(["a", "b/c.json", "folder/", "é.json", "__MACOSX/x", "same", "0" * 300])
CONTENTS = st.sampled_from([b"", b"one\n", b"two", b'{"a":1}\n' * 500, b"\xff\n"])
METHODS = st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])


class Anywhere:
    """An archive that can be read in order and at any place; counts the bytes that were asked for by place."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = self.by_place = 0

    def read(self, size: int, /) -> bytes:
        piece = self._data[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def length(self) -> int:
        return len(self._data)

    def read_at(self, start: int, size: int, /) -> bytes:
        self.by_place += size
        return self._data[start : start + size]


def zipped(members: list[tuple[str, bytes, int]], comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content, method in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            archive.writestr(info, content)
        archive.comment = comment
    return buffer.getvalue()


def decoded(stream) -> bytes:
    return b"".join(get_codec("zip").decode(stream))


def by_zipfile(data: bytes) -> bytes:
    """What zipfile gives of the members that count."""
    out = b""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            if info.is_dir() or not info.file_size or info.filename.upper().startswith("__MACOSX/"):
                continue
            out += (b"\n" if out and not out.endswith(b"\n") else b"") + archive.read(info)
    return out


@pytest.mark.filterwarnings("ignore:Duplicate name")
@settings(deadline=None)
@given(
    st.lists(st.tuples(NAMES, CONTENTS, METHODS), min_size=1, max_size=8),
    st.binary(max_size=20),
    st.sampled_from([b"", b"#!/bin/sh\n"]),
)
def test_any_archive_gives_what_zipfile_gives_of_it(members, comment, before):
    data = before + zipped(members, comment.replace(b"PK", b""))
    expected = by_zipfile(data)
    for stream in (Anywhere(data), BufferedStream(Anywhere(data)), io.BytesIO(data)):
        if expected:
            assert decoded(stream) == expected
        else:
            with pytest.raises(
                BadFileError, match=r"decompresses to nothing|holds no data, only '__MACOSX/x'"
            ):
                decoded(stream)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.tuples(NAMES, CONTENTS, METHODS), min_size=1, max_size=4),
    st.integers(0, 2**32),
    st.integers(1, 3),
)
def test_what_zipfile_refuses_of_a_damaged_archive_is_refused_and_what_it_takes_is_the_same(
    members, seed, flips
):
    rng = random.Random(seed)
    stored = bytearray(zipped(members))
    for _ in range(flips):
        stored[rng.randrange(len(stored))] ^= 1 << rng.randrange(8)
    data = bytes(stored)
    try:
        expected: bytes | None = by_zipfile(data)
    except Exception:  # noqa: BLE001 - zipfile has many ways to refuse
        expected = None
    try:
        got: bytes | None = decoded(Anywhere(data))
    except BadFileError:
        return  # the codec refuses more: bytes that follow the end, a layer within, an archive of nothing
    assert got == expected


def many(count: int, content: bytes = b'{"a":1}\n') -> bytes:
    """An archive of so many stored members, with zip64's end record where it needs one."""
    crc, size = zlib.crc32(content), len(content)
    body, directory, at = bytearray(), bytearray(), 0
    for i in range(count):
        name = b"%07d.json" % i
        fields = (0, 0, 0, 33, crc, size, size, len(name), 0)
        directory += struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, *fields, 0, 0, 0, 0, at) + name
        body += struct.pack("<4s5H3L2H", b"PK\3\4", 20, *fields) + name + content
        at = len(body)
    end = (len(directory), len(body))
    ends = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, *end)
    ends += struct.pack("<4sLQL", b"PK\6\7", 0, sum(end), 1)
    ends += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return bytes(body + directory) + ends


def test_a_directory_of_any_length_takes_no_memory_and_is_read_once():
    data = many(66_000)
    assert zipfile.ZipFile(io.BytesIO(many(3))).namelist() == ["0000000.json", "0000001.json", "0000002.json"]
    archive = Anywhere(data)
    tracemalloc.start()
    try:
        lines = sum(chunk.count(b"\n") for chunk in get_codec("zip").decode(archive))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert lines == 66_000
    assert peak < 2 << 20  # the directory itself has 3.8 MB
    assert archive.by_place < 66_000 * 58 + (1 << 20)


def test_members_in_another_order_than_the_directorys_come_in_the_directorys():
    data = zipped([("a", b"1\n", 0), ("b", b"2\n", 8), ("c", b"3\n", 0)])
    start = data.index(b"PK\1\2")
    first = data.index(b"PK\1\2", start + 4)
    second = data.index(b"PK\1\2", first + 4)
    end = data.index(b"PK\5\6")
    turned = data[:start] + data[second:end] + data[first:second] + data[start:first] + data[end:]
    assert decoded(Anywhere(turned)) == by_zipfile(turned) == b"3\n2\n1\n"


def test_two_members_of_one_name_are_both_read():
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = zipped([("a", b"1\n", 0), ("a", b"2\n", 8)])
    assert decoded(Anywhere(data)) == b"1\n2\n"


@pytest.mark.parametrize("cut", [1, 21, 30, 100, 150])
def test_an_archive_that_is_cut_off_is_refused(cut):
    data = zipped([(f"{i}.json", b"x\n" * 20, 8) for i in range(3)])
    with pytest.raises(BadFileError, match="the zip archive is cut off or corrupt"):
        decoded(Anywhere(data[:-cut]))


def test_a_store_that_fails_at_some_place_is_no_fault_of_the_archives():
    data = zipped([("a", b"1\n", 8), ("b", b"2\n", 8)])

    class Failing(Anywhere):
        def read_at(self, start: int, size: int, /) -> bytes:
            if start < len(data) // 2:
                raise StorageError("gs://b/a.zip", "the store does not answer")
            return super().read_at(start, size)

    start = data.index(b"PK\1\2")
    first = data.index(b"PK\1\2", start + 4)
    end = data.index(b"PK\5\6")
    turned = data[:start] + data[first:end] + data[start:first] + data[end:]
    with pytest.raises(StorageError, match="does not answer"):
        decoded(Failing(turned))
