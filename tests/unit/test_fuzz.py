"""A short run of the fuzzer, and what its long runs have found. `python -m tests.fuzz --seconds 600` is a long one."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
import zlib
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.codecs.formats import MAGIC_BYTES
from tests.fixtures.tars import Put, tar
from tests.fuzz.properties import PROPERTIES, check_file, check_lines, decoded
from tests.fuzz.streams import bz2_member, gzip_member, xz_member, zstd_member


@pytest.mark.parametrize("name", PROPERTIES)
def test_what_the_library_refuses_is_refused_and_what_it_accepts_gives_the_same_bytes(name):
    check, strategies = PROPERTIES[name]

    @settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.tuples(*strategies))
    def run(arguments):
        check(*arguments)

    run()


# What it has found


TAR = tar([Put("1.json", b'{"a":1}\n' * 64)])
MEMBERS = {"bz2": bz2_member, "gzip": gzip_member, "xz": xz_member, "zstd": zstd_member}


@pytest.mark.parametrize("codec", MEMBERS)
@pytest.mark.parametrize("first", [1, 12, MAGIC_BYTES - 1])
def test_a_further_layer_that_begins_in_a_member_of_few_bytes_is_known(codec, first):
    data = MEMBERS[codec](TAR[:first], 4) + MEMBERS[codec](TAR[first:], 4)
    raw, fault = decoded(codec, data)
    assert raw == b""
    assert fault.startswith(f"is an archive (tar in {codec}), and the files in it are read one by one")
    inner = gzip.compress(b"x\n")
    data = MEMBERS[codec](inner[:2], 4) + MEMBERS[codec](b"", 4) + MEMBERS[codec](inner[2:], 4)
    assert "holds gzip, not text" in decoded(codec, data)[1]


@pytest.mark.parametrize("codec", MEMBERS)
def test_few_bytes_before_a_fault_are_given_as_many_are(codec):
    raw, fault = decoded(codec, MEMBERS[codec](b'{"a":1}\n', 4) + MEMBERS[codec](b"x" * 90, 4)[:-5])
    assert raw.startswith(b'{"a":1}\n')
    assert "cut off" in fault


@pytest.mark.parametrize(
    ("data", "max_line", "fits"),
    [
        (b"\n\r\r\n", 1, False),
        (b"a\n" + b"b" * 21 + b"\nc\n", 20, False),
        (b"a\n" + b"b" * 20 + b"\nc\n", 20, True),
    ],
)
def test_a_line_over_the_limit_is_refused_wherever_it_is_in_a_chunk(data, max_line, fits):
    assert fits is all(len(line) <= max_line for line in data.split(b"\n"))
    for cuts in ([], [1], [3], [1, 2, 3], list(range(len(data)))):
        check_lines(data, cuts, max_line)


def test_the_checksum_of_a_gzip_header_is_checked_as_gzip_1_does():
    good = gzip_member(b"x\n", 6, 2)
    assert decoded("gzip", good) == (b"x\n", None)
    spoiled = good[:4] + b"\x07" + good[5:]  # a byte of its time
    assert gzip.decompress(spoiled) == b"x\n"
    assert "checksum" in decoded("gzip", spoiled)[1]
    check_file("gzip", spoiled, [1])


@pytest.mark.parametrize("nuls", [4, 8, 400])
def test_the_padding_of_xz_is_no_stream_that_is_cut_off(nuls):
    data = lzma.compress(b"x\n") + bytes(nuls)
    assert decoded("xz", data) == (b"x\n", None)
    assert decoded("xz", data + lzma.compress(b"y\n")) == (b"x\ny\n", None)
    check_file("xz", data, [1])


def test_a_zip_behind_other_bytes_is_read_when_it_is_asked_for():
    buffer = BytesIO(b"#!/bin/sh\n")
    buffer.seek(0, 2)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("a.json", b"x\n")
    check_file("zip", buffer.getvalue(), [7])


def zipped(name: str, content: bytes) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize("content", [b"", b"x\n"])
@pytest.mark.parametrize("renames", ["in the directory", "everywhere"])
def test_a_zip_whose_member_has_no_name_is_one_bad_file_or_a_good_one(content, renames):
    """zipfile ends a name at a NUL, and cannot say of an empty one whether it is a folder's."""
    data = zipped("a.json", content)
    at = data.rindex(b"a.json")
    data = data[:at] + b"\0" + data[at + 1 :]
    data = data.replace(b"a.json", b"\0.json") if renames == "everywhere" else data
    raw, fault = decoded("zip", data)
    if content and renames == "everywhere":
        assert (raw, fault) == (content, None)
    else:
        assert fault
    check_file("zip", data, [1])


def test_a_member_of_one_byte_that_its_name_says_is_bz2_is_cut_off():
    raw, fault = decoded("zip", zipped("b/c.bz2", b"B"))
    assert (raw, fault) == (b"", "the zip's member 'b/c.bz2': the bz2 data is cut off after 0 unpacked bytes")
    check_file("zip", zipped("b/c.bz2", b"B"), [1])


def test_what_is_spoiled_behind_the_first_member_is_not_left_out():
    """bz2 and lzma give the first member and say nothing."""
    for codec, compress, library in (
        ("bz2", bz2.compress, bz2.decompress),
        ("xz", lzma.compress, lzma.decompress),
    ):
        second = bytearray(compress(b"y\n"))
        second[12] ^= 1  # of a block's checksum in one, of a block's header in the other
        data = compress(b"x\n") + bytes(second)
        assert library(data) == b"x\n"
        raw, fault = decoded(codec, data)
        assert raw.startswith(b"x\n")
        assert "corrupt" in fault


def test_the_oracle_makes_members_that_zlib_takes():
    for flags in range(32):
        data = gzip_member(b"x\n", 6, flags, b"extra")
        decoder = zlib.decompressobj(31)
        assert decoder.decompress(data) == b"x\n"
        assert decoder.eof
        check_file("gzip", data * 2, [3])
