"""Jobs that write a view of a source outside Betfair: in this process, by the command line, on the Dataflow double."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import sys
from dataclasses import replace

import pandas as pd
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

import chimera_nb as ch
from pipeline.__main__ import main
from pipeline.proof import verify
from pipeline.read import held_lines, row_makers
from pipeline.storage import PlainStore
from pipeline.target.lifecycle import read_summary
from pipeline.target.results import ledger_records, output_shards
from tests.fixtures.command import run_beside
from tests.fixtures.row_makers import begin_all
from tests.fixtures.sources import install_weather
from tests.fixtures.weather import lay, observations, offer_weather

STORE = PlainStore()
HOURS = {"Kew": 24, "Leith": 700, "Bray": 51}
COLUMNS = ["station", "time", "date", "degrees", "rain", "line"]

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def weather(monkeypatch):
    offer_weather(monkeypatch)


@pytest.fixture(params=["folder", "bucket"])
def place(request, tmp_path):
    return f"gs://{request.getfixturevalue('bucket')}" if request.param == "bucket" else str(tmp_path)


def laid(place):
    for station, hours in HOURS.items():
        lay(f"{place}/in", station, hours, store=STORE)
    return f"{place}/in/"


def run(inputs, target, *options):
    return main(
        ["--input", inputs, "--target", target, "--source", "weather", "--view", "readings", *options]
    )


def expected():
    """(station, time, degrees) of every reading, sorted, made without the view."""
    readings = [one for station, hours in HOURS.items() for one in observations(station, hours)]
    return sorted((one["station"], one["time"], one["celsius"]) for one in readings)


def told(frame):
    times = frame["time"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    degrees = [None if math.isnan(value) else value for value in frame["degrees"].tolist()]
    return sorted(zip(frame["station"].tolist(), times.tolist(), degrees, strict=True))


@pytest.mark.parametrize("form", ["ndjson", "csv", "parquet"])
def test_a_job_writes_every_row_once_and_it_is_proved_and_read_back(place, form, weather, capsys):
    inputs, target = laid(place), f"{place}/out"
    lay(f"{place}/in", "Cut", 9, bad={4: b"{cut"}, store=STORE)
    assert run(inputs, target, "--format", form) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["files"]["complete"], summary["files"]["failed"]) == (3, 1)
    assert summary["rows"] == summary["lines"] == sum(HOURS.values())
    assert (summary["view"], summary["format"], summary["badLines"]) == ("readings", form, 1)
    records = {record.uri.rpartition("/")[2]: record for record in ledger_records(STORE, target)}
    assert {name: record.rows for name, record in records.items()} == {
        "cut.obs.gz": 0,
        **{f"{station.lower()}.obs.gz": hours for station, hours in HOURS.items()},
    }
    assert "line 4 (" in records["cut.obs.gz"].error
    assert all(uri.endswith(f".{form}") for uri in output_shards(STORE, target))
    verdict = verify(STORE, target, deep=True)
    assert verdict.proved, verdict.findings
    assert verdict.checked["filesCompared"] == 3
    frame = ch.read_output(target)
    assert list(frame) == COLUMNS
    assert told(frame) == expected()
    assert str(frame.dtypes["time"]) == "datetime64[ms, UTC]"


def test_a_job_whose_rows_other_processes_make_writes_the_same(tmp_path, weather, monkeypatch):
    inputs = laid(str(tmp_path))
    lay(f"{tmp_path}/in", "Cut", 9, bad={4: b"{cut"}, store=STORE)
    lay(f"{tmp_path}/in", "Odd", 9, bad=dict.fromkeys((4, 5, 6), b"{odd"), store=STORE)
    options = ["--format", "parquet", "--max-bad-lines", "1", "--keep-partial"]
    assert run(inputs, f"{tmp_path}/here", *options) == 0
    used = []

    @contextlib.contextmanager
    def ready():
        with opened():
            makers = row_makers._open[-1]
            begin_all(makers)
            used.extend(makers._processes)
            yield

    opened = row_makers.row_makers
    monkeypatch.setattr(row_makers, "usable_cores", lambda: [0, 1])
    monkeypatch.setattr(row_makers, "row_makers", ready)
    monkeypatch.setattr(row_makers, "view_rows", None)  # none is made in this process
    assert run(inputs, f"{tmp_path}/there", *options) == 0
    assert [process._process.poll() for process in used] == [-9, -9]
    here, there = (
        {
            record.uri: replace(
                record, job_id=None, shard=None, offset=None, seconds=0, wire_seconds=0, disk_seconds=0
            )
            for record in ledger_records(STORE, f"{tmp_path}/{name}")
        }
        for name in ("here", "there")
    )
    assert here == there
    assert {record.status for record in here.values()} == {"complete", "failed"}
    frames = [
        ch.read_output(f"{tmp_path}/{name}").sort_values(["station", "line"]) for name in ("here", "there")
    ]
    pd.testing.assert_frame_equal(*(frame.reset_index(drop=True) for frame in frames))


def test_every_shard_of_csv_begins_with_the_names_of_the_columns(tmp_path, weather):
    inputs = laid(str(tmp_path))
    assert run(inputs, f"{tmp_path}/out", "--format", "csv") == 0
    for uri in output_shards(STORE, f"{tmp_path}/out"):
        header, *rows = csv.reader(io.StringIO(STORE.read_bytes(uri).decode()))
        assert header == COLUMNS
        assert rows


def test_parquet_in_folders_is_what_others_read_as_a_dataset(place, weather):
    inputs, target = laid(place), f"{place}/out"
    assert run(inputs, target, "--format", "parquet", "--partition-by", "station,date") == 0
    verdict = verify(STORE, target, deep=True)
    assert verdict.proved, verdict.findings
    assert told(ch.read_output(target)) == expected()
    kew = ch.read_output(target, columns=["degrees"], where={"station": "Kew"})
    assert len(kew) == 24
    if place.startswith("gs://"):
        return
    table = ds.dataset(f"{target}/output", partitioning="hive").to_table()
    assert table.num_rows == sum(HOURS.values())
    assert set(table.column("station").to_pylist()) == set(HOURS)
    assert pq.ParquetFile(output_shards(STORE, target)[0]).schema_arrow.names == [
        name for name in COLUMNS if name not in ("station", "date")
    ]


def test_a_result_in_folders_is_replaced_whole(tmp_path, weather):
    inputs, target = laid(str(tmp_path)), f"{tmp_path}/out"
    assert run(inputs, target, "--format", "parquet", "--partition-by", "date") == 0
    assert run(inputs, target, "--format", "parquet") == 2  # refused: it holds output
    assert run(inputs, target, "--format", "csv", "--overwrite") == 0
    assert [uri.rpartition(".")[2] for uri in output_shards(STORE, target)] == ["csv"]
    assert not list((tmp_path / "out" / "output").rglob("*.parquet"))


def test_a_workbook_is_one_shard_that_is_proved(place, weather):
    inputs, target = laid(place), f"{place}/out"
    assert run(inputs, target, "--format", "xlsx") == 0
    (shard,) = output_shards(STORE, target)
    assert shard.endswith("/output/output-00000-of-00001.xlsx")
    verdict = verify(STORE, target, deep=True)
    assert verdict.proved, verdict.findings
    assert [finding.kind for finding in verdict.findings] == ["not-checked"]
    with pytest.raises(ch.ChimeraError, match="holds a workbook, which a spreadsheet reads"):
        ch.read_output(target)


def test_rows_of_ndjson_may_be_laid_out_in_a_number_of_shards(tmp_path, weather):
    inputs, target = laid(str(tmp_path)), f"{tmp_path}/out"
    assert run(inputs, target, "--shards", "4") == 0
    assert len(output_shards(STORE, target)) == 4
    assert verify(STORE, target, deep=True).proved
    assert told(ch.read_output(target)) == expected()


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_what_was_changed_since_is_found_out(tmp_path, form, weather):
    inputs, target = laid(str(tmp_path)), f"{tmp_path}/out"
    assert run(inputs, target, "--format", form) == 0
    (shard,) = output_shards(STORE, target)
    data = bytearray(STORE.read_bytes(shard))
    at = len(data) // 3
    data[at] ^= 1
    STORE.write_bytes(shard, bytes(data))
    verdict = verify(STORE, target)
    assert not verdict.proved
    assert "shard-changed" in verdict.counts
    STORE.delete([shard])
    assert verify(STORE, target).counts["shard-missing"] == 1


def test_another_row_in_a_file_of_the_same_name_is_found_out(tmp_path, weather):
    inputs, target = laid(str(tmp_path)), f"{tmp_path}/out"
    assert run(inputs, target, "--format", "parquet", "--partition-by", "date") == 0
    lay(f"{tmp_path}/in", "Kew", 24, bad={5: json.dumps(observations("Kew", 1, 99)[0]).encode()})
    found = {finding.kind: finding.text for finding in verify(STORE, target, deep=True).findings}
    assert "has more rows than the output has of it in date=2026-01-05/" in found["lines-differ"]


def test_a_files_rows_are_taken_out_of_parquet_as_lines(tmp_path, weather):
    inputs, target = laid(str(tmp_path)), f"{tmp_path}/out"
    assert run(inputs, target, "--format", "parquet", "--partition-by", "date") == 0
    record, blocks = ch.extract(target, "leith.obs.gz")
    rows = [json.loads(line) for block in blocks for line in block.splitlines()]
    assert len(rows) == record.rows == HOURS["Leith"]
    assert {row["station"] for row in rows} == {"Leith"}


def test_rows_that_fit_nowhere_are_made_twice(tmp_path, weather, monkeypatch):
    monkeypatch.setattr(held_lines.memory_room, "_free", 0)
    inputs, target = laid(str(tmp_path)), f"{tmp_path}/out"
    assert run(inputs, target, "--format", "parquet", "--spool-mb", "0") == 0
    assert verify(STORE, target, deep=True).proved
    assert told(ch.read_output(target)) == expected()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--view-options", "unit=kelvin"], "give unit: celsius or fahrenheit"),
        (["--format", "feather"], "no format is named 'feather'"),
        (["--format", "parquet", "--shards", "2"], "not to be had of format parquet"),
        (["--view", "races"], "no view of source weather is named 'races'"),
    ],
)
def test_what_makes_no_sense_is_refused_with_nothing_written(tmp_path, options, said, weather, capsys):
    inputs = laid(str(tmp_path))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "exit", lambda code: (_ for _ in ()).throw(SystemExit(code)))
        try:
            code = run(inputs, f"{tmp_path}/out", *options)
        except SystemExit as e:
            code = e.code
    assert code == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


# By the command line


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return install_weather(tmp_path_factory.mktemp("weather"))


def test_a_view_is_listed_looked_into_and_submitted_by_the_command_line(site, tmp_path):
    laid(str(tmp_path))
    assert "weather readings: one row a reading" in run_beside(site, tmp_path, "views", "weather")
    (listed,) = json.loads(run_beside(site, tmp_path, "views", "weather", "--json"))
    assert listed["partitions"] == ["station", "date"]
    peek = [
        "peek",
        "in/2026/kew.obs.gz",
        "-n",
        "3",
        "--view",
        "readings",
        "--view-options",
        "unit=fahrenheit",
    ]
    shown = json.loads(run_beside(site, tmp_path, *peek, "--json"))
    assert [row["degrees"] for row in shown["rows"]] == [32.45, 32.0, None]
    options = [
        "--view",
        "readings",
        "--format",
        "parquet",
        "--view-options",
        "least=2",
        "--source",
        "weather",
    ]
    document = json.loads(
        run_beside(site, tmp_path, "submit", "in", "--target", "out", *options, "--wait", "--json")
    )
    assert document["status"] == "complete"
    assert document["summary"]["viewOptions"] == "least=2"
    assert document["progress"]["lines"] == document["summary"]["rows"] < sum(HOURS.values())
    assert "proved" in run_beside(site, tmp_path, "verify", document["jobId"], "--deep")


def test_a_view_by_workers_of_dataflow(site, on_stack, bucket):
    place = f"gs://{bucket}"
    laid(place)
    lay(f"{place}/in", "Cut", 9, bad={4: b"{cut"}, store=STORE)
    options = [
        "--source",
        "weather",
        "--view",
        "readings",
        "--format",
        "parquet",
        "--partition-by",
        "station",
    ]
    arguments = ["submit", f"{place}/in/", "--target", f"{place}/out", *options, "--runner", "dataflow"]
    folder = on_stack.data_dir if hasattr(on_stack, "data_dir") else "."
    document = json.loads(run_beside(site, folder, *arguments, "--wait", "--json", **on_stack.exports()))
    assert document["status"] == "complete"
    assert read_summary(STORE, f"{place}/out")["rows"] == sum(HOURS.values())
    with pytest.MonkeyPatch.context() as patch:
        offer_weather(patch)
        verdict = verify(STORE, f"{place}/out", deep=True)
        assert verdict.proved, verdict.findings
        assert told(ch.read_output(f"{place}/out")) == expected()
