"""The usual header of a tar's file, read as tarfile reads it."""

import random
import tarfile

import pytest

from pipeline.codecs.tar_header import usual_file


def read(data):
    """Name and size, where a header is that of a file; else that it is not, or none."""
    try:
        info = tarfile.TarInfo.frombuf(data, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return None
    return (info.name, info.size) if info.isfile() else None


def usual(data):
    return usual_file(data, "utf-8", "surrogateescape")


def headers():
    names = ["a", "ä/1.130.bz2", "x" * 99, "x" * 100, "f" * 60 + "/" + "n" * 70, "n\udcff.bz2"]
    for name in names:
        for size in (0, 1, 0o7777, 8**11 - 1):
            info = tarfile.TarInfo(name)
            info.size, info.mtime = size, 1_700_000_000
            for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
                yield info.tobuf(form, "utf-8", "surrogateescape")[-512:]


@pytest.mark.parametrize("ending", [b"\0 ", b" \0", b"  ", b"\0\0"])
def test_a_header_is_what_tarfile_makes_of_it(ending):
    for data in headers():
        ended = data[:154] + ending + data[156:]
        assert usual(ended) == read(ended) is not None


def test_a_header_that_is_damaged_is_what_tarfile_makes_of_it_or_no_usual_one():
    r = random.Random(7)
    for data in headers():
        for _ in range(50):
            damaged = bytearray(data)
            damaged[r.randrange(512)] = r.choice((0, 32, 48, 55, 56, 128, 255))
            cut = bytes(damaged[: r.choice((512, 512, 512, 511, 300, 0))])
            assert usual(cut) in (None, read(cut))
