from __future__ import annotations

import bz2
import errno
import gzip
import os
import random
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import progress
from pipeline.errors import AccessDeniedError, StorageError, StoreUnavailableError, TransferError
from pipeline.read import held_lines
from pipeline.read import lines as blocks
from pipeline.read.file import ReadOptions, read_file
from pipeline.storage import Patience, PlainStore, ReadStream, local_streams
from tests.fixtures.files import crc32c, laid, take

STORE = PlainStore()
IMPATIENT = PlainStore(patience=Patience(0))

RNG = random.Random(3)
LINES = b"".join(b'{"id":%d,"x":"%s"}\n' % (i, RNG.randbytes(8).hex().encode()) for i in range(40_000))


@pytest.fixture(autouse=True)
def room(monkeypatch):
    """This process's room in memory. All of it, and of that on disk, must be free again when a test is done."""
    before = held_lines.memory_room._free
    yield held_lines.memory_room
    assert (held_lines.memory_room._free, held_lines.disk_room._taken) == (before, 0)


# Good files


@pytest.mark.parametrize(
    ("name", "packed", "codec"),
    [("a.bz2", bz2.compress, "bz2"), ("a.gz", gzip.compress, "gzip"), ("a", bytes, "plain")],
)
def test_a_good_file_comes_whole_with_its_record(tmp_path, name, packed, codec):
    stored = packed(LINES)
    file = read_file(STORE, laid(tmp_path, name, stored))
    record = file.record
    assert (record.status, record.error, record.note, record.codec) == ("complete", None, None, codec)
    assert (record.size, record.raw_bytes, record.output_bytes) == (len(stored), len(LINES), len(LINES))
    assert (record.lines, record.crc32c, record.generation) == (40_000, crc32c(stored), None)
    assert record.seconds > 0
    assert take(file) == LINES


def test_a_last_line_without_an_end_is_given_one_and_counted(tmp_path):
    file = read_file(STORE, laid(tmp_path, "a.bz2", bz2.compress(b"a\r\n\nb")))
    assert (file.record.lines, file.record.raw_bytes, file.record.output_bytes) == (3, 5, 6)
    assert take(file) == b"a\r\n\nb\n"


def test_a_name_that_says_another_codec_is_noted(tmp_path):
    file = read_file(STORE, laid(tmp_path, "a.bz2", gzip.compress(b"a\n")))
    assert (file.record.status, file.record.codec) == ("complete", "gzip")
    assert file.record.note == "is named .bz2 but its bytes are gzip, and were read as that"
    file.lines.drop()


@pytest.mark.parametrize("name", ["日本.bz2", "a\nb.bz2", " ", "*?[", os.fsdecode(b"\xff.bz2"), "gs:x", "-n"])
def test_a_name_in_any_alphabet_is_read(tmp_path, name):
    file = read_file(STORE, laid(tmp_path, name, bz2.compress(b"a\n")))
    assert (file.record.status, file.record.uri) == ("complete", f"{tmp_path}/{name}")
    assert type(file.record).from_line(file.record.to_line()) == file.record
    assert take(file) == b"a\n"


# Bad files


