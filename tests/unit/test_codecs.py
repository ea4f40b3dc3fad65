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
import sys
import tracemalloc
import types
import zipfile
import zlib
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.codecs import CHUNK_BYTES, HEAD_BYTES, Codec, choose_codec, codec_names, get_codec
from pipeline.codecs.formats import MAGIC
from pipeline.codecs.stream import BufferedStream
from pipeline.errors import BadFileError, HoldsFilesError, SettingsError, StorageError, UnknownNameError
from pipeline.storage import PlainStore
from tests.fixtures.tars import Put, tar

STORE = PlainStore()

LINE = b'{"op":"mcm","id":1,"clk":"AAA","pt":1577836800000}\n'
SMALL = LINE * 20 + random.Random(1).randbytes(60).hex().encode() + b"\n"
STREAMING = ["bz2", "gzip", "xz", "zstd"]
COMPRESSED = [*STREAMING, "zip"]


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def compress(codec: str, raw: bytes) -> bytes:
    return {
        "plain": lambda: raw,
        "bz2": lambda: bz2.compress(raw),
        "gzip": lambda: gzip.compress(raw, mtime=0),
        "xz": lambda: lzma.compress(raw),
        "zstd": lambda: zstandard.ZstdCompressor(write_checksum=True).compress(raw),
        "zip": lambda: zipped({"1.1.json": raw}),
    }[codec]()


class ShortReads:
    """A stream that gives as few bytes as it likes, and cannot seek."""

    def __init__(self, data: bytes, seed: int = 0) -> None:
        self._file, self._random = io.BytesIO(data), random.Random(seed)

    def read(self, size: int, /) -> bytes:
        return self._file.read(min(size, self._random.choice([1, 2, 3, 7, 100, 5000])))


def decode(codec: str, data: bytes) -> bytes:
    return b"".join(get_codec(codec).decode(io.BytesIO(data)))


def fault(codec: str, data: bytes, kept: list[bytes] | None = None) -> str:
    kept = [] if kept is None else kept
    with pytest.raises(BadFileError) as caught:
        kept.extend(get_codec(codec).decode(io.BytesIO(data)))
    return str(caught.value)


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


# Faults


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


# Choosing


@pytest.mark.parametrize("codec", ["plain", *COMPRESSED])
@pytest.mark.parametrize("name", ["x", "x.json", "x.bz2", "x.gz", "X.ZST", "x.zip", "a.b/x"])
def test_the_magic_number_wins_over_the_name(codec, name):
    head = compress(codec, SMALL)
    if codec == "plain" and "." in name.rpartition("/")[2] and not name.endswith(".json"):
        with pytest.raises(BadFileError, match=r'is named \.\w+ but is not \w+: it begins with "\{"op"'):
            choose_codec(head, name)
    else:
        assert choose_codec(head, name).name == codec


@pytest.mark.parametrize(
    ("head", "name", "says"),
    [
        (b"", "x.bz2", "is empty (0 bytes)"),
        (b"", "x", "is empty (0 bytes)"),
        (LINE, "x.bz2", 'is named .bz2 but is not bz2: it begins with "{"op":"mcm","id""'),
        (b"\n<!DOCTYPE html><p>", "x.bz2", "is named .bz2 but is not bz2: it is an HTML page"),
        (b"<HTML>", "x.gz", "is an HTML page"),
        (bytes(512), "x.bz2", "is named .bz2 but is not bz2"),
        (b"BZh9 is how bz2 begins", "x.bz2", "is named .bz2 but is not bz2"),
        (b"7z\xbc\xaf\x27\x1c", "x", "is 7z, which is not read; "),
        (b"Rar!\x1a\x07\x01\0", "x.bz2", "is rar, which is not read; "),
        (b"PAR1\x15\x04", "x.parquet", "is parquet, which is not read; "),
        (b"\x04\x22\x4d\x18", "x.lz4", "is lz4, which is not read; "),
        (b"\xff\x06\0\0sNaPpY", "x.sz", "is snappy, which is not read; "),
        (b"\x1f\x9d\x90", "x.Z", "is compress (.Z), which is not read; "),
        (b"\x8b\x05\x80", "x.br", "is brotli by its name"),
        (b'{"a":"\0"}', "x.json", "is neither text nor in a compressed format that is known"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(head, name, says):
    with pytest.raises(BadFileError) as caught:
        choose_codec(head, name)
    assert says in str(caught.value)


@pytest.mark.parametrize("codec", COMPRESSED)
def test_a_file_cut_off_within_its_magic_number_is_still_that_format(codec):
    suffix = get_codec(codec).suffixes[0]
    head = compress(codec, SMALL)[: len(MAGIC[codec][0]) - 1]
    assert choose_codec(head, f"x{suffix}").name == codec
    assert "cut off" in fault(codec, head)


@pytest.mark.parametrize(
    "text", [b"BZh9 is how bz2 begins", b"PK is how zip begins", b"PAR1, ORC, LZIP\n", "é\n".encode()]
)
def test_text_that_begins_like_a_format_is_text(text):
    assert choose_codec(text, "x.txt").name == "plain"


@pytest.mark.parametrize("codec", ["plain", *COMPRESSED])
@pytest.mark.parametrize("wanted", ["plain", *COMPRESSED])
def test_a_codec_that_is_asked_for_must_fit(codec, wanted):
    head = compress(codec, SMALL)
    if codec == wanted:
        assert choose_codec(head, "x.anything", wanted).name == wanted
    else:
        says = (
            f"is not {wanted}, which the job asks for"
            if codec == "plain"
            else f"is {codec}, but the job asks for"
        )
        with pytest.raises(BadFileError, match=says):
            choose_codec(head, "x.anything", wanted)


def test_plain_that_is_asked_for_may_hold_nuls():
    assert choose_codec(b"a\0b\n", "x", "plain").name == "plain"


def test_only_the_head_is_needed_to_choose():
    assert choose_codec(bz2.compress(random.Random(6).randbytes(200_000))[:HEAD_BYTES], "x.bz2").name == "bz2"


# The registry


def test_codecs_are_known_by_name():
    assert codec_names() == sorted(["plain", *COMPRESSED])
    for name in codec_names():
        assert get_codec(name).name == name
    for name in ("auto", "rot13", ""):
        with pytest.raises(
            UnknownNameError, match=r"no codec is named .* there are: bz2, gzip, plain"
        ) as caught:
            get_codec(name)
        assert caught.value.kind == "codec"


class Rot13(Codec):
    name = "rot13"

    def chunks(self, stream):
        while piece := stream.read(10):
            yield piece.translate(bytes.maketrans(b"abcnop", b"nopabc"))


def test_a_third_party_codec_is_loaded_by_module_and_class(monkeypatch):
    module = types.ModuleType("tiny_codec")
    module.Rot13, module.NotACodec = Rot13, dict
    monkeypatch.setitem(sys.modules, "tiny_codec", module)
    assert b"".join(get_codec("tiny_codec:Rot13").decode(io.BytesIO(b"nop\n"))) == b"abc\n"
    assert choose_codec(bz2.compress(b"x"), "x.rot", "tiny_codec:Rot13").name == "rot13"
    for name, says in [
        ("tiny_codec:Missing", "AttributeError"),
        ("no_such_module:Codec", "No module named 'no_such_module'"),
        ("tiny_codec:NotACodec", "not a class derived from"),
        (":", "cannot be loaded"),
    ]:
        with pytest.raises(SettingsError, match=says):
            get_codec(name)


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
