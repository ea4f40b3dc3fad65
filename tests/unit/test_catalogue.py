"""Catalogues: right against the generator, only what is new is read, filters and counts, ids, and how they are kept."""

from __future__ import annotations

import bz2
import gzip
import os
import signal
import subprocess
import sys
import threading
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

import chimera_nb as ch
from chimera_nb.data.catalogue import make, units
from chimera_nb.data.catalogue.ids import ids_of_csv
from chimera_nb.data.catalogue.make import CatalogueCancelledError
from chimera_nb.data.catalogue.reading import CatalogueReader
from chimera_nb.session import Session
from chimera_nb.settings import Settings
from pipeline.errors import AccessDeniedError, NothingMatchesError, RefusedError, UnknownNameError
from pipeline.inputs.path_list import parse_paths
from pipeline.read.file import ReadOptions, read_file
from pipeline.sources.betfair.catalogue import Catalogue
from pipeline.sources.betfair.file_end import COLUMNS, row_of_end
from pipeline.storage import PlainStore
from tests.fixtures.files import REAL, zipped
from tests.fixtures.made_markets import made_markets
from tests.fixtures.tars import PACKERS, Put, tar
from tests.fixtures.weather import lay, offer_weather

MADE = list(made_markets(60))


@pytest.fixture
def session(tmp_path):
    return Session(Settings(data_dir=tmp_path / ".chimera"))


@pytest.fixture
def folder(tmp_path):
    for one in MADE:
        path = tmp_path / "in" / one.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(one.data)
    return tmp_path / "in"


@pytest.fixture
def reading(monkeypatch):
    """The names of the files that are read."""
    read = []
    first = units.read_units

    def told(reader, several):
        read.extend(Path(entry.uri).name for unit in several for entry in unit.entries)
        return first(reader, several)

    monkeypatch.setattr(make, "read_units", told)
    return read


def rows_of(catalogue, *columns):
    return catalogue._chosen.select(list(columns)).to_pylist()


def assert_right(catalogue, made):
    found = {row["market_id"]: row for row in rows_of(catalogue, *COLUMNS)}
    assert len(catalogue) == len(found) == len(made)
    for one in made:
        row = found[one.market.market_id]
        assert {name: row[name] for name in one.expected} == one.expected


# What it says


def test_it_says_of_each_market_what_the_generator_knows(folder, session):
    catalogue = ch.catalogue(folder, session=session)
    assert_right(catalogue, MADE)
    assert sorted(catalogue.uris) == sorted(f"{folder}/{one.name}" for one in MADE)
    assert catalogue.size == sum(len(one.data) for one in MADE)
    assert not catalogue.failed
    frame = catalogue.frame()
    assert len(frame) == len(MADE)
    assert list(frame.columns[-4:]) == ["file", "file_generation", "file_size", "file_updated"]
    assert dict(zip(frame.file, frame.market_id, strict=True)) == {
        f"{folder}/{one.name}": one.market.market_id for one in MADE
    }


def test_by_the_end_of_a_file_it_is_what_the_whole_says(tmp_path):
    files = [(f"/{one.name}", bz2.decompress(one.data)) for one in MADE]
    if REAL.is_dir():
        files += [(str(path), bz2.decompress(path.read_bytes())) for path in REAL.rglob("1.*.bz2")]
    told = 0
    for uri, raw in files:
        path = tmp_path / "1.1"
        path.write_bytes(raw)
        read = read_file(PlainStore(), str(path), ReadOptions(view=Catalogue(total=False)))
        (whole,) = (row for batch in read.blocks() for row in batch.select(list(COLUMNS)).to_pylist())
        lines = raw[raw.find(b"\n", max(0, len(raw) - 100_000)) + 1 :] if len(raw) > 100_000 else raw
        row = row_of_end(lines, uri)
        if row is None:
            continue
        told += 1
        schema = pa.schema([Catalogue.schema.field(name) for name in COLUMNS])
        assert pa.Table.from_pylist([row], schema).to_pylist() == [whole], uri
    assert told > len(files) * 0.8


@pytest.mark.parametrize(
    ("lines", "uri"),
    [
        (b'{"op":"mcm","pt":1,"mc":[{"id":"1.1","rc":[]}]}\n', "1.1.bz2"),  # no definition
        (b'{"op":"mcm","pt":1,"mc":[{"id":"1.1","marketDefinition":{"name":"a"}}]}\n', "1.1.bz2"),  # no event
        (b'{"op":"mcm","pt":1,"mc":[{"id":"1.1","marketDefinition":{"name":"a","eventName":"e"}}', "1.1.bz2"),
        (b'{"op":"mcm","pt":1,"mc":[{"id":"1.2","marketDefinition":{"name":"a","eventName":"e"}}]}\n', "1.1"),
        (
            b'{"op":"mcm","pt":1,"mc":[{"id":"1.1","marketDefinition":{"name":"a","eventName":"e"}}]}\n',
            "7/7.bz2",
        ),
        (b"", "1.1"),
        (b"\xff\n", "1.1"),
    ],
)
def test_an_end_that_does_not_tell_says_so(lines, uri):
    assert row_of_end(lines, uri) is None