@pytest.mark.parametrize("keep", [False, True])
def test_a_truncated_file_fails_and_gives_its_whole_lines_only_if_asked(tmp_path, keep):
    stored = bz2.compress(LINES)
    uri = laid(tmp_path, "a.bz2", stored[: len(stored) * 3 // 4])
    file = read_file(STORE, uri, ReadOptions(keep_partial=keep))
    record, lines = file.record, take(file)
    assert record.status == "failed"
    assert record.error.startswith("the bz2 data is cut off after ")
    assert (record.crc32c, record.codec, record.note) == (None, "bz2", None)
    assert 0 < record.raw_bytes < len(LINES)
    assert (record.lines, record.output_bytes) == (lines.count(b"\n"), len(lines))
    if keep:
        assert lines == LINES[: LINES.rfind(b"\n", 0, record.raw_bytes) + 1] != b""
    else:
        assert lines == b""


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.bz2", b"", "is empty"),
        ("a.json", b"", "is empty"),
        ("a.bz2", b"hello\n", "is named .bz2 but is not bz2"),
        ("a.bz2", b"B", "cut off"),
        ("a.bz2", bz2.compress(b""), "decompresses to nothing"),
        ("a.bz2", bz2.compress(b"a\n") + b"rubbish", "bytes of something else follow"),
        ("a.bin", b"\0\1\2", "is neither text nor"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c", "is 7z, which is not read; extract it"),
        ("a.bz2", bz2.compress(gzip.compress(b"a\n", mtime=0)), "holds gzip"),
    ],
)
def test_a_bad_file_is_on_record_with_a_reason(tmp_path, name, data, says):
    file = read_file(STORE, laid(tmp_path, name, data), ReadOptions(keep_partial=True))
    assert file.record.status == "failed"
    assert says in file.record.error
    assert str(tmp_path) not in file.record.error
    file.lines.drop()


def test_a_line_of_no_end_fails_its_file_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(held_lines, "LineCount", lambda: blocks.LineCount(max_line=100))
    file = read_file(STORE, laid(tmp_path, "a", b"a\n" + b"x" * 200))
    assert file.record.error.startswith("holds a line of more than")
    assert take(file) == b""


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["bz2", "gz", "xz", "zst", "zip"]), st.integers(0, 2**32), st.integers(1, 6))
def test_no_damage_raises_or_lets_a_wrong_line_out(tmp_path_factory, room, kind, seed, flips):
    import io
    import lzma
    import zipfile

    import zstandard

    rng, raw = random.Random(seed), LINES[:20_000]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("m", raw)
    stored = bytearray(
        {
            "bz2": bz2.compress(raw),
            "gz": gzip.compress(raw),
            "xz": lzma.compress(raw),
            "zst": zstandard.ZstdCompressor(write_checksum=True).compress(raw),
            "zip": archive.getvalue(),
        }[kind]
    )
    for _ in range(flips):
        stored[rng.randrange(len(stored))] ^= 1 << rng.randrange(8)
    if seed % 3 == 0:
        del stored[rng.randrange(len(stored)) :]
    file = read_file(STORE, laid(tmp_path_factory.mktemp("damaged"), f"a.{kind}", bytes(stored)))
    lines = take(file)
    assert (file.record.status == "complete") == (lines != b"")
    if lines:
        assert lines == raw + b"\n"  # the last line has no end
    else:
        assert file.record.error
        assert (file.record.lines, file.record.output_bytes) == (0, 0)


# The store's faults


def test_a_file_that_is_gone_is_on_record(tmp_path):
    record = read_file(STORE, str(tmp_path / "gone.bz2")).record
    assert (record.status, record.error, record.size) == ("failed", "there is no such file", 0)


def test_a_folder_a_pipe_and_a_link_to_nowhere_are_on_record_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "self").symlink_to("self")
    (tmp_path / "folder").mkdir()
    assert read_file(STORE, str(tmp_path / "pipe")).record.error == "is not a regular file"
    assert read_file(STORE, str(tmp_path / "folder")).record.error == "is not a regular file"
    assert read_file(STORE, str(tmp_path / "dangling")).record.error == "there is no such file"
    assert "symbolic links" in read_file(STORE, str(tmp_path / "self")).record.error


