"""What codecs decode: good files of each format, in any pieces, and zip archives."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import random
import shutil
import subprocess
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.codecs import CHUNK_BYTES, HEAD_BYTES, choose_codec, get_codec
from pipeline.storage import PlainStore
from tests.fixtures.codecs import COMPRESSED, LINE, SMALL, STREAMING, ShortReads, compress, decode, fault
from tests.fixtures.files import zipped

STORE = PlainStore()


# Good files


@pytest.mark.parametrize("codec", ["plain", *COMPRESSED])
def test_a_good_file_comes_back(codec):
    data = compress(codec, SMALL)
    assert decode(codec, data) == SMALL
    assert b"".join(get_codec(codec).decode(ShortReads(data))) == SMALL
    assert choose_codec(data, "x") is get_codec(codec)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["plain", *COMPRESSED]), st.binary(max_size=300), st.integers(0, 3000), st.integers(0, 99)
)
def test_any_bytes_come_back_from_short_reads(codec, block, repeats, seed):
    if codec == "zip":
        block = block.replace(b"\0", b" ")  # a member that holds NULs is taken for no text
    raw = b"{" + block * repeats + b"}"  # begins like no format
    chunks = list(get_codec(codec).decode(ShortReads(compress(codec, raw), seed)))
    assert b"".join(chunks) == raw
    assert all(0 < len(chunk) <= CHUNK_BYTES for chunk in chunks)


@pytest.mark.parametrize("codec", STREAMING)
@pytest.mark.parametrize("members", [2, 300])
def test_streams_one_after_another_are_one_file(codec, members):
    data = compress(codec, SMALL) * members
    assert decode(codec, data) == SMALL * members
    assert b"".join(get_codec(codec).decode(ShortReads(data))) == SMALL * members


@pytest.mark.parametrize("codec", STREAMING)
def test_an_empty_stream_among_others_is_fine(codec):
    assert decode(codec, compress(codec, b"") + compress(codec, SMALL) + compress(codec, b"")) == SMALL


def test_large_raw_data_comes_in_bounded_chunks():
    raw = random.Random(2).randbytes(1_500_000).hex().encode() + b"0" * 3_000_000
    for codec in COMPRESSED:
        chunks = list(get_codec(codec).decode(io.BytesIO(compress(codec, raw))))
        assert b"".join(chunks) == raw
        assert max(map(len, chunks)) <= CHUNK_BYTES


@pytest.mark.parametrize("codec", COMPRESSED)
def test_a_bomb_takes_no_memory(codec):
    size = 200 << 20
    data = _bomb(codec, size)
    tracemalloc.start()
    total = 0
    for chunk in get_codec(codec).decode(io.BytesIO(data)):
        assert len(chunk) <= CHUNK_BYTES
        total += len(chunk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == size
    assert peak < 24 << 20


def _bomb(codec: str, size: int) -> bytes:
    piece = b"{" * (1 << 20)
    if codec == "zip":
        buffer = io.BytesIO()
        with (
            zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive,
            archive.open("bomb.json", "w") as member,
        ):
            for _ in range(size >> 20):
                member.write(piece)
        return buffer.getvalue()
    made = {
        "bz2": lambda: bz2.BZ2Compressor(1),
        "gzip": lambda: zlib.compressobj(1, wbits=31),
        "xz": lambda: lzma.LZMACompressor(preset=0),
        "zstd": lambda: zstandard.ZstdCompressor().compressobj(),
    }[codec]()
    return b"".join(made.compress(piece) for _ in range(size >> 20)) + made.flush()


PROGRAMS = {"bz2": "bzip2", "gzip": "gzip", "xz": "xz", "zstd": "zstd"}


@pytest.mark.parametrize(("codec", "command"), [item for item in PROGRAMS.items() if shutil.which(item[1])])
def test_what_the_usual_programs_make_is_read(codec, command):
    data = subprocess.run([command, "-c"], input=SMALL, capture_output=True, check=True).stdout
    assert decode(codec, data * 2) == SMALL * 2


def test_a_gzip_header_with_every_field_survives_short_reads():
    head = b"\x1f\x8b\x08\x1e" + bytes(4) + b"\0\xff" + b"\x05\0extra" + b"name" * 10 + b"\0" + b"comment\0"
    head += (zlib.crc32(head) & 0xFFFF).to_bytes(2, "little")
    data = (head + gzip.compress(SMALL)[10:]) * 3
    for seed in range(20):
        assert b"".join(get_codec("gzip").decode(ShortReads(data, seed))) == SMALL * 3


def test_a_gzip_log_of_many_tiny_members_is_read_in_linear_time():
    member = gzip.compress(LINE)
    assert decode("gzip", member * 40_000) == LINE * 40_000


@pytest.mark.parametrize("sizes", [[0], [5], [100_000, 3]])
def test_zstd_frames_to_be_skipped_are_skipped(sizes):
    skippable = b"".join(b"\x5a\x2a\x4d\x18" + n.to_bytes(4, "little") + bytes(n) for n in sizes)
    frame = compress("zstd", SMALL)
    assert decode("zstd", skippable + frame + skippable + frame) == SMALL * 2
    assert choose_codec(skippable + frame, "x.zst").name == "zstd"
    assert "cut off" in fault("zstd", frame + skippable[:-1])


@pytest.mark.parametrize("checksum", [True, False])
@pytest.mark.parametrize("known_size", [True, False])
def test_zstd_frames_of_every_outline_are_read(checksum, known_size):
    raw = random.Random(3).randbytes(400_000) + LINE * 20_000 + bytes(700_000)
    compressor = zstandard.ZstdCompressor(write_checksum=checksum, write_content_size=known_size)
    made = compressor.compressobj(size=len(raw) if known_size else -1)
    data = b"".join(made.compress(raw[i : i + 9999]) for i in range(0, len(raw), 9999)) + made.flush()
    assert decode("zstd", data) == raw
    assert "cut off" in fault("zstd", data[:-1])


# Zip


def test_members_come_in_order_each_with_its_last_line_ended():
    data = zipped({"b/": b"", "b/2": b"2", "empty": b"", "a/1": b"1\n", "__MACOSX/._2": b"\0", "3": b"3"})
    assert decode("zip", data) == b"2\n1\n3"


def test_a_compressed_member_is_decoded_one_layer_deep():
    data = zipped({f"1.{codec}": compress(codec, b"%s\n" % codec.encode()) for codec in STREAMING})
    assert decode("zip", data) == b"bz2\ngzip\nxz\nzstd\n"
    assert "the zip's member 'in.zip': is a zip within a zip" in fault("zip", zipped({"in.zip": data}))
    assert "the zip's member '1.bz2': is named .bz2 but is not bz2" in fault(
        "zip", zipped({"1.bz2": b"text"})
    )
    cut = zipped({"1.bz2": bz2.compress(SMALL)[:-4]})
    assert "the zip's member '1.bz2': the bz2 data is cut off after" in fault("zip", cut)


def test_a_member_that_cannot_be_read_is_named():
    encrypted = bytearray(zipped({"1.json": SMALL}))
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    assert "the zip's member '1.json': is encrypted" in fault("zip", bytes(encrypted))
    unknown = bytearray(zipped({"1.json": SMALL}))
    unknown[unknown.index(b"PK\x01\x02") + 10] = 77
    assert "'1.json': uses compression method 77, which is not supported" in fault("zip", bytes(unknown))
    stored = bytearray(zipped({"1.json": SMALL}, zipfile.ZIP_STORED))
    stored[100] ^= 1
    assert "the zip's member '1.json': is cut off or corrupt (Bad CRC-32" in fault("zip", bytes(stored))


def test_what_follows_a_zip_is_found_but_a_comment_is_fine():
    data = zipped({"1.json": SMALL})
    assert fault("zip", data + b"junk") == "4 bytes of something else follow the end of the zip archive"
    buffer = io.BytesIO(data)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = b"made by hand"
    assert decode("zip", buffer.getvalue()) == SMALL
    assert "cut off in the comment" in fault("zip", buffer.getvalue()[:-1])


def test_an_archive_without_members_is_a_fault():
    assert fault("zip", zipped({})) == "the zip archive holds no files"
    assert "decompresses to nothing" in fault("zip", zipped({"folder/": b""}))


# Real files, when they are at hand

REAL = Path(os.environ.get("CHIMERA_REAL_DATA") or Path(__file__).parents[3] / "shared" / "data" / "betfair")


def real_files() -> list[dict[str, str]]:
    manifest = REAL / "MANIFEST.tsv"
    if not manifest.exists():
        return []
    head, *rows = (line.split("\t") for line in manifest.read_text().splitlines())
    return [dict(zip(head, row, strict=True)) for row in rows]


if real_files():

    @pytest.mark.parametrize("row", real_files(), ids=lambda row: row["file"])
    def test_real_files_decode_to_the_bytes_they_should(row):
        data = (REAL / row["file"]).read_bytes()
        raw = b"".join(choose_codec(data[:HEAD_BYTES], row["file"]).decode(io.BytesIO(data)))
        assert len(raw) == int(row["raw_bytes"])
        assert hashlib.sha256(raw).hexdigest().startswith(row["raw_sha256"])
