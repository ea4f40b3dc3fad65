"""What is read of an archive, member by member, is what `tarfile` and `zipfile` read of it."""

from __future__ import annotations

import bz2
import io
import json
import random
import subprocess
import tarfile
import zipfile
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.archives import kept
from pipeline.archives.index import Index
from pipeline.archives.members import Told
from pipeline.archives.packet import OpenPacket, Packet, last_of_each, packets
from pipeline.archives.scan import scan
from pipeline.archives.store import ArchiveStore, store_of_archives
from pipeline.archives.tar_files import WindowedFile
from pipeline.codecs.stream import BufferedStream
from pipeline.errors import BadFileError, ObjectNotFoundError, StorageError
from pipeline.inputs.matching import list_matches
from pipeline.read.file import ReadOptions, read_file
from pipeline.storage import PlainStore
from tests.fixtures.archives import DS_STORE, Made, archive
from tests.fixtures.files import lines
from tests.fixtures.tars import PACKERS, Put, contents, tar

STORE = store_of_archives(PlainStore())
ONE, TWO = lines(1, 60) + b"\n", lines(2, 3000) + b"\n"
FORMS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
NAMES = st.sampled_from(
    [
        "a.json",
        "./b/c.bz2",
        "d/" + "x" * 90 + "/y",
        "n" * 300,
        "é/ü.json",
        "../up",
        "/etc/passwd",
        "odd!/x",
        "s p",
    ]
)
FILES = st.builds(Put, NAMES, st.sampled_from([b"", b"{}\n", ONE, TWO, b"\0" * 512, bz2.compress(ONE)]))
OTHERS = st.sampled_from(
    [
        Put("folder", kind=tarfile.DIRTYPE),
        Put("soft", b"a.json", tarfile.SYMTYPE),
        Put("hard", b"a.json", tarfile.LNKTYPE),
        Put("pipe", kind=tarfile.FIFOTYPE),
        Put("device", kind=tarfile.CHRTYPE),
    ]
)
MEMBERS = st.lists(FILES | OTHERS, min_size=1, max_size=8)
SLOW = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))


def laid(folder: Path, name: str, data: bytes) -> str:
    """A file under a name of its own: an index is of one version, and these are rewritten within a millisecond."""
    place = folder / f"{random.randrange(1 << 60)}"
    place.mkdir()
    (place / name).write_bytes(data)
    return str(place / name)


def member_uris(uri: str) -> list[str]:
    return [entry.uri for entry in STORE.list_objects(f"{uri}!/")]


def read_all(uri: str) -> dict[str, bytes]:
    found = {}
    for member in member_uris(uri):
        with STORE.open_read(member) as stream:
            found[member.removeprefix(f"{uri}!/")] = stream.read_whole()
    return found


def written(found: dict[str, bytes]) -> dict[str, bytes]:
    return {name.replace("!/", "!!/"): data for name, data in found.items()}


@SLOW
@given(MEMBERS, st.sampled_from(FORMS), st.sampled_from([*PACKERS]), st.booleans())
def test_a_tar_gives_what_tarfile_reads(tmp_path_factory, members, form, kind, ended):
    try:
        data = tar(members, form, ended=ended)
    except ValueError:
        return  # a name that is too long for ustar
    names = [put.name.removeprefix("./") for put in members if put.kind == tarfile.REGTYPE]
    if len(names) != len(set(names)):
        return  # see below
    uri = laid(tmp_path_factory.mktemp("tar"), f"x.{kind}", PACKERS[kind](data))
    index = STORE.index(uri)
    assert read_all(uri) == written(contents(data))
    links = sum(put.kind in {tarfile.SYMTYPE, tarfile.LNKTYPE} for put in members)
    assert index.outline.told.counts.get("links", 0) == links
    assert (index.outline.fault is None) == bool(len(members))
    assert bool(index.outline.notes) == (not ended)


@SLOW
@given(MEMBERS, st.sampled_from(FORMS), st.floats(0, 1))
def test_of_a_tar_that_is_cut_off_all_before_the_cut_is_read_and_the_cut_is_told(
    tmp_path_factory, members, form, part
):
    try:
        data = tar(members, form, ended=False)
    except ValueError:
        return
    whole = contents(data)
    cut = data[: 512 + int(part * (len(data) - 512))]
    uri = laid(tmp_path_factory.mktemp("cut"), "x.tar", cut)
    found, failed = {}, []
    for member in STORE.index(uri):
        name = f"{uri}!/{member.name.replace('!/', '!!/')}"
        if member.problem:
            failed.append(member.name)
            with pytest.raises(BadFileError, match="cut off"):
                STORE.open_read(name)
        else:
            with STORE.open_read(name) as stream:
                found[member.name] = stream.read_whole()
    assert found.items() <= whole.items() or len(whole) < len(members)
    outline = STORE.index(uri).outline
    assert outline.fault or outline.notes  # never silent, also where it is cut between two files
    if failed:
        assert outline.fault == f"is cut off within {failed[0]!r}"


