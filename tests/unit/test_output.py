from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from chimera_nb.data import output
from chimera_nb.data.frames import HalfCharacterWarning, NotJsonWarning
from chimera_nb.data.nested import reach
from chimera_nb.data.output import available_memory, read_output
from chimera_nb.jobs.open_log import open_log
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.settings import load_settings
from pipeline.errors import JobNotFoundError, RefusedError, StorageError, UnknownNameError
from pipeline.spec import JobSpec
from pipeline.target.layout import shard_uri, summary_uri

ID = "2026-01-31-1a2b3c4d"
RECORDS = [
    {
        "op": "mcm",
        "id": n,
        "spn": "NaN" if n % 3 else n / 2,
        "def": {"eventId": str(n % 4), "x.y": n},
        "l": [n],
    }
    for n in range(100)
]


@pytest.fixture(autouse=True)
def data_dir(monkeypatch, tmp_path) -> Path:
    monkeypatch.setenv("CHIMERA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("CHIMERA_PLACE", raising=False)
    return tmp_path / "data"


@pytest.fixture
def target(tmp_path) -> Path:
    """What a job over RECORDS leaves: three shards and a summary."""
    return write(tmp_path / "out", RECORDS)


def write(target: Path, records, *, shards: int = 3, extra: bytes = b"") -> Path:
    lines = [json.dumps(record).encode() + b"\n" for record in records] + ([extra] if extra else [])
    for index in range(shards):
        path = Path(shard_uri(str(target), "output", index, shards))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(lines[len(lines) * index // shards : len(lines) * (index + 1) // shards]))
    size, count = sum(map(len, lines)), sum(line.count(b"\n") for line in lines)
    summary = {"jobId": ID, "shards": shards, "outputBytes": size, "lines": count}
    Path(summary_uri(str(target))).write_text(json.dumps(summary))
    return target


def record(target: Path, job_id: str = ID, **changes) -> JobRecord:
    spec = JobSpec(inputs=("/in/",), target=str(target), job_id=job_id)
    return replace(JobRecord.from_spec(spec, runner="direct", created_by="me"), **changes)


def test_the_whole_output_comes_in_the_order_of_the_shards(target):
    frame = read_output(str(target))
    assert frame.id.tolist() == list(range(100))
    assert frame.dtypes.astype(str).to_dict() == {
        "op": "string",
        "id": "Int64",
        "spn": "float64",
        "def": "object",
        "l": "object",
    }
    assert read_output(f"{target}/").equals(frame)
    assert read_output(target).equals(frame)


def test_a_job_is_known_by_its_id_or_its_record(target, data_dir):
    complete = record(target, status=Status.COMPLETE)
    assert len(read_output(complete)) == 100
    with pytest.raises(JobNotFoundError):
        read_output(ID)
    log = open_log(load_settings())
    log.create(complete)
    log.close()
    assert len(read_output(ID)) == 100


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED, Status.RUNNING])
def test_a_job_that_is_not_complete_has_no_output(target, status):
    with pytest.raises(RefusedError, match=rf"job {ID} is {status.value} \(why\), so it has no output"):
        read_output(record(target, status=status, error="why"))


def test_a_target_without_a_summary_is_refused(target):
    Path(summary_uri(str(target))).unlink()
    with pytest.raises(RefusedError, match=r"holds no complete output: there is no .*/summary\.json"):
        read_output(target)
    with pytest.raises(RefusedError, match="holds no complete output"):
        read_output(target / "absent")


def test_another_jobs_output_is_not_taken_for_this_ones(target):
    with pytest.raises(RefusedError, match=f"now holds the output of job {ID}, not of 2026-01-31-other123"):
        read_output(record(target, "2026-01-31-other123", status=Status.COMPLETE))


@pytest.mark.filterwarnings("ignore::chimera_nb.data.frames.NotJsonWarning")
def test_shards_that_are_not_the_jobs_are_an_error(target):
    first, last = (Path(shard_uri(str(target), "output", index, 3)) for index in (0, 2))
    whole = first.read_bytes()
    first.write_bytes(whole[:-5])
    with pytest.raises(StorageError, match="were changed since; run the job again"):
        read_output(target)
    first.write_bytes(whole.replace(b"\n", b" ", 1))
    with pytest.raises(StorageError, match="hold 99 lines where the job wrote 100"):
        read_output(target)
    with pytest.raises(StorageError, match="hold 99 lines"):
        list(read_output(target, batch_rows=7))
    last.unlink()
    with pytest.raises(StorageError, match=r"output-00002-of-00003.ndjson: is missing, with which 1 of 3"):
        read_output(target)


def test_a_summary_that_is_not_one_is_an_error(target):
    Path(summary_uri(str(target))).write_text("{}")
    with pytest.raises(StorageError, match="has no numbers of the output"):
        read_output(target)


def test_a_job_that_wrote_no_shard_gives_an_empty_frame(tmp_path):
    Path(tmp_path / "out").mkdir()
    write(tmp_path / "out", [], shards=0)
    assert read_output(tmp_path / "out").shape == (0, 0)
    assert read_output(tmp_path / "out", columns=["a"]).shape == (0, 1)
    assert list(read_output(tmp_path / "out", batch_rows=5)) == []


# A part of it


def test_columns_reach_into_objects(target):
    frame = read_output(target, columns=["def.eventId", "id", "def.x.y"])
    assert list(frame.columns) == ["def.eventId", "id", "def.x.y"]
    assert frame["def.eventId"].tolist() == [str(n % 4) for n in range(100)]
    assert frame["def.x.y"].tolist() == list(range(100))
    with pytest.raises(UnknownNameError, match="no column is named 'nope'"):
        read_output(target, columns=["id", "nope"])


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ({"id": 7}, [7]),
        ({"id": [7, 9, 500], "op": "mcm"}, [7, 9]),
        ({"def.eventId": {"3"}, "id": range(9)}, [3, 7]),
        ({"op": "other"}, []),
        (lambda record: record["id"] > 97, [98, 99]),
    ],
)
def test_records_can_be_chosen_by_their_fields(target, where, ids):
    assert read_output(target, where=where, columns=["id"])["id"].tolist() == ids
    assert [n for batch in read_output(target, where=where, batch_rows=1) for n in batch.id] == ids


