"""Zips that people make: what the codec that joins their files reads of each is what zipfile reads."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest
import zstandard

from chimera_nb.data.preview import preview
from pipeline.codecs import get_codec
from pipeline.codecs.stream import BufferedStream
from pipeline.ledger import FileRecord
from pipeline.read.file import ReadOptions, read_file
from pipeline.storage import PlainStore
from tests.fixtures.archives import (
    APPLE_DOUBLE,
    BZIP2,
    DEFLATE64,
    DEFLATED,
    DOCX,
    DS_STORE,
    EPUB,
    HTML,
    JPEG,
    LZMA,
    NUMBERS,
    ODS,
    OLE,
    PDF,
    PNG,
    PPTX,
    STORED,
    XLSX_BY_OPENPYXL,
    XLSX_BY_OTHERS,
    XZ,
    ZSTD,
    Made,
    archive,
)
from tests.fixtures.files import lines

STORE = PlainStore()
ONE, TWO = lines(1, 60) + b"\n", lines(2, 2000)  # the second without an end
NOISE = random.Random(1).randbytes(9000)
FOLDER = Made("data/", streamed=True)  # as Java's ZipOutputStream writes it: deflated, with sizes after it


def both(method: int = DEFLATED, **how: bool) -> list[Made]:
    return [Made("data/1.json", ONE, method, **how), Made("data/2.json", TWO, method, **how)]


def nested(pack, method: int = STORED, **how: bool) -> list[Made]:
    return [Made("1.101", pack(ONE), method, **how), Made("1.102", pack(TWO), method, **how)]


GOOD: dict[str, bytes] = {
    "deflated": archive(both()),
    "stored": archive(both(STORED)),
    "streamed": archive(both(streamed=True)),
    "streamed without signatures": archive(both(streamed=True, signed=False)),
    "stored and streamed": archive(both(STORED, streamed=True)),
    "stored and streamed without signatures": archive(both(STORED, streamed=True, signed=False)),
    "folders with sizes after them": archive([FOLDER, Made("data/x/", streamed=True), *both(streamed=True)]),
    "zip64 members": archive(both(zip64=True)),
    "zip64 end": archive(both(), zip64_end=True),
    "all at once": archive(
        [FOLDER, Made("data/.DS_Store", DS_STORE), *both(STORED, streamed=True, zip64=True)],
        comment=b"all at once",
        zip64_end=True,
    ),
    "stored bz2 and streamed": archive(nested(bz2.compress, streamed=True)),
    "stored gzip": archive(nested(gzip.compress)),
    "stored xz and zip64": archive(nested(lzma.compress, zip64=True)),
    "deflated zstd": archive(nested(zstandard.ZstdCompressor().compress, DEFLATED, streamed=True)),
    "bzip2": archive(both(BZIP2)),
    "lzma": archive(both(LZMA)),
    "lzma and streamed": archive(both(LZMA, streamed=True, zip64=True)),
    "zstd": archive(both(ZSTD)),
    "xz": archive(both(XZ, streamed=True)),
    "padding after it": archive(both()) + bytes(500) + b"\r\n",
}
BESIDE = {
    "m/.DS_Store": DS_STORE,
    "__MACOSX/m/._1.json": APPLE_DOUBLE,
    "m/._2.json": APPLE_DOUBLE,
    "m/Thumbs.db": OLE,
    "m\\desktop.ini": b"[.ShellClassInfo]\r\n",
    "META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\r\n",
    "terms.pdf": PDF,
    "cover.PNG": PNG,
    "photo.jpeg": JPEG,
    "read me.docx": DOCX,
    "fields.xlsx": XLSX_BY_OTHERS,
    "old.xls": OLE,
    "notes.odt": ODS,
    "index.html": HTML,
    "long.pdf": PDF + NOISE,
    "part.html": b"<div>hello</div>\n",
}
for _name, _content in BESIDE.items():
    GOOD[f"{_name!r} first"] = archive([Made(_name, _content, STORED), *both()])
    GOOD[f"{_name!r} between"] = archive([both()[0], Made(_name, _content, streamed=True), both()[1]])


def laid(folder: Path, data: bytes, name: str = "a.zip") -> str:
    (folder / name).write_bytes(data)
    return str(folder / name)


def read(uri: str) -> tuple[FileRecord, bytes]:
    file = read_file(STORE, uri)
    got = b"".join(file.blocks())
    return file.record, got


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD)
def test_a_job_that_joins_its_files_reads_it_and_a_preview_shows_the_first(tmp_path, data):
    uri = laid(tmp_path, data)
    record, got = read(uri)
    assert (record.status, record.error, record.codec) == ("complete", None, "zip")
    assert got == ONE + TWO + b"\n"
    for most in (1000, len(data)):
        found = preview(uri, max_bytes=most)
        assert found.problem is None
        assert found.lines
        assert b"\n".join(found.lines) in (ONE, TWO)[found.lines[0] in TWO]
        assert found.note == f"the first file of data in the archive: {found.uri.partition('!/')[2]}"


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD)
def test_zipfile_reads_the_same_of_it(data):
    """So that what is made here is what it is said to be."""
    with zipfile.ZipFile(io.BytesIO(data)) as theirs:
        for info in theirs.infolist():
            if info.compress_type in (ZSTD, XZ) or not info.filename.endswith((".json", "1.101", "1.102")):
                continue
            content = theirs.read(info)
            if info.filename.startswith("data/"):
                assert content in (ONE, TWO)


@pytest.mark.parametrize("name", BESIDE)
def test_what_lies_beside_the_data_is_noted(tmp_path, name):
    for data in (GOOD[f"{name!r} first"], GOOD[f"{name!r} between"]):
        record, _ = read(laid(tmp_path, data))
        assert record.note == f"passed over a file that is no data: {name!r}"


def test_of_many_files_beside_the_data_a_few_are_named(tmp_path):
    made = [Made(f"__MACOSX/{n}", APPLE_DOUBLE) for n in range(2000)]
    record, got = read(laid(tmp_path, archive([*made, *both()])))
    assert got == ONE + TWO + b"\n"
    assert record.note == (
        "passed over 2,000 files that are no data: '__MACOSX/0', '__MACOSX/1', '__MACOSX/2' and 1,997 more"
    )


def test_a_note_is_short_however_many_members_have_one_and_whatever_they_are_called(tmp_path):
    made = [Made("x" * 60_000 + str(n), gz(ONE) + b"\n") for n in range(9)]
    made += [Made("y" * 60_000 + ".pdf", PDF)]
    record, got = read(laid(tmp_path, archive(made)))
    assert got == ONE * 9
    assert record.note.endswith("; 6 more members have such notes")
    assert len(record.note) < 1000


# What is no data


def gz(data: bytes) -> bytes:
    return gzip.compress(data)


PAGE = "an HTML page, perhaps an error or a sign-in page that was saved in its place; get the file again"
BAD: dict[str, tuple[str, bytes, str]] = {
    "page as ndjson": ("x.ndjson", HTML, f"is {PAGE}"),
    "page as json": ("x.json", b"\xef\xbb\xbf<HTML lang=en>\n", f"is {PAGE}"),
    "page without a name": ("x", b"<?xml version='1.0'?>\n<!doctype HTML PUBLIC 'x'>", f"is {PAGE}"),
    "page as bz2": ("x.bz2", HTML, f"is named .bz2 but is not bz2: it is {PAGE}"),
    "part of a page, by its name": ("x.HTM", b"<div>\n", f"is {PAGE}"),
    "page in gzip": ("x.json.gz", gz(HTML), f"the gzip data holds {PAGE}"),
    "page in bz2": ("x.bz2", bz2.compress(HTML * 50), f"the bz2 data holds {PAGE}"),
    "page after an empty member": ("x.gz", gz(b"") + gz(b"\n\n") + gz(HTML), f"the gzip data holds {PAGE}"),
    "page as data in a zip": (
        "x.zip",
        archive([Made("1.json", ONE), Made("2.json", HTML)]),
        f"the zip's member '2.json': is {PAGE}",
    ),
    "a store's error": (
        "x.json",
        b"<?xml version='1.0' encoding='UTF-8'?><Error><Code>AccessDenied</Code></Error>",
        "is an error message of a store in XML",
    ),
    "xlsx": ("x.xlsx", XLSX_BY_OPENPYXL, "is an Office document (.docx, .xlsx, .pptx)"),
    "xlsx as zip": ("x.zip", XLSX_BY_OTHERS, "is an Excel workbook (.xlsx); save its tables as CSV"),
    "xlsx as ndjson": ("x.ndjson", XLSX_BY_OTHERS, "is an Excel workbook (.xlsx)"),
    "docx": ("x.bz2", DOCX, "is an Office document"),
    "pptx": ("x.pptx", PPTX, "is an Office document"),
    "ods": ("x.ods", ODS, "is an OpenDocument file (.odt, .ods, .odp)"),
    "epub": ("x.epub", EPUB, "is an e-book (.epub)"),
    "numbers": ("x.numbers", NUMBERS, "is a Pages, Numbers or Keynote document"),
    "xlsx in gzip": ("x.gz", gz(XLSX_BY_OPENPYXL), "the gzip data holds an Office document"),
    "pdf": ("x.ndjson", PDF, "is a PDF document; leave it out of the selection"),
    "pdf as bz2": ("x.bz2", PDF, "is named .bz2 but is not bz2: it is a PDF document"),
    "ole": ("x.json", OLE, "is an old Office file (.doc, .xls, .ppt)"),
    "rtf": ("x", b"{\\rtf1\\ansi hello}", "is a rich text document (.rtf)"),
    "picture": ("x.json", JPEG, "is a picture"),
    "picture in xz": ("x.xz", lzma.compress(PNG), "the xz data holds a picture"),
    "nothing but clutter": (
        "x.zip",
        archive([FOLDER, Made("m/.DS_Store", DS_STORE), Made("__MACOSX/x", APPLE_DOUBLE)]),
        "the zip archive holds no data, only 'm/.DS_Store', '__MACOSX/x'",
    ),
    "nothing but a pdf": ("x.zip", archive([Made("a.pdf", PDF)]), "holds no data, only 'a.pdf'"),
    "nothing but folders": ("x.zip", archive([FOLDER]), "the zip file decompresses to nothing"),
    "no members": ("x.zip", archive([]), "the zip archive holds no files"),
    "a zip in it": (
        "x.zip",
        archive([Made("1.json", ONE), Made("b.zip", archive(both()))]),
        "the zip's member 'b.zip': is a zip within a zip; unpack one layer",
    ),
    "deflate64": (
        "x.zip",
        archive(both(DEFLATE64)),
        "the zip's member 'data/1.json': is compressed with Deflate64, as Windows uses for files of 2 GB and more",
    ),
}


@pytest.mark.parametrize(("name", "data", "says"), BAD.values(), ids=BAD)
def test_what_holds_no_data_is_failed_with_what_it_is_and_a_preview_says_the_same(tmp_path, name, data, says):
    uri = laid(tmp_path, data, name)
    record, got = read(uri)
    assert (record.status, got) == ("failed", b"")
    assert says in record.error
    if not data.startswith(b"PK") or preview(uri).codec not in {
        "zip",
        "plain",
    }:  # of an archive its first file is shown
        assert preview(uri).problem == record.error
        if len(data) > 2000:
            assert preview(uri, max_bytes=1500).problem == record.error


def test_a_method_that_is_not_read_is_told_with_a_remedy(tmp_path):
    assert read(laid(tmp_path, archive(both(DEFLATE64))))[0].error.endswith(
        "(method 9), which is not supported; unpack the archive with unzip or 7-Zip, and compress what is in it again "
        "as gzip, bz2 or zip"
    )


def test_of_an_office_file_no_line_is_kept_where_the_lines_before_a_fault_are_wanted(tmp_path):
    uri = laid(tmp_path, XLSX_BY_OTHERS)
    file = read_file(STORE, uri, ReadOptions(keep_partial=True))
    assert (file.record.status, b"".join(file.blocks())) == ("failed", b"")


@pytest.mark.parametrize(
    "text",
    [
        b'{"page":"<html>"}\n',
        b"<htmlish>\n",
        b"<doc id=1>\n",
        b"<134>Oct 11 22:14:15 host su: failed\n",
        b"[Content_Types].xml\n",
        b"%PDF is how one begins\n",
        b"{\\u0022a\\u0022:1}\n",
    ],
)
def test_text_that_only_looks_like_a_document_is_text(tmp_path, text):
    for name in ("x", "x.ndjson", "x.pdf"):
        record, got = read(laid(tmp_path, text, name))
        assert (record.status, got) == ("complete", text)
    record, got = read(laid(tmp_path, archive([Made("x.pdf", text), Made("y", text)])))
    assert (record.status, got) == ("complete", text * 2)


def test_a_document_that_is_named_as_data_is_not_passed_over(tmp_path):
    for name, content in [("2.json", one) for one in (PDF, PNG, OLE, XLSX_BY_OTHERS)] + [
        ("2.pdf", archive(both()))
    ]:
        record, got = read(laid(tmp_path, archive([Made("1.json", ONE), Made(name, content)])))
        assert (record.status, got) == ("failed", b"")
        assert record.error.startswith(f"the zip's member {name!r}: is ")


# What follows the end

PACK = {
    "bz2": bz2.compress,
    "gzip": gz,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("padding", [b"\0" * 7, b"\r\n", b"\n", b"\0" * 70_000 + b"\n", b"\x1a"])
@pytest.mark.parametrize("codec", PACK)
def test_padding_after_a_good_file_is_noted_and_nothing_is_lost(tmp_path, codec, padding):
    stored = PACK[codec](ONE)
    count = "a byte" if len(padding) == 1 else f"{len(padding):,} bytes"
    note = f"left out {count} of padding (zeros, line ends, blanks) behind the {codec} data"
    if codec == "xz" and padding == b"\0" * 70_000 + b"\n":
        note = note.replace("70,001 bytes", "a byte")  # of which the format itself has the zeros in fours
    for data in (stored + padding, PACK[codec](b"") + stored + padding):
        uri = laid(tmp_path, data, f"x.{codec}")
        record, got = read(uri)
        assert (record.status, got, record.size) == ("complete", ONE, len(data))
        assert note in record.note
        assert preview(uri).note == record.note
    record, got = read(laid(tmp_path, stored + padding + PACK[codec](TWO), f"x.{codec}"))
    assert (record.status, got) == ("complete", ONE + TWO + b"\n")
    record, got = read(laid(tmp_path, archive([Made("a", stored + padding), Made("b", ONE)])))
    assert got == ONE * 2
    assert note in record.note


@pytest.mark.parametrize("codec", PACK)
def test_a_member_that_is_cut_off_behind_padding_is_still_a_failure(tmp_path, codec):
    second = PACK[codec](b"second\n")
    for size in range(1, len(second)):
        record, got = read(laid(tmp_path, PACK[codec](ONE) + b"\r\n" + second[:size], f"x.{codec}"))
        assert (record.status, got) == ("failed", b"")
        assert "cut off" in record.error, size
    record, _ = read(laid(tmp_path, PACK[codec](ONE) + b"\n\ntail\n", f"x.{codec}"))
    assert record.error == f"7 bytes of something else follow the end of the {codec}"


# Methods


@pytest.mark.parametrize("method", [DEFLATED, BZIP2, LZMA, ZSTD, XZ])
def test_a_member_of_any_method_comes_in_bounded_memory(method):
    data = archive([Made("bomb.json", b"{" * (48 << 20), method)])
    tracemalloc.start()
    try:
        assert sum(map(len, get_codec("zip").decode(BufferedStream(io.BytesIO(data))))) == 48 << 20
        assert tracemalloc.get_traced_memory()[1] < 12 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("method", [STORED, DEFLATED, BZIP2, LZMA, ZSTD, XZ])
def test_a_member_of_any_method_that_was_changed_is_found(tmp_path, method):
    content = ONE * 3
    data = archive([Made("1.json", content, method)])
    start = data.index(b"1.json") + len("1.json")
    for at in range(start, data.index(b"PK\1\2"), 7):
        spoiled = bytearray(data)
        spoiled[at] ^= 0x40
        record, got = read(laid(tmp_path, bytes(spoiled)))
        if record.status == "complete":
            assert got == content
        else:
            assert record.error.startswith("the zip's member '1.json': ")


def test_an_empty_frame_within_a_member_does_not_end_it(tmp_path):
    pack = zstandard.ZstdCompressor(write_checksum=True).compress
    content = pack(b"") + pack(ONE) + pack(b"") + pack(TWO)
    data = bytearray(archive([Made("1.json", content, STORED)]))
    entry = data.index(b"PK\1\2")
    struct.pack_into("<H", data, entry + 10, ZSTD)
    struct.pack_into("<L", data, entry + 16, zlib.crc32(ONE + TWO))
    struct.pack_into("<L", data, entry + 24, len(ONE + TWO))
    record, got = read(laid(tmp_path, bytes(data)))
    assert (record.error, got) == (None, ONE + TWO + b"\n")


def test_lzma_takes_no_more_memory_than_the_member_has_bytes(tmp_path):
    data = bytearray(archive([Made("1.json", ONE, LZMA)]))
    at = data.index(b"\x09\x14\x05\0") + 5
    data[at : at + 4] = b"\xff\xff\xff\xff"  # its dictionary: 4 GiB
    record, got = read(laid(tmp_path, bytes(data)))
    assert (record.status, got) == ("complete", ONE)
    entry = data.index(b"PK\1\2")
    data[entry + 24 : entry + 28] = struct.pack("<L", 3 << 30)  # and the member's size
    record, _ = read(laid(tmp_path, bytes(data)))
    assert "needs 3,072 MiB of memory to be unpacked, and 256 is the most that is given" in record.error


def test_lzma_without_a_mark_at_its_end_ends_where_the_directory_says(tmp_path):
    whole = lzma.compress(ONE, lzma.FORMAT_ALONE, preset=1)
    properties, body = whole[:5], whole[13:]
    content = b"\x09\x14" + struct.pack("<H", 5) + properties + body
    at = Made("1.json", content, STORED)
    data = bytearray(archive([at, Made("2.json", TWO)]))
    # The entries say LZMA, the raw size and its checksum; what is stored is LZMA data.
    entry = data.index(b"PK\1\2")
    struct.pack_into("<H", data, entry + 10, LZMA)
    struct.pack_into("<L", data, entry + 16, zlib.crc32(ONE))
    struct.pack_into("<L", data, entry + 24, len(ONE))
    record, got = read(laid(tmp_path, bytes(data)))
    assert (record.error, got) == (None, ONE + TWO + b"\n")