@SLOW
@given(MEMBERS, st.integers(0), st.integers(1, 255), st.sampled_from(["tar", "tar.gz"]))
def test_a_flipped_byte_raises_nothing_but_what_is_said(tmp_path_factory, members, at, bits, kind):
    data = bytearray(PACKERS[kind](tar(members, tarfile.GNU_FORMAT)))
    data[at % len(data)] ^= bits
    uri = laid(tmp_path_factory.mktemp("flip"), f"x.{kind}", bytes(data))
    try:
        for member in member_uris(uri):
            file = read_file(STORE, member, ReadOptions(archives=True))
            assert file.record.status in {"complete", "failed"}
            b"".join(file.blocks())
    except (ObjectNotFoundError, BadFileError):
        assert STORE.index(uri).kind is None or STORE.index(uri).outline.fault


@pytest.mark.parametrize("kind", ["tar", "tar.gz"])
@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_damaged_header_behind_a_long_name_is_a_fault_of_the_archive(tmp_path, form, kind):
    data = bytearray(tar([Put("a.json", ONE), Put("n" * 300, TWO)], form))
    data[data.rindex(b"ustar") - 100] ^= 1  # in the header that stands behind the name
    uri = laid(tmp_path, f"x.{kind}", PACKERS[kind](bytes(data)))
    assert member_uris(uri) == [f"{uri}!/a.json"]
    assert "is corrupt: at byte" in str(STORE.index(uri).outline.fault)


@SLOW
@given(
    st.dictionaries(st.sampled_from(["a", "b/c.json", "d/é"]), st.sampled_from([b"", ONE, TWO]), min_size=1),
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]),
)
def test_a_zip_gives_what_zipfile_reads(tmp_path_factory, files, method):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as made:
        for name, data in files.items():
            made.writestr(name, data)
    uri = laid(tmp_path_factory.mktemp("zip"), "x.zip", buffer.getvalue())
    assert read_all(uri) == files


# What a name is not


def test_an_object_may_be_called_as_a_member_is_written(tmp_path):
    uri = laid(tmp_path, "x.tar", tar([Put("a", ONE)]))
    other = Path(f"{uri}!")
    other.mkdir()
    (other / "a").write_bytes(TWO)
    for asked, data in ((f"{uri}!/a", ONE), (f"{uri}!!/a", TWO)):
        with STORE.open_read(asked) as stream:
            assert stream.read_whole() == data
    folder = uri.rpartition("/")[0]
    assert [entry.uri for entry in STORE.list_objects(f"{folder}/")] == [uri, f"{uri}!!/a"]
    assert [entry.uri for entry in list_matches(STORE, f"{folder}/**/a")] == [f"{uri}!/a", f"{uri}!!/a"]


def test_what_is_in_no_archive_is_not_found(tmp_path):
    uri = laid(tmp_path, "x.tar", tar([Put("a", ONE)]))
    plain = laid(tmp_path, "x.json", ONE)
    for asked in (f"{uri}!/b", f"{uri}!/", f"{plain}!/a", f"{uri}!/a!/b"):
        with pytest.raises(ObjectNotFoundError):
            STORE.open_read(asked)
    with pytest.raises(StorageError, match="archives are only read"):
        STORE.write_bytes(f"{uri}!/a", b"")


# How it is read


def test_of_members_of_one_name_the_last_counts_and_the_others_are_told(tmp_path):
    uri = laid(tmp_path, "x.tar", tar([Put("a", ONE), Put("b", ONE), Put("a", TWO)]))
    assert read_all(uri) == {"a": TWO, "b": ONE}
    assert "1 earlier version of a file that comes again: 'a'" in STORE.index(uri).outline.note
    told = Told()
    with PlainStore().open_read(uri) as stream:
        members = list(last_of_each(scan(stream, stream, uri), told))
    assert [member.name for member in members] == ["b", "a"]
    assert told.counts == {"earlier versions of files that come again": 1}


def test_tars_laid_end_to_end_are_one_and_other_bytes_behind_one_are_its_fault(tmp_path):
    one, two = tar([Put("a", ONE)]), tar([Put("b", TWO)])
    uri = laid(tmp_path, "x.tar", one + two)
    assert read_all(uri) == {"a": ONE, "b": TWO}
    assert STORE.index(uri).outline.fault is None
    uri = laid(tmp_path, "x.tar", one + b"garbage" * 200)
    assert read_all(uri) == {"a": ONE}
    assert STORE.index(uri).outline.fault == "has 1,400 bytes of something else behind its end"
    damaged = bytearray(tar([Put("a", ONE), Put("b", TWO), Put("c", ONE)]))
    at = damaged.index(b"b\0")
    damaged[at + 150] ^= 1
    uri = laid(tmp_path, "x.tar", bytes(damaged))
    assert read_all(uri) == {"a": ONE}
    assert f"at byte {at:,} there is no header of a file" in STORE.index(uri).outline.fault