def test_a_misspelt_field_to_choose_by_is_refused_instead_of_finding_nothing(target):
    with pytest.raises(UnknownNameError, match="no column is named 'opp'"):
        read_output(target, where={"opp": "mcm"})
    assert len(read_output(target, where={"opp": None})) == len(read_output(target))  # asked for as missing


def test_a_column_is_known_if_any_record_has_it_even_without_a_value(tmp_path):
    target = write(tmp_path / "out", [{"a": 1, "n": None}, {"a": 2, "d": {"b": 5}}])
    assert read_output(target, columns=["d.b", "n"], where={"a": 1}).isna().all(axis=None)
    assert len(read_output(target, columns=["n"])) == 2
    with pytest.raises(UnknownNameError, match=r"no column is named 'd\.c'; there are: a, d, n"):
        read_output(target, columns=["a", "d.c"])
    with pytest.raises(UnknownNameError, match="'nope'"):
        list(read_output(target, columns=["nope"], batch_rows=1))


@pytest.mark.parametrize(
    ("where", "places"),
    [
        ({"v": {"s", 1}}, [2, 3]),
        ({"v": {"k": 1}}, [1]),
        ({"v": [[1], {"k": 1}]}, [0, 1]),
        ({"v": {"k": 2}}, []),
    ],
)
def test_fields_that_hold_lists_and_objects_can_be_asked_for(tmp_path, where, places):
    values = [[1], {"k": 1}, "s", 1, "k"]
    target = write(tmp_path / "out", [{"at": at, "v": value} for at, value in enumerate(values)])
    assert read_output(target, where=where, columns=["at"])["at"].tolist() == places


def test_a_name_is_itself_before_it_is_a_way():
    assert reach({"a.b": 1, "a": {"b": 2}}, "a.b") == 1
    assert reach({"a": {"b.c": 3}, "a.b": {"d": 4}}, "a.b.c") == 3
    assert reach({"a": {"b.c": 3}, "a.b": {"d": 4}}, "a.b.d") == 4
    assert reach({"a": [1]}, "a.b") is None


def test_lines_that_are_no_records_are_kept_or_told_of(tmp_path):
    target = write(tmp_path / "out", RECORDS[:3], shards=1, extra=b"no json\n\n")
    with pytest.warns(NotJsonWarning, match="1 of 4 lines"):
        frame = read_output(target, columns=["id"])
    assert list(frame.columns) == ["id", "_line"]
    assert frame._line.tolist()[3] == "no json"
    with pytest.warns(NotJsonWarning, match="`where` left them out"):
        assert len(read_output(target, where={"op": "mcm"})) == 3


