"""Views as DataFrames: of files, of a job's output, of one file's first rows; and as the result tab has them."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import chimera_nb as ch
from chimera_nb.data import view_processes
from chimera_nb.data.arrow_frames import frame_of_rows
from chimera_nb.data.row_output import RowOutput
from chimera_nb.data.table.source import OutputRecords
from chimera_nb.data.view import ViewWarning
from chimera_nb.widgets.job_monitor.result import describe_result, first_records_of, shards_of
from chimera_nb.widgets.table.looking import Looking
from chimera_nb.widgets.table.requests import Look
from pipeline import processes
from pipeline.__main__ import main
from pipeline.errors import (
    BadFileError,
    JobError,
    NothingMatchesError,
    OptionRefusedError,
    RefusedError,
    StorageError,
    TooManyFailuresError,
    UnknownNameError,
)
from pipeline.target.lifecycle import read_summary
from pipeline.target.results import output_shards
from tests.fixtures.weather import STORE, lay, offer_weather


@pytest.fixture(autouse=True)
def weather(monkeypatch):
    offer_weather(monkeypatch)


@pytest.fixture
def inputs(tmp_path):
    for station, hours in {"Kew": 24, "Leith": 30}.items():
        lay(f"{tmp_path}/in", station, hours)
    return f"{tmp_path}/in/"


def written(inputs, target, form, *options):
    options = ["--source", "weather", "--view", "readings", "--format", form, *options]
    assert main(["--input", inputs, "--target", str(target), "--job-id", "j-1", *options]) == 0
    return str(target)


# dtypes


def test_pandas_own_dtypes_where_they_lose_nothing_and_arrows_else():
    table = pa.table(
        {
            "n": pa.array([2**60 + 1, None], pa.int64()),
            "small": pa.array([1, 2], pa.uint8()),
            "ok": pa.array([True, None]),
            "text": pa.array(["a", None]),
            "x": pa.array([1.5, None]),
            "nan": pa.array([float("nan"), None]),
            "at": pa.array([1, None], pa.timestamp("ms", "UTC")),
            "day": pa.array([date(2026, 1, 2), None]),
            "ids": pa.array([[1], None]),
        }
    )
    frame = frame_of_rows(table)
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        "n": "Int64",
        "small": "UInt8",
        "ok": "boolean",
        "text": "string",
        "x": "float64",
        "nan": "double[pyarrow]",
        "at": "datetime64[ms, UTC]",
        "day": "date32[day][pyarrow]",
        "ids": "list<item: int64>[pyarrow]",
    }
    assert frame.n[0] == 2**60 + 1
    assert pa.array(frame.nan).null_count == 1
    assert np.isnan(frame.x[1])


# Of files


def test_a_view_of_files_has_the_rows_of_all_in_the_order_of_their_names(inputs):
    frame = ch.view(inputs, "readings")
    assert frame.station.tolist() == ["Kew"] * 24 + ["Leith"] * 30
    assert frame.time.is_monotonic_increasing is False
    assert frame.attrs["view"] == {
        "source": "weather",
        "view": "readings",
        "files": 2,
        "files_failed": 0,
        "files_noted": 0,
    }
    warm = ch.view([inputs], "readings", source="weather", unit="fahrenheit", least=2)
    assert warm.degrees.min() >= 32
    one = ch.view(f"{inputs}2026/kew.obs.gz", "readings")
    pd.testing.assert_frame_equal(one, frame[:24])


def test_files_are_read_by_as_many_processes_as_there_are_cores(inputs, monkeypatch):
    alone = ch.view(inputs, "readings")
    begun = []

    class Counted(processes.Process):
        def __enter__(self):
            begun.append(self)
            return super().__enter__()

    monkeypatch.setattr(processes, "Process", Counted)
    monkeypatch.setattr(view_processes, "_ALONE_BYTES", 0)
    monkeypatch.setattr(view_processes, "_AT_ONCE", 1)
    monkeypatch.setattr(view_processes, "usable_cores", lambda: [0, 1, 2])
    lay(inputs.rstrip("/"), "Bad", 5, bad={2: b"{"})
    with pytest.warns(
        ViewWarning, match=r"1 of 3 files cannot be read.*bad\.obs\.gz: holds a line that does not"
    ):
        beside = ch.view(inputs, "readings")
    assert len(begun) == 3
    assert all(reader._process.returncode is not None for reader in begun)
    pd.testing.assert_frame_equal(beside, alone)


def test_a_process_that_dies_is_said_and_none_is_left(inputs, monkeypatch):
    def ends(*_, **__):
        return subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    monkeypatch.setattr(view_processes, "_ALONE_BYTES", 0)
    monkeypatch.setattr(view_processes, "_AT_ONCE", 1)
    monkeypatch.setattr(view_processes, "usable_cores", lambda: [0, 1])
    monkeypatch.setattr(
        processes, "subprocess", type("", (), {"Popen": staticmethod(ends), "PIPE": subprocess.PIPE})
    )
    with pytest.raises(JobError, match=r"a process that reads files has ended"):
        ch.view(inputs, "readings")


def test_files_that_cannot_be_read_are_told(inputs):
    bad = lay(inputs.rstrip("/"), "Bad", 5, bad={2: b"{", 3: b"{"})
    with pytest.warns(ViewWarning, match="1 of 3 files"):
        frame = ch.view(inputs, "readings")
    assert (len(frame), frame.attrs["view"]["files_failed"]) == (54, 1)
    with pytest.raises(BadFileError, match=r"bad\.obs\.gz: holds a line that does not decode: line 2 "):
        ch.view(bad, "readings")
    assert len(ch.view(bad, "readings", max_bad_lines=2)) == 3
    lay(f"{inputs}only", "Bad", 5, bad={1: b"no"})
    lay(f"{inputs}only", "Worse", 5, bad={1: b"no"})
    with pytest.raises(TooManyFailuresError, match="none of the 2 files can be read"):
        ch.view(f"{inputs}only/", "readings")


def test_what_makes_no_sense_is_refused(inputs, monkeypatch):
    with pytest.raises(UnknownNameError, match="no view is named 'races'"):
        ch.view(inputs, "races")
    with pytest.raises(UnknownNameError, match="no view of source ndjson is named 'readings'"):
        ch.view(inputs, "readings", source="ndjson")
    with pytest.raises(OptionRefusedError, match="unit is 'kelvin'"):
        ch.view(inputs, "readings", unit="kelvin")
    with pytest.raises(NothingMatchesError):
        ch.view(f"{inputs}nothing/", "readings")
    monkeypatch.setattr("chimera_nb.data.view.available_memory", lambda: 1000)
    with pytest.raises(RefusedError, match="submit a job with view='readings'"):
        ch.view(inputs, "readings")


def test_peek_shows_the_first_rows_and_those_before_a_fault(inputs):
    uri = f"{inputs}2026/kew.obs.gz"
    frame = ch.peek(uri, 3, view="readings", view_options={"unit": "fahrenheit"}, columns=["line", "degrees"])
    assert (list(frame), frame.line.tolist()) == (["line", "degrees"], [1, 2, 3])
    STORE.write_bytes(uri, STORE.read_bytes(uri)[:-4])
    with pytest.raises(BadFileError):
        ch.peek(uri, 3, view="readings")
    with pytest.raises(RefusedError, match="explode and records are of records"):
        ch.peek(uri, 3, view="readings", explode="rain")
    with pytest.raises(UnknownNameError, match="no column is named 'wind'"):
        ch.peek(f"{inputs}2026/leith.obs.gz", 3, view="readings", columns=["wind"])


# Of a job's output


@pytest.mark.parametrize("form", ["ndjson", "csv", "parquet"])
def test_rows_of_an_output_are_chosen_and_batched(inputs, tmp_path, form):
    target = written(inputs, tmp_path / "out", form)
    assert ch.read_output(target, columns=["rain", "station"]).columns.tolist() == ["rain", "station"]
    kew = ch.read_output(target, columns=["degrees"], where={"station": ["Kew"]})
    assert (list(kew), len(kew)) == (["degrees"], 24)
    wet = ch.read_output(target, where=lambda row: len(row["rain"]) == 2)
    assert set(wet.rain.map(len)) == {2}
    batches = list(ch.read_output(target, batch_rows=20))
    assert [len(batch) for batch in batches] == [20, 20, 14]
    assert batches[0].dtypes.equals(ch.read_output(target).dtypes)
    for asked in ({"columns": ["wind"]}, {"where": {"wind": 1}}):
        with pytest.raises(UnknownNameError, match="no column is named 'wind'"):
            ch.read_output(target, **asked)
    with pytest.raises(RefusedError, match="rows of a view"):
        ch.read_output(target, explode="rain")


def test_an_output_without_rows_has_its_columns(inputs, tmp_path):
    target = written(inputs, tmp_path / "out", "parquet", "--view-options", "least=1000")
    frame = ch.read_output(target)
    assert (len(frame), list(frame)[:2]) == (0, ["station", "time"])
    looking = Looking(Look(view="v", subject="j-1", look=1))
    looking.run(OutputRecords(STORE, target, "j-1"))
    table = looking.answers.popleft()
    assert ([name for name, *_ in table.columns][:2], table.rows) == (["station", "time"], ())


def test_an_output_that_was_changed_is_not_read(inputs, tmp_path, monkeypatch):
    target = written(inputs, tmp_path / "out", "parquet")
    (shard,) = output_shards(STORE, target)
    data = STORE.read_bytes(shard)
    STORE.write_bytes(shard, data + b"x")
    with pytest.raises(StorageError, match="it was changed since the job wrote it"):
        ch.read_output(target)
    STORE.delete([shard])
    with pytest.raises(StorageError, match="is missing"):
        ch.read_output(target)
    STORE.write_bytes(shard, data)
    monkeypatch.setattr("chimera_nb.data.row_frames.available_memory", lambda: 1000)
    with pytest.raises(RefusedError, match="read it in batches"):
        ch.read_output(target)
    summary = {**read_summary(STORE, target), "arrowSchema": "?"}
    with pytest.raises(StorageError, match="does not say what columns"):
        RowOutput(STORE, target, summary)


# In the result tab


@pytest.mark.parametrize(
    ("form", "options"),
    [("ndjson", ()), ("csv", ()), ("parquet", ()), ("parquet", ("--partition-by", "station"))],
)
def test_the_result_tab_shows_the_first_rows_of_each_format(inputs, tmp_path, form, options):
    target = written(inputs, tmp_path / "out", form, *options)
    result = describe_result(STORE, target, "j-1")
    looking = Looking(Look(view="v", subject="j-1", look=1))
    looking.run(OutputRecords(STORE, target, "j-1"))
    table = looking.answers.popleft()
    assert [(name, kind) for name, kind, _ in table.columns] == [
        ("station", "text"),
        ("time", "time"),
        ("date", "day"),
        ("degrees", "number"),
        ("rain", "text"),
        ("line", "number"),
    ]
    assert table.rows[0][0] in ("Kew", "Leith")
    assert table.rows[0][1:3] == ("2026-01-01 00:00:00", "2026-01-01")
    assert (table.matched, table.kept, result.rows_read) == (54, 54, 54)
    assert result.missing == 0
    if options:
        assert result.shards[0].name == "station=Kew/output-00000-of-00002.parquet"
    assert any(series.name == "degrees" for series in result.plot.series)


def test_the_result_tab_lists_a_workbook_and_shows_no_rows_of_it(inputs, tmp_path):
    target = written(inputs, tmp_path / "out", "xlsx")
    result = describe_result(STORE, target, "j-1")
    assert [shard.name for shard in result.shards] == ["output-00000-of-00001.xlsx"]
    with pytest.raises(RefusedError, match="a workbook, which a spreadsheet opens"):
        OutputRecords(STORE, target, "j-1")
    assert first_records_of(STORE, target, shards_of(STORE, target, "j-1")) == []