def test_sizes_in_base_256_and_names_that_are_no_utf_8(tmp_path):
    header = bytearray(tar([Put("a", ONE)], tarfile.GNU_FORMAT)[:512])
    header[124:136] = b"\x80" + len(ONE).to_bytes(11, "big")
    header[0:2] = b"\xff\xfe"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    data = bytes(header) + ONE + bytes(-len(ONE) % 512) + bytes(1024)
    uri = laid(tmp_path, "x.tar", data)
    (found,) = STORE.list_objects(f"{uri}!/")
    assert (found.uri, found.size) == (f"{uri}!/\udcff\udcfe", len(ONE))
    assert read_file(STORE, found.uri).record.status == "complete"
    header[124:136] = b"\xff" * 12  # below zero
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    uri = laid(tmp_path, "x.tar", bytes(header) + data[512:])
    assert member_uris(uri) == []
    assert STORE.index(uri).outline.fault


def test_a_file_with_holes_fails_alone(tmp_path):
    with (tmp_path / "holes").open("wb") as file:
        file.truncate(1 << 20)
        file.seek(1 << 20)
        file.write(ONE)
    (tmp_path / "a").write_bytes(ONE)
    made = subprocess.run(["tar", "--sparse", "-cf", "x.tar", "holes", "a"], cwd=tmp_path, check=False)
    assert made.returncode == 0
    uri = str(tmp_path / "x.tar")
    holes, a = (read_file(STORE, member).record for member in member_uris(uri))
    assert (holes.status, a.status) == ("failed", "complete")
    assert "sparse" in holes.error


def _counted(asked: list[int], real, stream):
    asked.append(1)
    return real(stream)


def test_a_packet_is_read_with_one_request_and_gives_each_member(tmp_path, monkeypatch):
    random.seed(1)
    files = {f"{n}": random.randbytes(random.randrange(3000)) for n in range(3000)}
    tar_uri = laid(tmp_path, "x.tar", tar([Put(name, data) for name, data in files.items()]))
    zip_uri = laid(tmp_path, "x.zip", archive([Made(name, data) for name, data in files.items()]))
    for uri in (tar_uri, zip_uri):
        with PlainStore().open_read(uri) as stream:
            made = list(packets(uri, stream.generation, scan(stream, stream, uri)))
        assert len(made) < 15
        assert sum(len(packet.members) for packet in made) == 3000
        for packet in made:
            opened = OpenPacket(Packet.from_json(packet.to_json()))
            asked = []
            counted = partial(_counted, asked, opened._ahead)
            monkeypatch.setattr(opened, "_ahead", counted)
            store = STORE.holding(opened)
            for name in packet.uris():
                with store.open_read(name) as stream:
                    assert stream.read_whole() == files[name.rpartition("/")[2]]
            assert len(asked) == 1


def test_headers_are_read_in_few_windows_however_many_there_are(tmp_path):
    class Counted(io.BytesIO):
        asked = 0

        def length(self) -> int:
            return len(self.getvalue())

        def read_at(self, start: int, size: int) -> bytes:
            Counted.asked += 1
            self.seek(start)
            return self.read(size)

    counted = Counted(tar([Put(f"{n}", b"x" * 2000) for n in range(5000)]))
    found = scan(BufferedStream(io.BytesIO(counted.getvalue())), counted, "x.tar")
    assert sum(1 for _ in found) == 5000
    assert Counted.asked <= 5  # of 15 MB
    Counted.asked = 0
    large = Counted(tar([Put(f"{n}", b"x" * 3_000_000) for n in range(5)]))
    file = WindowedFile(large)
    assert file.read(512)
    assert Counted.asked == 1


def test_the_first_rows_of_a_level_come_before_all_of_an_archive_was_read(tmp_path):
    data = tar([Put(f"2020/{n % 40}/{n}.bz2", b"x" * 5000) for n in range(4000)])
    uri = laid(tmp_path, "x.tar", data)
    pages = STORE.list_folder(f"{uri}!/2020/", page_size=10)
    first = next(pages)
    assert len(first.folders) == 10
    assert len(STORE.index(uri)) < 4000
    assert len({folder for page in (first, *pages) for folder in page.folders}) == 40
    found = [entry.uri for page in STORE.list_folder(f"{uri}!/2020/7/1") for entry in page.objects]
    assert found
    assert all(name.startswith(f"{uri}!/2020/7/1") for name in found)


def test_an_index_is_kept_and_another_process_finds_it(tmp_path):
    store = ArchiveStore(PlainStore(), str(tmp_path / "kept"))
    uri = laid(tmp_path, "x.tar", tar([Put("a", ONE), Put("a", TWO), Put(".DS_Store", DS_STORE)]))
    assert store.stat(f"{uri}!/a").size == len(TWO)
    note = store.index(uri).outline.note
    (path,) = (tmp_path / "kept").iterdir()
    key = tuple(json.loads(path.read_bytes().splitlines()[0])["key"])
    kind, outline, members = kept.find(str(tmp_path / "kept"), key)
    assert (kind, [member.size for member in members]) == ("tar", [len(ONE), len(TWO)])
    restored = Index.restored(("x",), kind, outline, members)
    assert restored.find("a").size == len(TWO)
    assert sorted(restored.outline.note.split("; ")) == sorted(note.split("; "))
    path.write_bytes(b"{}")
    assert kept.find(str(tmp_path / "kept"), key) is None