# More than fits


def test_batches_hold_everything_once(target):
    batches = list(read_output(target, batch_rows=30))
    assert [len(batch) for batch in batches] == [30, 30, 30, 10]
    assert pd.concat(batches)["id"].tolist() == list(range(100))
    with pytest.raises(RefusedError, match="batch_rows is 0"):
        read_output(target, batch_rows=0)


def test_an_output_beyond_the_memory_is_refused_before_it_is_read(target, monkeypatch):
    size = sum(path.stat().st_size for path in (target / "output").iterdir())
    enough = int(size * output.FRAME_RATIO / output.MEMORY_SHARE) + 1
    monkeypatch.setattr(output, "available_memory", lambda: enough)
    assert len(read_output(target)) == 100
    monkeypatch.setattr(output, "available_memory", lambda: enough // 2)
    monkeypatch.setattr(output, "_rows", lambda *_: iter(lambda: pytest.fail("it was read"), None))
    with pytest.raises(RefusedError, match=r"GB of memory that are available; read it in batches .*columns="):
        read_output(target)


def test_a_choice_that_fills_the_memory_is_stopped_on_the_way(target, monkeypatch):
    monkeypatch.setattr(output, "_READ_BYTES", 500)
    left = iter([10**6, *[900_000, 700_000, 500_000, 400_000], *[300_000] * 9])
    monkeypatch.setattr(output, "available_memory", lambda: next(left))
    with pytest.raises(RefusedError, match="read it in batches"):
        read_output(target, columns=["id"])
    assert next(left) == 300_000


def test_the_memory_that_is_available_is_known():
    assert 1 << 20 < available_memory() < 1 << 50


def test_a_frame_takes_about_the_memory_that_is_reckoned_with():
    """Deep sizes of the frame of a made market; the ratio that is documented is of a real one."""
    import sys

    from chimera_nb.data.frames import frame_of_lines
    from chimera_nb.local.demo.files import market_of_size

    raw = market_of_size(5, 400_000)

    def deep(value) -> int:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return sys.getsizeof(value) + sum(map(deep, inner))

    frame = frame_of_lines(raw.splitlines())
    size = sum(deep(value) for name in frame for value in frame[name].tolist())
    assert output.FRAME_RATIO / 4 < size / len(raw) < output.FRAME_RATIO * 1.5


# Names that are somebody's, and what is no NDJSON


def test_fields_may_have_any_name(tmp_path):
    records = [{"_line": 40, "_file": "a", "_NoRecord": 1}, {"_line": 41}, {"_line": None}, {"__line": "x"}]
    target = write(tmp_path / "out", records, shards=1, extra=b"no json\n")
    with pytest.warns(
        NotJsonWarning, match="1 of 5 lines .*; the first is 'no json'. They are in the column ___line"
    ):
        frame = read_output(target)
    assert frame._line.tolist() == [40, 41, pd.NA, pd.NA, pd.NA]
    assert frame.___line.tolist()[4] == "no json"
    with pytest.warns(NotJsonWarning, match="1 lines are no JSON objects, and `where` left them out"):
        assert len(read_output(target, where={"_line": [40, 41]})) == 2
    with pytest.warns(NotJsonWarning, match="They are in the column __line, as text"):
        assert read_output(target, columns=["_line"])._line.tolist()[:2] == [40, 41]
    with pytest.raises(
        UnknownNameError, match="no column is named 'nope'; there are: _NoRecord, __line, _file, _line"
    ):
        read_output(target, columns=["nope"])


@pytest.mark.parametrize("options", [{}, {"columns": ["n", "d.k"]}])
def test_arrays_pretty_printed_and_joined_records_are_read_where_asked(tmp_path, options):
    records = [{"n": n, "d": {"k": [n]}} for n in range(40)]
    parts = [
        json.dumps(records[:10], indent=1),
        *map(json.dumps, records[10:20]),
        "".join(map(json.dumps, records[20:30])),
    ]
    parts += [json.dumps(one, indent=2) for one in records[30:]]
    lines = [line for part in parts for line in part.split("\n")]
    target = write(tmp_path / "out", [], shards=1)
    write_lines(target, lines, shards=3)
    frame = read_output(target, records="auto", **options)
    assert frame.n.tolist() == list(range(40))
    assert frame[list(frame.columns)[1]].tolist()[39] == ([39] if options else {"k": [39]})
    batches = list(read_output(target, records="auto", batch_rows=15, **options))
    assert [len(batch) for batch in batches] == [15, 15, 10]
    with pytest.warns(
        NotJsonWarning, match="look like one JSON array: peek, sample and read_output read it with"
    ):
        assert len(read_output(target)) == len(lines)


def write_lines(target: Path, lines: list[str], shards: int) -> None:
    for index in range(shards):
        some = lines[len(lines) * index // shards : len(lines) * (index + 1) // shards]
        Path(shard_uri(str(target), "output", index, shards)).write_text(
            "".join(f"{line}\n" for line in some)
        )
    for path in (target / "output").glob("*-of-00001.ndjson"):
        path.unlink()
    size = sum(len(line) + 1 for line in lines)
    summary = {"jobId": ID, "shards": shards, "outputBytes": size, "lines": len(lines)}
    Path(summary_uri(str(target))).write_text(json.dumps(summary))


# Larger than foreseen


def test_records_keyed_by_ids_are_refused_with_a_way_out(tmp_path):
    records = [{f"1.{at}{k:03}": {"ltp": k} for k in range(20)} for at in range(2000)]
    target = write(tmp_path / "out", records)
    for options in ({}, {"batch_rows": 2000}):
        with pytest.raises(RefusedError, match=r"40,000 columns for 2,000 rows.*explode=True"):
            list(read_output(target, **options))
    rows = read_output(target, explode=True, columns=["key", "value.ltp"])
    assert rows.key.tolist() == [name for record in records for name in record]
    assert rows["value.ltp"].tolist() == [k for _ in range(2000) for k in range(20)]
    with pytest.raises(UnknownNameError, match="no column is named 'nope'; there are") as error:
        read_output(target, columns=["nope"])
    assert len(str(error.value)) < 300


def test_a_field_is_taken_apart_into_rows(target):
    frame = read_output(target, explode="l", columns=["id", "l"], where={"id": range(5)})
    assert frame.l.tolist() == [0, 1, 2, 3, 4]
    objects = read_output(target, explode="def", columns=["id", "def.key", "def.value"])
    assert objects["def.key"].tolist() == ["eventId", "x.y"] * 100
    with pytest.raises(UnknownNameError, match="no column is named 'mc'"):
        read_output(target, explode="mc")


def test_many_wide_columns_are_refused_by_what_their_cells_would_take(target, monkeypatch):
    monkeypatch.setattr(output, "available_memory", lambda: 10_000)
    with pytest.raises(RefusedError, match="would take more than"):
        read_output(
            target,
            columns=["id", "op", "spn", *["def.eventId"] * 10, "l", "def", "def.x.y"],
            where={"op": "mcm"},
        )


# As fast as can be, and exact


def test_few_fields_are_read_as_all_are(target):
    whole = read_output(target)
    for columns in (["spn"], ["id", "l"], ["def"], []):
        assert read_output(target, columns=columns).equals(whole[columns])


def test_numbers_keep_every_bit_whichever_fields_are_asked_for(tmp_path):
    line = b'{"a":18446744073709551617,"b":0.1000000000000000055511151231257827,"c":NaN,"d":-0.0,"e":"NaN"'
    line += b',"a":9007199254740993}\n'
    target = write(tmp_path / "out", [], shards=1, extra=line * 3)
    for columns in (None, ["a", "b"], ["a", "b", "c", "d", "e"]):
        frame = read_output(target, columns=columns)
        assert frame.a.tolist() == [9007199254740993] * 3
        assert frame.b.tolist() == [0.1] * 3
    assert frame.c.isna().all()
    assert [str(value) for value in frame.d] == ["-0.0"] * 3
    assert str(frame.e.dtype) == "string"


def test_half_characters_are_told_of_once(tmp_path):
    target = write(tmp_path / "out", [{"t": "\ud83d"}, {"t": "x"}], shards=2)
    with pytest.warns(HalfCharacterWarning, match="^1 records hold half a character"):
        assert read_output(target).t.tolist() == ["\\ud83d", "x"]
    with pytest.warns(HalfCharacterWarning, match="^1 records"):
        assert len(read_output(target, where={"t": "\ud83d"}, columns=["t"])) == 1
