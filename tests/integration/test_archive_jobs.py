"""Whole jobs over archives: each member a file with a record of its own, of which one fails alone."""

from __future__ import annotations

import bz2
import json
from pathlib import Path

import pytest

from pipeline.__main__ import main
from pipeline.archives.store import store_of_archives
from pipeline.ledger import FileRecord
from pipeline.proof import extract, find_record, verify
from pipeline.storage import PlainStore, Store
from pipeline.target.lifecycle import read_summary
from pipeline.target.results import ledger_records, output_lines
from tests.fixtures.archives import APPLE_DOUBLE, DS_STORE, PDF, Made, archive
from tests.fixtures.files import crc32c, lines, zipped
from tests.fixtures.tars import PACKERS, Put, tar

pytestmark = pytest.mark.timeout(600)

STORE = store_of_archives(PlainStore())
RAW = {f"2020/Jan/{n % 3 + 1}/1.{n}": lines(n) + b"\n" for n in range(30)}
FILES = {f"{name}.bz2": bz2.compress(raw) for name, raw in RAW.items()}


def job(target: str, *inputs: str, source: str = "ndjson", options: tuple[str, ...] = ()) -> int:
    given = [word for path in inputs for word in ("--input", path)]
    return main([*given, "--target", target, "--source", source, *options])


def records(target: str, store: Store = STORE) -> dict[str, FileRecord]:
    found = list(ledger_records(store, target))
    assert len({record.uri for record in found}) == len(found)
    summary = read_summary(store, target)
    assert summary["files"]["listed"] == len(found)
    return {record.uri: record for record in found}


def every_line(target: str) -> list[bytes]:
    return sorted(output_lines(STORE, target, 1_000_000))


def expected(*raws: bytes) -> list[bytes]:
    return sorted(line for raw in raws for line in raw.split(b"\n")[:-1])


@pytest.mark.parametrize("kind", [*PACKERS, "zip"])
def test_each_member_is_a_file_with_a_record_and_lines_that_can_be_proved(tmp_path, kind):
    made = [Put(f"./{name}", data) for name, data in FILES.items()]
    data = zipped(FILES) if kind == "zip" else PACKERS[kind](tar(made))
    (tmp_path / "in").mkdir()
    uri, target = f"{tmp_path}/in/data.{kind}", f"{tmp_path}/out"
    Path(uri).write_bytes(data)
    # Inputs that overlap: the archive, a folder in it, and the folder that it is in.
    assert job(target, uri, f"{uri}!/2020/Jan/2/", f"{tmp_path}/in/", source="betfair") == 0
    found = records(target)
    assert found.keys() == {f"{uri}!/{name}" for name in FILES}
    for name, stored in FILES.items():
        record = found[f"{uri}!/{name}"]
        assert (record.status, record.codec, record.size) == ("complete", "bz2", len(stored))
        assert record.crc32c == crc32c(stored)
    assert every_line(target) == expected(*RAW.values())
    verdict = verify(STORE, target, deep=True)
    assert verdict.proved, verdict.findings
    assert verdict.checked["filesCompared"] == len(FILES)
    record = find_record(STORE, target, "2020/Jan/1/1.0.bz2")
    assert b"".join(extract(STORE, target, record)) == RAW["2020/Jan/1/1.0"]


def test_a_member_that_is_broken_fails_alone_and_is_read_again_alone(tmp_path):
    broken = FILES["2020/Jan/1/1.3.bz2"][:-9]
    made = {**FILES, "2020/Jan/1/1.3.bz2": broken}
    uri, target = f"{tmp_path}/data.tar", f"{tmp_path}/out"
    Path(uri).write_bytes(tar([Put(name, data) for name, data in made.items()]))
    assert job(target, uri) == 0
    failed = [record for record in records(target).values() if record.status == "failed"]
    assert [record.uri for record in failed] == [f"{uri}!/2020/Jan/1/1.3.bz2"]
    assert "cut off" in failed[0].error
    Path(uri).write_bytes(tar([Put(name, data) for name, data in FILES.items()]))
    assert job(f"{tmp_path}/again", failed[0].uri) == 0
    assert [*records(f"{tmp_path}/again")] == [failed[0].uri]
    assert every_line(f"{tmp_path}/again") == expected(RAW["2020/Jan/1/1.3"])