class Faulty(local_streams.FileReader):
    """A file whose store fails after so many bytes, or has a checksum, or gives the first readers less than all."""

    fails_at: int | None = None
    error: type[StorageError] = StoreUnavailableError
    checksum: str | None = None
    cut_for = 0
    meanwhile = None
    opened = 0

    def __init__(self, uri):
        super().__init__(uri)
        type(self).opened += 1
        self._cut = type(self).opened <= self.cut_for

    def _next(self, size):
        if self.meanwhile and self.size:
            type(self).meanwhile, change = None, self.meanwhile
            change()
        if self.fails_at is not None and self.size >= self.fails_at:
            raise self.error(self.uri, "the store does not answer; try again later")
        if self._cut:
            size = min(size, self._stat.st_size // 2 - self.size)
        return super()._next(size)

    def _expected(self):
        size, crc = super()._expected()
        return None if self._cut else size, self.checksum or crc


def faulty(monkeypatch, **fields):
    fields = {k: staticmethod(v) if callable(v) and not isinstance(v, type) else v for k, v in fields.items()}
    made = type("Faulty", (Faulty,), fields)
    monkeypatch.setattr(PlainStore, "open_read", staticmethod(made))
    monkeypatch.setattr("pipeline.storage.patience.time.sleep", lambda _: None)
    return made


@pytest.mark.parametrize("keep", [False, True])
def test_bytes_that_are_not_the_stores_say_nothing_about_the_file(tmp_path, monkeypatch, keep):
    made = faulty(monkeypatch, checksum="AAAAAA==")
    stored = bz2.compress(b"a\nb\n")
    with pytest.raises(
        TransferError, match=re.escape(f"its CRC-32C is {crc32c(stored)} as read and AAAAAA==")
    ):
        read_file(STORE, laid(tmp_path, "a.bz2", stored), ReadOptions(keep_partial=keep))
    assert made.opened == 5


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("packed", [bz2.compress, gzip.compress, bytes])
def test_a_body_cut_short_is_read_again_before_its_codec_is_believed(tmp_path, monkeypatch, packed, keep):
    stored = packed(LINES)
    made = faulty(monkeypatch, cut_for=2, checksum=crc32c(stored))
    before = progress.snapshot()
    file = read_file(STORE, laid(tmp_path, "a.x", stored), ReadOptions(keep_partial=keep))
    assert (file.record.status, file.record.error, file.record.size) == ("complete", None, len(stored))
    assert take(file) == LINES
    assert made.opened == 3
    counted = {k: v - before.get(k, 0) for k, v in progress.snapshot().items()}
    assert (counted["read-bytes"], counted["raw-bytes"]) == (len(stored), len(LINES))


def test_a_file_that_is_stored_cut_off_is_read_once_and_is_bad(tmp_path, monkeypatch):
    stored = bz2.compress(LINES)[:-100_000]
    made = faulty(monkeypatch, checksum=crc32c(stored))
    record = read_file(STORE, laid(tmp_path, "a.bz2", stored)).record
    assert record.error.startswith("the bz2 data is cut off")
    assert made.opened == 1


def test_a_bad_block_in_the_middle_is_believed_once_the_rest_has_been_read(tmp_path, monkeypatch):
    stored = bytearray(bz2.compress(LINES))
    stored[len(stored) // 3] ^= 1
    faulty(monkeypatch, checksum=crc32c(bytes(stored)))
    record = read_file(STORE, laid(tmp_path, "a.bz2", bytes(stored))).record
    assert record.error.startswith("the bz2 data is corrupt")
    assert record.size == len(stored)


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("at", [0, 600_000])
def test_a_store_that_is_away_is_raised_and_leaves_nothing(tmp_path, monkeypatch, keep, at):
    faulty(monkeypatch, fails_at=at)
    with pytest.raises(StoreUnavailableError, match="the store does not answer"):
        read_file(IMPATIENT, laid(tmp_path, "a", LINES), ReadOptions(keep_partial=keep))


@pytest.mark.parametrize("keep", [False, True])
def test_a_file_that_alone_cannot_be_read_is_a_failed_record(tmp_path, monkeypatch, keep):
    faulty(monkeypatch, fails_at=600_000, error=StorageError)
    file = read_file(STORE, laid(tmp_path, "a", LINES), ReadOptions(keep_partial=keep))
    lines = take(file)
    assert file.record.error == "the store does not answer; try again later"
    assert LINES.startswith(lines)
    assert (len(lines) > 500_000) == keep
    assert file.record.lines == lines.count(b"\n")
    assert 600_000 <= file.record.size < len(LINES)


def test_a_file_that_is_refused_with_all_others_is_no_failed_record(tmp_path, monkeypatch):
    faulty(monkeypatch, fails_at=0, error=AccessDeniedError)
    uri = laid(tmp_path, "a", LINES)
    asked = []

    def check_gives(_, refused):
        asked.append(refused)
        raise StoreUnavailableError(refused, "is not given, and nor is anything else there")

    monkeypatch.setattr(PlainStore, "check_gives", check_gives)
    with pytest.raises(StoreUnavailableError, match="nor is anything else"):
        read_file(IMPATIENT, uri)
    assert asked == [uri]


@pytest.mark.parametrize("error", [errno.EMFILE, errno.ENOTCONN, errno.ETIMEDOUT])
def test_a_disk_that_is_away_and_a_process_out_of_files_are_raised(tmp_path, monkeypatch, error):
    uri = laid(tmp_path, "a", LINES)

    def fail(*_, **__):
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(Path, "open", fail)
    with pytest.raises(StoreUnavailableError, match=re.escape(os.strerror(error).lower())):
        read_file(IMPATIENT, uri)


def test_a_file_that_grows_while_it_is_read_is_a_failed_record(tmp_path, monkeypatch):
    uri = laid(tmp_path, "a", LINES)
    info = Path(uri).stat()

    def grow():
        with Path(uri).open("ab") as file:
            file.write(b"more\n")
        os.utime(uri, ns=(info.st_atime_ns, info.st_mtime_ns))  # a clock too coarse to tell

    faulty(monkeypatch, meanwhile=grow)
    file = read_file(STORE, uri)
    assert "it changed or the transfer failed" in file.record.error
    assert take(file) == b""


def test_a_file_that_is_written_over_while_it_is_read_is_a_failed_record(tmp_path, monkeypatch):
    uri = laid(tmp_path, "a", LINES)
    os.utime(uri, ns=(0, 0))
    faulty(monkeypatch, meanwhile=lambda: Path(uri).write_bytes(LINES[::-1]))
    file = read_file(STORE, uri)
    assert file.record.error == "was changed while it was being read; try again"
    assert take(file) == b""


def test_a_file_that_is_cut_while_it_is_read_is_a_failed_record(tmp_path, monkeypatch):
    uri = laid(tmp_path, "a", LINES)
    faulty(monkeypatch, meanwhile=lambda: os.truncate(uri, 300_000))
    assert read_file(STORE, uri).record.status == "failed"


def test_a_file_that_is_replaced_while_it_is_read_is_read_as_it_was(tmp_path, monkeypatch):
    uri, other = laid(tmp_path, "a", LINES), laid(tmp_path, "b", b"other\n")
    faulty(monkeypatch, meanwhile=lambda: Path(other).replace(uri))
    file = read_file(STORE, uri)
    assert file.record.status == "complete"
    assert take(file) == LINES


def test_a_fault_of_our_own_surfaces_and_gives_the_room_back(tmp_path, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(ReadStream, "verify", broken)
    with pytest.raises(ZeroDivisionError):
        read_file(STORE, laid(tmp_path, "a", LINES))


def test_no_file_is_left_open(tmp_path):
    def open_files() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("no /proc on this system")
    uris = [laid(tmp_path, "a", LINES), laid(tmp_path, "b.bz2", b"x"), str(tmp_path / "gone")]
    before = open_files()
    for uri in uris * 3:
        read_file(STORE, uri).lines.drop()
    assert open_files() == before


# What is no NDJSON


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (
            b'[{"a":1},\n{"a":2}]\n',
            "looks like one JSON array, not one JSON object a line; peek, sample and read_output",
        ),
        (b'{\n "a": 1\n}\n', "looks like JSON objects of several lines each (pretty-printed), not"),
        (b"a,b,c\n1,2,3\n", "looks like CSV, not one JSON object a line; pandas.read_csv reads such a file"),
        (b'{"a":1}\r{"a":2}\r', "looks like lines that end in CR alone, not"),
        (b'\x1e{"a":1}\n', "looks like JSON texts with record separators between them (RFC 7464), not"),
        (LINES, None),
        (b"plain\ntext\n", None),
    ],
)
def test_the_ledger_notes_what_a_file_is_that_is_no_ndjson(tmp_path, data, says):
    file = read_file(STORE, laid(tmp_path, "x.json", data))
    assert take(file) == data + b"\n" * (not data.endswith(b"\n"))
    assert file.record.status == "complete"
    assert (file.record.note or "").startswith(says or "")
    assert bool(file.record.note) == bool(says)


def test_a_note_of_what_it_is_stands_beside_one_of_the_name(tmp_path):
    file = read_file(STORE, laid(tmp_path, "x.bz2", gzip.compress(b'[{"a":1}]\n')))
    assert file.record.note.startswith("is named .bz2")
    assert "; looks like one JSON array" in file.record.note
    file.lines.drop()
