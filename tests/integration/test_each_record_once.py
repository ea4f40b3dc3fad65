"""Whole jobs over files that hold the same: each record once, and what was passed over on record."""

from __future__ import annotations

import bz2
import json

import pytest
from msgspec.structs import replace

from pipeline.__main__ import main, run
from pipeline.admit import admit
from pipeline.proof import verify
from pipeline.sources import Holds
from pipeline.sources.ndjson import NdjsonSource
from pipeline.spec import JobSpec
from pipeline.storage import PlainStore
from pipeline.target.lifecycle import read_summary
from pipeline.target.results import ledger_records, output_shards

STORE = PlainStore()
DAY = "2020/Jan/1/29614797"
ONE, TWO = "1.167210123", "1.167210124"

pytestmark = pytest.mark.timeout(120)


def put(place: str, name: str, *markets: str, updates: int = 5, suffix: str = ".bz2") -> str:
    """A file of the updates of some markets; its URI."""
    lines = [
        json.dumps({"op": "mcm", "pt": at, "mc": [{"id": market}]})
        for market in markets
        for at in range(updates)
    ]
    uri = f"{place}/in/{name}{suffix}"
    STORE.write_bytes(uri, bz2.compress(("\n".join(lines) + "\n").encode()))
    return uri


def job(place: str, *inputs: str, source: str = "betfair", options: tuple[str, ...] = ()) -> dict:
    """Run it over inputs below `in/`; its summary, once that is proved."""
    given = [word for one in inputs for word in ("--input", f"{place}/in/{one}")]
    assert main([*given, "--target", f"{place}/out", "--source", source, *options]) == 0
    verdict = verify(STORE, f"{place}/out", deep=True)
    assert verdict.proved, verdict.findings
    return read_summary(STORE, f"{place}/out")


def updates(place: str) -> dict[str, int]:
    """How many lines the output has of each market."""
    found: dict[str, int] = {}
    for uri in output_shards(STORE, f"{place}/out"):
        for line in STORE.read_bytes(uri).splitlines():
            market = json.loads(line)["mc"][0]["id"]
            found[market] = found.get(market, 0) + 1
    return found


def skipped(place: str) -> dict[str, str]:
    """The files that were passed over, by their names below `in/`, with the reasons."""
    records = list(ledger_records(STORE, f"{place}/out", status="skipped"))
    assert all((record.lines, record.raw_bytes, record.error) == (0, 0, None) for record in records)
    assert all(record.size == STORE.stat(record.uri).size for record in records)
    return {record.uri.removeprefix(f"{place}/in/"): record.note for record in records}


def test_an_events_own_file_is_passed_over_beside_its_markets(place):
    for name, markets in ((ONE, [ONE]), (TWO, [TWO]), ("29614797", [ONE, TWO])):
        put(place, f"ADVANCED/{DAY}/{name}", *markets)
    put(place, "ADVANCED/2020/Jan/1/29614798/29614798", "1.9")  # alone in its folder
    summary = job(place, "ADVANCED")
    assert updates(place) == {ONE: 5, TWO: 5, "1.9": 5}
    event = f"ADVANCED/{DAY}/29614797.bz2"
    assert skipped(place) == {event: "the event's own file; its markets stand beside it"}
    assert summary["files"] == {"listed": 4, "complete": 3, "failed": 0, "skipped": 1, "noted": 0}
    assert summary["skippedBytes"] == STORE.stat(f"{place}/in/{event}").size
    assert summary["compressedBytes"] + summary["skippedBytes"] == sum(
        entry.size for entry in STORE.list_objects(f"{place}/in/")
    )


def test_a_skipped_file_may_go_without_a_word(place):
    put(place, f"PRO/{DAY}/{ONE}", ONE)
    event = put(place, f"PRO/{DAY}/29614797", ONE)
    job(place, "PRO")
    STORE.delete([event])
    verdict = verify(STORE, f"{place}/out", deep=True)
    assert (verdict.proved, verdict.findings) == (True, ())