def test_an_events_own_file_is_passed_over_beside_its_markets(folder, session):
    event = MADE[0].market.event_id
    (folder / MADE[0].name).parent.joinpath(f"{event}.bz2").write_bytes(MADE[0].data)
    alone = folder / "BASIC/2020/Jan/1/5/5.bz2"
    alone.parent.mkdir(parents=True)
    alone.write_bytes(bz2.compress(bz2.decompress(MADE[0].data) + bz2.decompress(MADE[1].data)))
    catalogue = ch.catalogue(folder, session=session)
    assert len(catalogue) == len(MADE) + 2  # both markets of the event that stands alone
    assert len(catalogue.uris) == len(MADE) + 1


# What is read


def test_only_what_is_new_or_replaced_is_read_and_what_is_gone_falls_out(folder, session, reading):
    ch.catalogue(folder, session=session)
    assert len(reading) == len(MADE)
    reading.clear()
    assert_right(ch.catalogue(folder, session=session), MADE)
    assert reading == []
    (folder / MADE[3].name).unlink()
    (folder / MADE[4].name).write_bytes(MADE[4].data + bz2.compress(b"\n"))
    (folder / "1.5.bz2").write_bytes(MADE[3].data)
    catalogue = ch.catalogue(folder, session=session)
    assert sorted(reading) == sorted([Path(MADE[4].name).name, "1.5.bz2"])
    assert f"{folder}/{MADE[3].name}" not in catalogue.uris
    assert f"{folder}/1.5.bz2" in catalogue.uris
    (folder / "1.5.bz2").unlink()
    ch.catalogue(folder, session=session)
    assert len(ch.catalogue(folder, session=session)) == len(MADE) - 1


def test_a_file_that_cannot_be_read_is_kept_with_its_reason(folder, session, reading):
    (folder / "1.6.bz2").write_bytes(MADE[0].data[:-20])
    (folder / "1.7.bz2").write_bytes(b"<html>no</html>")
    (folder / "1.8.bz2").write_bytes(bz2.compress(b'{"a":1}\n'))
    for _ in range(2):
        catalogue = ch.catalogue(folder, session=session)
        reasons = {Path(uri).name: error for uri, error in catalogue.failed.items()}
        assert reasons.keys() == {"1.6.bz2", "1.7.bz2", "1.8.bz2"}
        assert "cut off" in reasons["1.6.bz2"]
        assert "not bz2" in reasons["1.7.bz2"]
        assert "no market changes" in reasons["1.8.bz2"]
        assert_right(catalogue, MADE)
        assert "3 that cannot be read" in repr(catalogue)
    assert len(reading) == len(MADE) + 3


def test_a_file_that_may_not_be_read_is_tried_again(folder, session, reading, monkeypatch):
    locked = f"{folder}/{MADE[0].name}"
    by_end = CatalogueReader._by_end

    def refused(reader, store, entry):
        if entry.uri == locked:
            raise AccessDeniedError(entry.uri, "permission is denied")
        return by_end(reader, store, entry)

    with monkeypatch.context() as patch:
        patch.setattr(CatalogueReader, "_by_end", refused)
        assert ch.catalogue(folder, session=session).failed == {locked: "permission is denied"}
    reading.clear()
    assert_right(ch.catalogue(folder, session=session), MADE)
    assert reading == [Path(locked).name]


@pytest.mark.parametrize("kind", [*PACKERS, "zip"])
def test_an_archive_is_a_folder(tmp_path, session, kind):
    made = MADE[:25]
    archive = tmp_path / f"data.{kind}"
    if kind == "zip":
        archive.write_bytes(zipped({one.name: one.data for one in made}))
    else:
        archive.write_bytes(PACKERS[kind](tar([Put(one.name, one.data) for one in made])))
    for _ in range(2):
        catalogue = ch.catalogue(archive, session=session)
        assert_right(catalogue, made)
        assert sorted(catalogue.uris) == sorted(f"{archive}!/{one.name}" for one in made)
    plan = made[0].name.partition("/")[0]
    within = ch.catalogue(f"{archive}!/{plan}/", session=session)
    assert_right(within, [one for one in made if one.name.startswith(f"{plan}/")])


