"""A bucket that fails: what is read and written by it alone, without a job."""

from __future__ import annotations

import bz2
import gzip
import os
import threading
import time

import pytest

from pipeline.errors import (
    AccessDeniedError,
    CredentialsError,
    ObjectExistsError,
    ObjectNotFoundError,
    StorageError,
    StoreUnavailableError,
    TransferError,
)
from pipeline.read.file import read_file
from pipeline.storage import Patience, PlainStore

STORE = PlainStore()
IMPATIENT = PlainStore(patience=Patience(1))
LINES = b"".join(b'{"id":%d}\n' % n for n in range(20_000))
MEDIA = "^GET /download/.*"

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    """The first pause is a second for the store's sake; here nobody else asks it."""
    monkeypatch.setattr("pipeline.storage.patience._FIRST_PAUSE", 0.1)


@pytest.fixture
def root(bucket):
    return f"gs://{bucket}"


@pytest.fixture
def files(root):
    """60 good files of three codecs."""
    for n in range(60):
        pack = (bz2.compress, gzip.compress, bytes)[n % 3]
        STORE.write_bytes(f"{root}/in/{n:02}", pack(b"%d\n" % n + LINES))
    return [entry.uri for entry in STORE.list_objects(f"{root}/in/")]


def read_all(store, uris):
    """Each file's record, and its lines checked."""
    records = []
    for n, uri in enumerate(uris):
        file = read_file(store, uri)
        records.append(file.record)
        lines = b"".join(file.lines.blocks())
        assert lines == (b"%d\n" % n + LINES if file.record.status == "complete" else b"")
    return records


def test_bodies_cut_short_with_lengths_that_agree_make_no_file_bad(files, faults):
    faults(fail_next=14, every=4, kind="cut", match=MEDIA)
    records = read_all(STORE, files)
    assert [record.error for record in records if record.status != "complete"] == []
    assert len(records) == 60


@pytest.mark.parametrize("kind", ["cut", "flip"])
@pytest.mark.parametrize("at", [0, 4 << 20, 8 << 20])
def test_a_spoiled_window_of_a_large_file_is_read_again(root, faults, kind, at):
    lines = b"".join(os.urandom(60).hex().encode() + b"\n" for _ in range(80_000))
    STORE.write_bytes(f"{root}/x", lines)
    assert len(lines) > 9 << 20
    windows = at >> 22
    faults(fail_next=1, every=windows + 1, kind=kind, match=MEDIA)
    file = read_file(STORE, f"{root}/x")
    assert (file.record.status, file.record.error) == ("complete", None)
    assert b"".join(file.lines.blocks()) == lines


def test_a_wrong_bit_in_the_middle_of_a_large_compressed_file_is_not_the_files(root, faults):
    lines = b"".join(os.urandom(60).hex().encode() + b"\n" for _ in range(100_000))
    packed = bz2.compress(lines)
    assert len(packed) > 4 << 20
    STORE.write_bytes(f"{root}/x.bz2", packed)
    faults(fail_next=1, every=2, kind="flip", match=MEDIA)
    file = read_file(STORE, f"{root}/x.bz2")
    assert file.record.status == "complete"
    assert b"".join(file.lines.blocks()) == lines
    packed = bytearray(packed)
    packed[len(packed) // 2] ^= 1
    STORE.write_bytes(f"{root}/bad.bz2", bytes(packed))
    record = read_file(STORE, f"{root}/bad.bz2").record
    assert record.error.startswith("the bz2 data is corrupt")
    assert record.size == len(packed)


def test_a_file_that_never_comes_as_it_is_kept_is_raised_not_recorded(files, faults):
    faults(fail_next=1000, kind="flip", match=MEDIA)
    with pytest.raises(TransferError, match="CRC-32C"):
        read_file(IMPATIENT, files[0])


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429}, {"status": 0}, {"kind": "lose"}])
def test_an_outage_is_waited_out(files, faults, fault):
    faults(outage_ms=3000, **fault)
    began = time.monotonic()
    assert read_file(STORE, files[0]).record.status == "complete"
    assert time.monotonic() - began >= 3


def test_credentials_that_do_not_work_are_raised_not_recorded(files, faults):
    faults(fail_next=1000, status=401, match="^GET /storage")
    with pytest.raises(CredentialsError):
        IMPATIENT.stat(files[0])
    assert issubclass(CredentialsError, StoreUnavailableError)


@pytest.mark.parametrize("status", [0, 408, 429, 500, 502, 503, 504])
def test_an_outage_beyond_the_patience_is_raised_not_recorded(files, faults, status):
    faults(fail_next=1000, status=status)
    with pytest.raises(StoreUnavailableError):
        read_file(IMPATIENT, files[0])


def test_a_body_that_drips_is_a_fault_and_asked_for_again(root, faults):
    data = os.urandom(4096)
    STORE.write_bytes(f"{root}/x", data)
    faults(fail_next=1, kind="drip", drip_ms=50, match=MEDIA)
    store = PlainStore(patience=Patience(3, bytes_per_second=16 << 20))
    assert store.read_bytes(f"{root}/x") == data


def test_a_body_that_drips_each_time_ends_in_bounded_time(root, faults):
    STORE.write_bytes(f"{root}/x", bytes(4096))
    faults(fail_next=1000, kind="drip", drip_ms=50, match=MEDIA)
    began = time.monotonic()
    with pytest.raises(StoreUnavailableError, match="not done within"):
        PlainStore(patience=Patience(2, bytes_per_second=16 << 20)).read_bytes(f"{root}/x")
    assert time.monotonic() - began < 30  # to its end it would take 205 s


# Alone, or with all others


