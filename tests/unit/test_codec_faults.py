"""Files that are cut off, corrupt, or no such format: found by the codec, and named."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import zlib

import pytest
import zstandard

from pipeline.codecs import choose_codec, codec_names, get_codec
from pipeline.codecs.stream import BufferedStream
from pipeline.errors import BadFileError, HoldsFilesError, StorageError
from tests.fixtures.codecs import COMPRESSED, LINE, SMALL, STREAMING, compress, decode, fault
from tests.fixtures.tars import Put, tar


@pytest.mark.parametrize("codec", COMPRESSED)
def test_a_file_cut_off_anywhere_is_found_and_what_came_before_is_given(codec):
    data = compress(codec, SMALL)
    for size in range(1, len(data)):
        kept: list[bytes] = []
        reason = fault(codec, data[:size], kept)
        assert "cut off" in reason, (size, reason)
        assert SMALL.startswith(b"".join(kept))


@pytest.mark.parametrize("codec", STREAMING)
def test_a_second_stream_cut_off_anywhere_is_found(codec):
    data = compress(codec, SMALL)
    for size in range(1, len(data)):
        kept: list[bytes] = []
        reason = fault(codec, data + data[:size], kept)
        assert f"cut off after {len(b''.join(kept)):,} unpacked bytes" in reason, (size, reason)
        assert (SMALL * 2).startswith(b"".join(kept))
        assert b"".join(kept).startswith(SMALL)


def test_the_reason_says_how_far_it_came():
    raw = random.Random(4).randbytes(1_000_000).hex().encode()
    kept: list[bytes] = []
    reason = fault("bz2", bz2.compress(raw)[:-5], kept)
    assert reason == "the bz2 data is cut off after 2,000,000 unpacked bytes"
    assert b"".join(kept) == raw


@pytest.mark.parametrize("codec", COMPRESSED)
def test_a_flipped_bit_is_found_or_harmless(codec):
    data = compress(codec, SMALL)
    for at in range(len(data)):
        for bit in (1, 128):
            bad = bytearray(data)
            bad[at] ^= bit
            try:
                raw = decode(codec, bytes(bad))
            except BadFileError as e:
                assert str(e)  # noqa: PT017  (most flips raise, a few are in fields that carry nothing)
            else:
                assert raw == SMALL, (at, bit)


@pytest.mark.parametrize("codec", STREAMING)
def test_a_fault_late_in_a_large_file_keeps_what_came_before(codec):
    raw = random.Random(5).randbytes(2_000_000).hex().encode()
    data = bytearray(compress(codec, raw))
    data[len(data) * 3 // 4] ^= 255
    kept: list[bytes] = []
    assert "corrupt after" in fault(codec, bytes(data), kept)
    # What the fault spoils is the chunk it is in; bz2 and xz find a fault at the end of a block or a stream only.
    good = len(b"".join(kept))
    assert good > (0 if codec == "xz" else len(raw) // 2)


@pytest.mark.parametrize("codec", STREAMING)
@pytest.mark.parametrize("junk", [b"x", b"junk" * 50_000, b"<html>"])
def test_what_follows_the_end_is_found(codec, junk):
    kept: list[bytes] = []
    reason = fault(codec, compress(codec, SMALL) + junk, kept)
    assert reason == f"{len(junk):,} bytes of something else follow the end of the {codec}"
    assert b"".join(kept) == SMALL


@pytest.mark.parametrize("count", [1, 4, 300_000])
@pytest.mark.parametrize("codec", STREAMING)
def test_nuls_after_the_end_are_noted_but_where_the_format_has_them(codec, count):
    data = compress(codec, SMALL) + bytes(count)
    intake = BufferedStream(io.BytesIO(data))
    assert b"".join(get_codec(codec).decode(intake)) == SMALL
    assert bool(intake.notes) is (codec != "xz" or count == 1)
    assert decode(codec, data + compress(codec, SMALL)) == SMALL * 2


@pytest.mark.parametrize("codec", ["plain", *COMPRESSED])
def test_a_file_that_decodes_to_nothing_is_a_fault(codec):
    assert fault(codec, compress(codec, b"")) == f"the {codec} file decompresses to nothing"


@pytest.mark.parametrize("codec", COMPRESSED)
def test_what_is_no_such_stream_is_named_by_its_first_bytes(codec):
    assert fault(codec, b"hello, world\n")
    if codec != "zip":
        assert fault(codec, b"hello, world\n") == f'is not {codec}: it begins with "hello, world"'


@pytest.mark.parametrize(("inner", "named"), [("bz2", "bz2"), ("gzip", "gzip"), ("zip", "zip")])
def test_a_second_layer_is_refused_instead_of_written_as_lines(inner, named):
    assert f"the gzip data holds {named}, not text" in fault("gzip", gzip.compress(compress(inner, SMALL)))


def test_a_tar_is_told_bare_and_compressed():
    made = tar([Put("1.json", SMALL)])
    assert fault("bz2", bz2.compress(made)).startswith(
        "is an archive (tar in bz2), and the files in it are read"
    )
    with pytest.raises(HoldsFilesError, match=r"is an archive \(tar\), .* chimera ls FILE!/"):
        choose_codec(made, "x.ndjson")
    corrupt = b"2" + made[1:]
    with pytest.raises(BadFileError, match="is a tar archive whose first header is corrupt"):
        choose_codec(corrupt, "x.tar")


def test_an_error_of_the_store_is_not_taken_for_a_bad_file():
    class Broken:
        def read(self, size: int, /) -> bytes:
            raise StorageError("gs://b/x", "went away")

    for codec in codec_names():
        with pytest.raises(StorageError):
            list(get_codec(codec).decode(Broken()))


def test_a_zstd_window_beyond_the_bound_is_refused_with_the_remedy():
    parameters = zstandard.ZstdCompressionParameters(window_log=28, enable_ldm=True)
    made = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    data = made.compress(SMALL) + made.flush()
    assert "needs a window of 256 MiB, and 128 is the most that is given" in fault("zstd", data)


def test_a_zstd_dictionary_is_asked_for_by_its_number():
    words = zstandard.train_dictionary(1024, [LINE * (n % 7 + 1) + b"%d" % n for n in range(500)], dict_id=77)
    assert "needs dictionary 77" in fault("zstd", zstandard.ZstdCompressor(dict_data=words).compress(SMALL))


def test_an_xz_that_asks_for_too_much_memory_is_refused():
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 512 << 20}]
    made = lzma.LZMACompressor(filters=[{"id": lzma.FILTER_LZMA2, "preset": 0}])
    data = bytearray(made.compress(SMALL) + made.flush())
    # The dictionary's size is one byte of the block header (xz format, 5.3.1); its CRC is mended after.
    at = data.index(b"\x21\x01", 12) + 2
    data[at] = 34  # 512 MiB
    size = (data[12] + 1) * 4
    data[12 + size - 4 : 12 + size] = zlib.crc32(data[12 : 12 + size - 4]).to_bytes(4, "little")
    assert filters[0]["dict_size"] == 512 << 20
    assert "needs 513 MiB of memory, for its dictionary, and 256 MiB is the most" in fault("xz", bytes(data))