def test_every_file_is_read_where_that_is_asked_for(place):
    for name, markets in ((ONE, [ONE]), ("29614797", [ONE])):
        put(place, f"PRO/{DAY}/{name}", *markets)
    put(place, "PRO/note", "1.5", suffix=".txt")
    summary = job(place, "PRO", options=("--every-file",))
    assert updates(place) == {ONE: 10, "1.5": 5}
    assert skipped(place) == {}
    assert summary["unmatched"] == {"files": 0, "bytes": 0, "first": []}
    assert summary["everyFile"] is True


def test_of_a_market_in_several_places_the_fuller_one_is_read(place):
    put(place, f"BASIC/{DAY}/{ONE}", ONE, updates=900)  # larger, and yet of less depth
    put(place, f"ADVANCED/{DAY}/{ONE}", ONE, updates=4)
    put(place, f"PRO/{DAY}/{ONE}", ONE, updates=3)
    put(place, f"mine/{ONE}", ONE, updates=999)
    put(place, f"mine/{TWO}", TWO, updates=6)
    put(place, f"yours/{TWO}", TWO, updates=700)
    job(place, "")
    assert updates(place) == {ONE: 3, TWO: 700}
    why = f"is read from {place}/in/PRO/{DAY}/{ONE}.bz2, which is fuller"
    assert skipped(place) == {
        f"BASIC/{DAY}/{ONE}.bz2": f"{ONE} {why}",
        f"ADVANCED/{DAY}/{ONE}.bz2": f"{ONE} {why}",
        f"mine/{ONE}.bz2": f"{ONE} {why}",
        f"mine/{TWO}.bz2": f"{TWO} is read from {place}/in/yours/{TWO}.bz2, which is fuller",
    }


def test_of_an_events_own_file_in_two_plans_one_is_read(place):
    put(place, f"BASIC/{DAY}/29614797", ONE, updates=900)
    put(place, f"PRO/{DAY}/29614797", ONE, updates=3)
    job(place, "")
    assert updates(place) == {ONE: 3}
    assert [*skipped(place)] == [f"BASIC/{DAY}/29614797.bz2"]


def test_names_are_compared_over_the_whole_selection_however_it_overlaps(place):
    put(place, f"BASIC/{DAY}/{ONE}", ONE)
    put(place, f"BASIC/{DAY}/29614797", ONE)
    put(place, f"PRO/{DAY}/{ONE}", ONE, updates=2)
    single = f"PRO/{DAY}/{ONE}.bz2"  # a name of its own, of which no listing has told the size
    job(place, "BASIC/", "BASIC/2020/", f"BASIC/{DAY}/*.bz2", single, f"BASIC/{DAY}/29614797.bz2")
    assert updates(place) == {ONE: 2}
    assert sorted(skipped(place)) == [f"BASIC/{DAY}/{ONE}.bz2", f"BASIC/{DAY}/29614797.bz2"]


def test_single_names_are_compared_by_their_sizes(place):
    put(place, f"a/{ONE}", ONE, updates=2)
    put(place, f"b/{ONE}", ONE, updates=900)
    job(place, f"a/{ONE}.bz2", f"b/{ONE}.bz2")
    assert updates(place) == {ONE: 900}
    assert [*skipped(place)] == [f"a/{ONE}.bz2"]


def test_files_of_other_names_are_all_read(place):
    for name in ("2024/recorded-1", "2024/recorded-2", f"2024/{ONE}.part"):
        put(place, name, ONE)
    job(place, "2024")
    assert updates(place) == {ONE: 15}
    assert skipped(place) == {}


class Growing(PlainStore):
    """Each listing tells of larger files than the one before: somebody replaces them meanwhile."""

    listed = 0

    def list_pages(self, prefix, share=None):
        Growing.listed += 1
        for page in super().list_pages(prefix, share):
            yield [replace(entry, size=entry.size + Growing.listed) for entry in page]