@pytest.mark.parametrize("status", [403, 404, 400])
def test_a_file_that_alone_is_refused_is_on_record(files, faults, status):
    faults(fail_next=1000, status=status, match=MEDIA + "00[?]")
    records = read_all(STORE, files[:3])
    assert [record.status for record in records] == ["failed", "complete", "complete"]
    assert not {"503", "patience"} & set(records[0].error.split())
    again = read_file(STORE, files[0]).record  # now there is a witness
    assert (again.status, again.error) == ("failed", records[0].error)


@pytest.mark.parametrize("status", [403, 404])
def test_a_bucket_that_gives_nothing_any_more_is_raised_not_recorded(files, faults, status):
    assert read_file(STORE, files[1]).record.status == "complete"
    faults(fail_next=100_000, status=status, match=files[0].split("/")[2])
    with pytest.raises(StoreUnavailableError, match="nothing else there is given either"):
        read_file(IMPATIENT, files[0])


def test_rights_that_were_taken_from_all_objects_are_told_from_one_objects(files, faults):
    assert read_file(STORE, files[1]).record.status == "complete"
    faults(fail_next=100_000, status=403, match=MEDIA)  # the bucket is still listed
    with pytest.raises(StoreUnavailableError, match="nothing else there is given either"):
        read_file(IMPATIENT, files[0])


def test_rights_that_come_back_within_the_patience_are_waited_for(files, faults):
    faults(outage_ms=2500, status=403)
    assert read_file(PlainStore(patience=Patience(30)), files[0]).record.status == "complete"


def test_a_file_whose_neighbour_went_as_well_is_gone_alone(files):
    assert read_file(STORE, files[1]).record.status == "complete"
    STORE.delete(files[:2])
    assert read_file(STORE, files[0]).record.error == "there is no such object or bucket"


# Answers that are lost


def lose(faults, match, count=1):
    faults(fail_next=count, kind="lose", match=match)


def test_a_first_write_whose_answer_was_lost_is_recognised(root, faults):
    lose(faults, "^POST /upload/")
    STORE.write_bytes(f"{root}/claim", b"mine", create_only=True)
    assert STORE.read_bytes(f"{root}/claim") == b"mine"
    with pytest.raises(ObjectExistsError):
        STORE.write_bytes(f"{root}/claim", b"mine", create_only=True)  # the same, by somebody else


def test_of_many_that_make_an_object_one_succeeds_whatever_answers_are_lost(root, faults):
    lose(faults, "^POST /upload/", count=3)
    won = []

    def make(number):
        try:
            STORE.write_bytes(f"{root}/claim", b"the same from all", create_only=True)
        except ObjectExistsError:
            return
        won.append(number)

    threads = [threading.Thread(target=make, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_a_swap_whose_answer_was_lost_is_recognised(root, faults):
    STORE.write_bytes(f"{root}/x", b"old")
    seen = STORE.look(f"{root}/x").generation
    lose(faults, "^POST /upload/")
    now = STORE.swap(f"{root}/x", b"new", seen)
    assert STORE.read_version(f"{root}/x") == (b"new", now)


SIZES = [0, 1, (8 << 20) + 1, 16 << 20, (17 << 20) + 3]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "fault", [{"kind": "lose"}, {"status": 503}, {"status": 0}, {"kind": "lose", "every": 2}]
)
def test_a_stream_is_written_whole_whatever_answers_are_lost(root, faults, size, fault):
    data = os.urandom(size)
    faults(fail_next=3, match="/upload/", **fault)
    with STORE.open_write(f"{root}/x") as stream:
        for at in range(0, size, 1 << 20):
            stream.write(data[at : at + (1 << 20)])
    faults()
    assert STORE.read_bytes(f"{root}/x") == data
    assert (stream.size, stream.crc32c) == (size, STORE.stat(f"{root}/x").crc32c)


@pytest.mark.parametrize("size", [5, (17 << 20) + 3])
def test_the_very_last_answer_of_an_upload_may_be_lost(root, faults, size):
    data = os.urandom(size)
    stream = STORE.open_write(f"{root}/x")
    stream.write(data)
    lose(faults, "/upload/")
    stream.close()
    assert STORE.read_bytes(f"{root}/x") == data


@pytest.mark.parametrize("size", [5, (9 << 20) + 3])
def test_a_local_file_is_put_there_whatever_answers_are_lost(root, faults, size, tmp_path):
    data = os.urandom(size)
    (tmp_path / "x").write_bytes(data)
    lose(faults, "/upload/", count=2)
    entry = STORE.upload_file(str(tmp_path / "x"), f"{root}/x")
    assert (STORE.read_bytes(f"{root}/x"), entry.size) == (data, size)
    assert entry == STORE.stat(f"{root}/x")


def test_a_delete_whose_answer_was_lost_is_done(root, faults):
    STORE.write_bytes(f"{root}/x", b"text")
    lose(faults, "^DELETE")
    STORE.delete([f"{root}/x"])
    assert not STORE.exists(f"{root}/x")


def test_a_bucket_whose_answer_was_lost_is_made(root, faults):
    lose(faults, "^POST /storage/v1/b[?]")
    STORE.make_bucket(f"{root.removeprefix('gs://')}-too")
    assert STORE.bucket_exists(f"{root.removeprefix('gs://')}-too")


def test_what_is_refused_is_not_tried_again(root, faults):
    STORE.write_bytes(f"{root}/x", b"data")
    began = time.monotonic()
    for status, error in ((403, AccessDeniedError), (404, ObjectNotFoundError), (400, StorageError)):
        faults(fail_next=1, status=status, match=MEDIA)
        with pytest.raises(error):
            STORE.read_bytes(f"{root}/x")
    assert time.monotonic() - began < 20  # a job's patience is ten minutes
    assert STORE.read_bytes(f"{root}/x") == b"data"