def test_many_files_are_read_by_several_processes(folder, session, monkeypatch):
    monkeypatch.setattr(units, "_ALONE", 0)
    monkeypatch.setattr(units, "_FILES", 7)
    monkeypatch.setattr(units, "usable_cores", lambda: [0, 1])
    assert_right(ch.catalogue(folder, session=session), MADE)


def test_a_large_file_is_read_at_its_end_alone(tmp_path, session, monkeypatch):
    from chimera_nb.data.catalogue import reading as module
    from chimera_nb.local.demo.files import market_of_size

    raw = market_of_size(5, 2_500_000, plan="PRO")
    market_id = raw.split(b'"id":"')[1].split(b'"')[0].decode()
    (tmp_path / "in").mkdir()
    (tmp_path / f"in/{market_id}.bz2").write_bytes(bz2.compress(raw))
    monkeypatch.setattr(module, "read_file", lambda *_: pytest.fail("read whole"))
    monkeypatch.setattr(module, "_END_BYTES", 120_000)
    assert rows_of(ch.catalogue(tmp_path / "in", session=session), "market_id", "status") == [
        {"market_id": market_id, "status": "CLOSED"}
    ]


# Cancelled, interrupted, at once


def test_cancelled_halfway_it_keeps_what_was_read(folder, session, reading, monkeypatch):
    monkeypatch.setattr(units, "_FILES", 10)
    cancel = threading.Event()

    def watch(progress):
        if progress.done >= 20:
            cancel.set()

    with pytest.raises(CatalogueCancelledError):
        ch.catalogue(folder, session=session, on_progress=watch, cancel=cancel)
    reading.clear()
    assert_right(ch.catalogue(folder, session=session), MADE)
    assert len(reading) == len(MADE) - 20


KILLED = """
import os, signal, sys
from pathlib import Path
import chimera_nb as ch
from chimera_nb.data.catalogue import make, units
from chimera_nb.session import Session
from chimera_nb.settings import Settings
make._KEEP_EVERY, units._FILES = 0.0, 10  # no waiting in a test
def killed(progress):
    if progress.done == 30:  # before the third ten are kept
        os.kill(os.getpid(), signal.SIGKILL)
ch.catalogue(sys.argv[1], session=Session(Settings(data_dir=Path(sys.argv[2]))), on_progress=killed)
"""


def test_killed_halfway_it_keeps_what_was_read_up_to_the_last_time_it_was_kept(
    folder, session, reading, tmp_path
):
    done = subprocess.run([sys.executable, "-c", KILLED, folder, tmp_path / ".chimera"], check=False)
    assert done.returncode == -signal.SIGKILL
    assert_right(ch.catalogue(folder, session=session), MADE)
    assert len(reading) == len(MADE) - 20
    left = [path.suffix for path in (tmp_path / ".chimera" / "catalogues").iterdir()]
    assert left == [".parquet"]


def test_a_kept_file_that_is_no_parquet_is_made_anew(folder, session, tmp_path, caplog):
    ch.catalogue(folder, session=session)
    (kept,) = (tmp_path / ".chimera/catalogues").iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    kept.write_bytes(kept.read_bytes()[:-100])
    assert_right(ch.catalogue(folder, session=session), MADE)
    assert "made anew" in caplog.text


def test_two_at_once_do_no_harm(folder, session, tmp_path):
    program = (
        "import sys, chimera_nb as ch; from chimera_nb.session import Session;"
        "from chimera_nb.settings import Settings; from pathlib import Path;"
        "print(len(ch.catalogue(sys.argv[1], session=Session(Settings(data_dir=Path(sys.argv[2]))))))"
    )
    command = [sys.executable, "-c", program, str(folder), str(tmp_path / ".chimera")]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=150)[0].strip() for process in both] == [str(len(MADE))] * 2
    assert_right(ch.catalogue(folder, session=session), MADE)


# Filters and counts


def test_values_of_a_facet_are_alternatives_and_facets_go_together(folder, session):
    catalogue = ch.catalogue(folder, session=session)

    def like(wanted):
        return sorted(one.market.market_id for one in MADE if wanted(one.market))

    def ids(found):
        return sorted(row["market_id"] for row in rows_of(found, "market_id"))

    assert ids(catalogue.filter(country=["GB", "IE"], market_type="WIN")) == like(
        lambda market: market.country in {"GB", "IE"} and market.market_type == "WIN"
    )
    assert ids(catalogue.filter(event_type_id="horse racing")) == like(
        lambda market: market.event_type == "7"
    )
    assert ids(catalogue.filter(event_type_id=7).filter(venue=None)) == []
    assert ids(catalogue.filter(venue=None)) == like(lambda market: market.venue is None)
    days = catalogue.filter(since="2020-01-01", until=date(2020, 1, 2))
    assert {row["date"] for row in rows_of(days, "date")} == {date(2020, 1, 1), date(2020, 1, 2)}
    assert len(catalogue.filter(country="GB").filter(country="IE")) == 0