def test_a_file_that_is_listed_twice_with_other_sizes_is_one_file(tmp_path):
    put(str(tmp_path), f"a/{ONE}", ONE)
    put(str(tmp_path), f"a/{TWO}", TWO)
    put(str(tmp_path), "a/note", "x", suffix=".txt")
    inputs = (f"{tmp_path}/in/a/", f"{tmp_path}/in/", f"{tmp_path}/in/a/1*")
    spec = JobSpec(inputs=inputs, target=f"{tmp_path}/out", job_id="2026-01-31-1a2b3c4d", source="betfair")
    store = Growing()
    looked_for = admit(store, spec, lambda _: None)
    before = Growing.listed
    run(store, spec, looked_for)
    assert Growing.listed - before == 2  # in/ and in/a/, with which goes in/a/1*
    summary = read_summary(STORE, str(spec.target))
    assert summary["files"] == {"listed": 2, "complete": 2, "failed": 0, "skipped": 0, "noted": 0}
    assert summary["unmatched"]["files"] == 1
    assert updates(str(tmp_path)) == {ONE: 5, TWO: 5}


# Any source


class Days(NdjsonSource):
    """One file a day and one of each month: 2024-05.json holds what 2024-05-*.json hold."""

    name = "ndjson"

    def holds(self, path):
        name = path.rpartition("/")[2].removesuffix(".json")
        return (
            Holds(name, part_of=name[:7])
            if len(name) > 7
            else Holds(name, whole_of=name, why="its days are here")
        )


@pytest.fixture
def days(monkeypatch):
    monkeypatch.setattr("pipeline.sources.ndjson.NdjsonSource", Days)


@pytest.mark.usefixtures("days")
def test_any_source_can_say_what_its_files_hold(place):
    for name in ("2024-04", "2024-05", "2024-05-01", "2024-05-02"):
        STORE.write_bytes(f"{place}/in/{name}.json", json.dumps({"mc": [{"id": name}]}).encode())
    job(place, "", source="ndjson")
    assert sorted(updates(place)) == ["2024-04", "2024-05-01", "2024-05-02"]
    assert skipped(place) == {"2024-05.json": "its days are here"}


@pytest.mark.usefixtures("days")
def test_a_job_that_would_read_nothing_fails_and_says_why(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Days, "holds", lambda self, path: Holds(path, part_of="x", whole_of="x"))
    STORE.write_bytes(f"{tmp_path}/in/a.json", b"{}\n")
    assert main(["--input", f"{tmp_path}/in/", "--target", f"{tmp_path}/out"]) == 1
    assert "all 1 files were skipped, each for another that holds the same" in capsys.readouterr().err


# What no pattern takes


def test_what_of_a_folder_no_pattern_takes_is_counted_once_with_the_first_names(place):
    put(place, f"a/{ONE}", ONE)
    for number in range(12):
        STORE.write_bytes(f"{place}/in/a/x/{number:02}.txt", b"x" * number)
    STORE.write_bytes(f"{place}/in/b.txt", b"not of the folder")
    summary = job(place, "a", "a/*.bz2")
    assert summary["unmatched"] == {
        "files": 12,
        "bytes": sum(range(12)),
        "first": [f"{place}/in/a/x/{number:02}.txt" for number in range(10)],
    }
    assert summary["files"]["listed"] == 1


def test_what_another_input_takes_is_not_told_as_left_out(place):
    put(place, f"a/{ONE}", ONE)
    put(place, "a/x/day", TWO, suffix=".gz2")
    STORE.write_bytes(f"{place}/in/a/x/note.txt", b"xx")
    summary = job(place, "a/", "**/*.gz2")
    assert updates(place) == {ONE: 5, TWO: 5}
    assert summary["unmatched"] == {"files": 1, "bytes": 2, "first": [f"{place}/in/a/x/note.txt"]}


def test_of_a_glob_nothing_is_left_out(place):
    put(place, f"a/{ONE}", ONE)
    STORE.write_bytes(f"{place}/in/a/note.txt", b"xx")
    assert job(place, "a/*.bz2")["unmatched"] == {"files": 0, "bytes": 0, "first": []}


def test_a_folder_is_listed_once_by_the_workers(tmp_path):
    put(str(tmp_path), f"a/b/{ONE}", ONE)
    spec = JobSpec(
        inputs=(f"{tmp_path}/in/",), target=f"{tmp_path}/out", job_id="2026-01-31-1a2b3c4d", source="betfair"
    )
    store = Growing()
    looked_for = admit(store, spec, lambda _: None)
    before = Growing.listed
    run(store, spec, looked_for)
    assert Growing.listed - before == 1
