"""The headers of a tar, read as tarfile reads them."""

import random
import tarfile

import pytest

from pipeline.codecs.tar_header import Header


def read(of, data):
    """What a header says, or that it says nothing."""
    try:
        info = of.frombuf(data, "utf-8", "surrogateescape")
    except tarfile.HeaderError as e:
        return type(e)
    return info.name, info.size, info.type, info.isfile()


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
        assert read(Header, ended) == read(tarfile.TarInfo, ended)


def test_a_header_that_is_damaged_is_what_tarfile_makes_of_it():
    r = random.Random(7)
    for data in headers():
        for _ in range(50):
            damaged = bytearray(data)
            damaged[r.randrange(512)] = r.choice((0, 32, 48, 55, 56, 128, 255))
            cut = bytes(damaged[: r.choice((512, 512, 512, 511, 300, 0))])
            assert read(Header, cut) == read(tarfile.TarInfo, cut)