def test_each_facet_is_counted_with_the_others_applied(folder, session):
    catalogue = ch.catalogue(folder, session=session).filter(country="GB", market_type="WIN")
    counts = catalogue.counts()
    for facet in catalogue.facets:
        expected: dict[str | None, int] = {}
        for one in MADE:
            market = one.expected
            if (facet == "country" or market["country"] == "GB") and (
                facet == "market_type" or market["market_type"] == "WIN"
            ):
                value = None if market[facet] is None else str(market[facet])
                expected[value] = expected.get(value, 0) + 1
        assert counts[facet] == expected
    assert list(counts["date"]) == sorted(counts["date"])
    assert catalogue.filter(country="XX").counts()["country"]["GB"] > 0
    assert catalogue.word("event_type_id", "7") == "Horse Racing"


def test_what_makes_no_sense_is_refused(folder, session, tmp_path):
    catalogue = ch.catalogue(folder, session=session)
    with pytest.raises(UnknownNameError, match="facet"):
        catalogue.filter(colour="red")
    with pytest.raises(RefusedError, match="no day"):
        catalogue.filter(since="yesterday")
    with pytest.raises(RefusedError, match="none of its views has facets"):
        ch.catalogue(folder, source="ndjson", session=session)
    for source in (None, "betfair"):
        with pytest.raises(NothingMatchesError):
            ch.catalogue(tmp_path / "nothing", source=source, session=session)
    with pytest.raises(RefusedError, match="no paths"):
        ch.catalogue([], session=session)


def test_a_view_outside_betfair_has_a_catalogue(tmp_path, session, monkeypatch):
    offer_weather(monkeypatch)
    for station, hours in {"Kew": 30, "Leith": 5}.items():
        lay(f"{tmp_path}/in", station, hours)
    catalogue = ch.catalogue(tmp_path / "in", session=session)  # Betfair's, asked first, has no file there
    assert catalogue.counts() == {
        "station": {"Kew": 30, "Leith": 5},
        "date": {"2026-01-01": 29, "2026-01-02": 6},
    }
    assert [Path(uri).name for uri in catalogue.filter(since="2026-01-02").uris] == ["kew.obs.gz"]


def test_paths_that_overlap_give_each_file_once(folder, session):
    both = ch.catalogue([folder, folder / "PRO"], session=session)
    assert_right(both, MADE)


# Ids


def test_ids_of_a_csv_choose_and_those_that_are_nowhere_are_named(folder, session, tmp_path):
    listed = tmp_path / "ids.csv"
    wanted = [MADE[1].market.market_id, MADE[2].market.market_id]
    listed.write_text("Name;Market ID\na;" + wanted[0] + "\nb;1.9\nc;" + wanted[1] + "\n")
    catalogue = ch.catalogue(folder, session=session).of_ids(listed)
    assert sorted(row["market_id"] for row in rows_of(catalogue, "market_id")) == sorted(wanted)
    assert catalogue.missing == ("1.9",)
    assert len(catalogue.uris) == 2
    assert len(ch.catalogue(folder, session=session).of_ids(wanted)) == 2


@pytest.mark.parametrize(
    "text",
    [b"market_id\n1.10\n1.2\n", b"\xef\xbb\xbf1.10\r\n1.2\r\n", b'x,marketId\n"a, b",1.10\n,1.2\n,1.2\n'],
)
def test_csvs_as_people_have_them(text):
    assert ids_of_csv(text, "ids.csv", "market_id") == ["1.10", "1.2"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "holds no ids"),
        (b"a,b\nc,d\n", "has no column market_id: it has a, b"),
        (b"market_id\n\n", "holds no ids in its column"),
        (gzip.compress(b"1.1", mtime=0), "no CSV in UTF-8"),
    ],
)
def test_a_csv_without_ids_is_refused(text, told):
    with pytest.raises(RefusedError, match=told):
        ids_of_csv(text, "ids.csv", "market_id")


def test_names_that_are_no_utf8_come_back_as_they_are(tmp_path, session):
    path = tmp_path / "in" / os.fsdecode(b"\xff") / "1.122000000.bz2"
    path.parent.mkdir(parents=True)
    path.write_bytes(MADE[0].data)
    catalogue = ch.catalogue(tmp_path / "in", session=session)
    assert catalogue.uris == [str(path)]
    assert parse_paths(os.fsencode(catalogue.uris[0]), "list") == catalogue.uris
    assert catalogue.frame().file[0].endswith("\\udcff/1.122000000.bz2")