def test_what_else_is_in_a_folder_of_archives_is_on_record_and_nothing_is_lost(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    raw = [lines(100 + n) + b"\n" for n in range(12)]
    inner = PACKERS["tar.gz"](tar([Put("e.json", raw[3])]))
    beside = [Made(".DS_Store", DS_STORE), Made("1.json", raw[0]), Made("__MACOSX/._1", APPLE_DOUBLE)]
    nested = [Put("a.json", raw[1]), Put("b.zip", zipped({"c.json": raw[2]})), Put("d.tar.gz", inner)]
    deeper = zipped({"c.tar": tar([Put("d", raw[4])]), "e.json": raw[5]})
    laid = {
        "finder.zip": archive(beside),
        "nested.tar": tar(nested),
        "deep.tar": tar([Put("b.zip", deeper)]),
        "cut.tar": tar([Put("a.json", raw[6]), Put("b.json", raw[7] * 9)])[: 512 + 4096 + 512 + 700],
        "twice.tar": tar([Put("a.json", raw[8]), Put("a.json", raw[9])]),
        "no tar.tar.gz": PACKERS["tar.gz"](raw[10]),
        "in gzip.dat": PACKERS["tar.gz"](tar([Put("a.json", raw[11])])),
        "empty.tar": tar([Put("nothing.json", b"")]),
        "papers.zip": archive([Made("a.pdf", PDF)]),
    }
    for name, data in laid.items():
        (folder / name).write_bytes(data)
    target = f"{tmp_path}/out"
    assert job(target, f"{folder}/") == 0
    found = {uri.removeprefix(f"{folder}/"): record for uri, record in records(target).items()}
    good = {uri for uri, record in found.items() if record.status == "complete"}
    assert good == {
        "finder.zip!/1.json",
        "nested.tar!/a.json",
        "nested.tar!/b.zip!/c.json",
        "nested.tar!/d.tar.gz!/e.json",
        "deep.tar!/b.zip!/e.json",
        "cut.tar!/a.json",
        "twice.tar!/a.json",
        "no tar.tar.gz",
        "in gzip.dat!/a.json",
    }
    assert every_line(target) == expected(*(raw[n] for n in (0, 1, 2, 3, 5, 6, 9, 10, 11)))
    told = {uri: record.error or record.note for uri, record in found.items() if uri not in good}
    assert found["finder.zip"].status == "skipped"
    assert told["finder.zip"].startswith("passed over 2 files that are no data: '.DS_Store'")
    assert told["deep.tar!/b.zip!/c.tar"].startswith("is an archive within an archive in an archive")
    assert "is cut off" in told["cut.tar!/b.json"]
    assert told["cut.tar"] == "is cut off within 'b.json'"
    assert found["twice.tar"].status == "skipped"
    assert "earlier version" in told["twice.tar"]
    assert told["empty.tar!/nothing.json"] == "is empty (0 bytes)"
    assert found["papers.zip!/a.pdf"].status == "skipped"
    assert told["papers.zip!/a.pdf"].startswith("passed over: it is no data")
    assert len(told) == 7, told
    verdict = verify(STORE, target, deep=True)
    assert verdict.proved, verdict.findings


def test_a_glob_into_archives_reads_what_it_matches_and_a_name_that_is_not_there_fails(tmp_path):
    uri, target = f"{tmp_path}/data.tar.gz", f"{tmp_path}/out"
    Path(uri).write_bytes(PACKERS["tar.gz"](tar([Put(name, data) for name, data in FILES.items()])))
    assert job(target, f"{tmp_path}/*.gz!/2020/**/1.1?.bz2") == 0
    assert sorted(records(target)) == sorted(
        f"{uri}!/{name}" for name in FILES if "/1.1" in name and len(name) == 19
    )
    assert job(f"{tmp_path}/x", f"{uri}!/2020/nothing.bz2") == 2


@pytest.mark.parametrize("kind", ["tar", "tar.gz"])
def test_a_market_and_its_event_in_an_archive_are_read_once(tmp_path, kind):
    made = {"PRO/1/77/1.5.bz2": FILES["2020/Jan/1/1.0.bz2"], "PRO/1/77/77.bz2": FILES["2020/Jan/2/1.1.bz2"]}
    uri, target = f"{tmp_path}/data.{kind}", f"{tmp_path}/out"
    Path(uri).write_bytes(PACKERS[kind](tar([Put(name, data) for name, data in made.items()])))
    assert job(target, uri, source="betfair") == 0
    found = records(target)
    assert found[f"{uri}!/PRO/1/77/77.bz2"].status == "skipped"
    assert every_line(target) == expected(RAW["2020/Jan/1/1.0"])


def test_what_no_pattern_takes_of_an_archive_is_told_where_its_files_are_known_as_they_go_by(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("pipeline.graph.build.tells_holds", lambda _: False)  # as of most sources
    uri, target = f"{tmp_path}/data.tar.gz", f"{tmp_path}/out"
    put = [Put("1/1.5.bz2", FILES["2020/Jan/1/1.0.bz2"]), Put("1/notes.txt", b"x" * 9)]
    Path(uri).write_bytes(PACKERS["tar.gz"](tar(put)))
    assert job(target, uri, source="betfair") == 0
    assert read_summary(STORE, target)["unmatched"] == {
        "files": 1,
        "bytes": 9,
        "first": [f"{uri}!/1/notes.txt"],
    }


def test_a_summary_counts_members(tmp_path, capsys):
    uri, target = f"{tmp_path}/data.zip", f"{tmp_path}/out"
    Path(uri).write_bytes(zipped({"a.json": b"{}\n", "b.json": b"{}\n"}))
    assert job(target, uri) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["files"]["listed"], summary["lines"]) == (2, 2)
