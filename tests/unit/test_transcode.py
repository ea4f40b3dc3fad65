"""Text in UTF-16 and UTF-32 is read as UTF-8, wherever it is, and noted; what is spoiled in it is a fault."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import zipfile

import pytest
import zstandard

from chimera_nb.data.preview import preview
from pipeline.codecs import CHUNK_BYTES, choose_codec, get_codec
from pipeline.codecs.stream import BufferedStream
from pipeline.errors import BadFileError
from pipeline.read.file import read_file
from pipeline.storage import PlainStore

STORE = PlainStore()
TEXT = '{"op":"mcm","n":"é🐎日"}\r\n{"op":"mcm","n":1}\n'
ENCODINGS = ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]


def zipped(raw: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("1.json", raw)
        archive.writestr("2.json", b'{"plain":1}\n')
    return buffer.getvalue()


PACKED = {
    "json": lambda raw: raw,
    "json.gz": gzip.compress,
    "json.bz2": bz2.compress,
    "json.xz": lzma.compress,
    "json.zst": zstandard.ZstdCompressor().compress,
}


def decoded(data: bytes, name: str = "x.json") -> tuple[bytes, list[str]]:
    intake = BufferedStream(io.BytesIO(data))
    return b"".join(choose_codec(intake.peek(65536), name).decode(intake)), intake.notes


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("kind", PACKED)
@pytest.mark.parametrize("mark", ["\ufeff", ""], ids=["marked", "by its zeros"])
def test_it_is_read_as_utf8_and_noted(tmp_path, encoding, kind, mark):
    path = tmp_path / f"x.{kind}"
    path.write_bytes(PACKED[kind]((mark + TEXT).encode(encoding)))
    file = read_file(STORE, str(path))
    assert b"".join(file.blocks()) == TEXT.encode()
    record = file.record
    assert (record.status, record.lines, record.raw_bytes) == ("complete", 2, len(TEXT.encode()))
    name, known = encoding[:6].upper(), "its byte order mark" if mark else "its zeros"
    assert record.note == f"is {name} text by {known}, and was read as UTF-8"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_member_of_a_zip_is_read_so_beside_others(encoding):
    raw, _ = decoded(zipped(("\ufeff" + TEXT).encode(encoding)), "x.zip")
    assert raw == TEXT.encode() + b'{"plain":1}\n'


def test_a_preview_shows_it_also_where_it_is_cut_within_a_character(tmp_path):
    path = tmp_path / "x.json"
    path.write_bytes(("\ufeff" + TEXT * 1000).encode("utf-16-le"))
    first = TEXT.splitlines()[0].encode() + b"\r"
    for most in (2001, 2003):
        found = preview(str(path), max_bytes=most, store=STORE)
        assert (found.problem, found.lines[0]) == (None, first)
    assert preview(str(path), store=STORE).complete


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 4096])
def test_characters_may_be_cut_anywhere(size):
    class Pieces:
        def __init__(self, data: bytes) -> None:
            self._file = io.BytesIO(data)

        def read(self, _: int, /) -> bytes:
            return self._file.read(size)

    for encoding in ENCODINGS:
        data = ("\ufeff" + TEXT * 50).encode(encoding)
        assert b"".join(get_codec("plain").decode(Pieces(data))) == (TEXT * 50).encode()


def test_chunks_stay_within_their_bound():
    text = "\ufeff" + "日" * 3_000_000
    chunks = list(get_codec("plain").decode(io.BytesIO(text.encode("utf-16-le"))))
    assert b"".join(chunks) == text[1:].encode()
    assert max(map(len, chunks)) <= CHUNK_BYTES


@pytest.mark.parametrize(
    ("data", "kept", "says"),
    [
        (b"\xff\xfe", b"", "holds a byte order mark and no text"),
        (b"\xff\xfe{\0\n\0{", b"{\n", "the UTF-16 text is cut off after 5 unpacked bytes"),
        (b"\xff\xfe{\0\n\0\x00\xd8}\0", b"{\n", "the UTF-16 text is corrupt after 4 unpacked bytes (illegal"),
        (b"\xff\xfe\0\0{\0\0\0\xff\xff\xff\xff", b"{", "the UTF-32 text is corrupt after 4 unpacked bytes"),
    ],
)  # fmt: skip
def test_what_is_spoiled_is_a_fault_that_says_where(data, kept, says):
    given = []
    with pytest.raises(BadFileError) as caught:
        given.extend(get_codec("plain").decode(io.BytesIO(data)))
    assert str(caught.value).startswith(says)
    assert b"".join(given) == kept


def test_binary_data_is_no_text_for_its_zeros():
    rng = random.Random(5)
    for data in (bytes(100), b"a\0b\0c\0\0\0", b"\0\0\0\1" * 50, rng.randbytes(20) + b"\0" * 9):
        with pytest.raises(BadFileError, match="neither text nor in a compressed format"):
            choose_codec(data, "x.json")
