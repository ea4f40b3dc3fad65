"""A file's bytes -> the rows of a view, and the rows held until the file has proved good."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, replace

import pyarrow as pa
import pytest

from pipeline.errors import BadFileError, StorageError
from pipeline.read import view_rows as module
from pipeline.read.file import ReadOptions, read_file
from pipeline.read.held_lines import DiskRoom, Room
from pipeline.read.held_rows import HeldRows
from pipeline.read.view_rows import LookedAt, view_rows
from pipeline.sources.view import View
from tests.fixtures.weather import STORE, lay, observations
from tests.fixtures.weather_source import Readings


def text(hours, station="Kew", bad=None):
    lines = [json.dumps(one).encode() for one in observations(station, hours)]
    for number, line in (bad or {}).items():
        lines[number - 1] = line
    return b"\n".join(lines)


def chunked(data, size=1000):
    return iter([data[at : at + size] for at in range(0, len(data), size)])


def lines_of(batches):
    return [line for batch in batches for line in batch.column("line").to_pylist()]


def options(**given):
    return ReadOptions(codec="gzip", view=Readings(), **given)


@dataclass(frozen=True)
class Odd(View):
    name = "odd"
    description = "what another does wrong"
    schema = pa.schema([("n", pa.int64())])
    what: str = ""

    def rows(self, blocks, file):
        for block in blocks:
            if self.what == "raises":
                raise KeyError("ltp")
            if self.what == "schema":
                yield pa.RecordBatch.from_pydict({"m": [1]})
            if self.what == "list":
                yield [1, 2]
            if self.what == "early":
                return
            yield pa.RecordBatch.from_pydict({"n": [block.count(b"\n")]}, self.schema)


def test_rows_are_sorted_as_the_view_says_and_equal_ones_keep_their_order():
    rows = list(view_rows(Readings(), chunked(text(9)), LookedAt("x")))
    assert lines_of(rows) == [2, 1, 4, 3, 6, 5, 8, 7, 9]
    unsorted = list(view_rows(Readings(), chunked(text(9)), LookedAt("x"), in_order=False))
    assert lines_of(unsorted) == list(range(1, 10))


def test_rows_are_sorted_in_runs_that_do_not_depend_on_batches(monkeypatch):
    monkeypatch.setattr(module, "RUN_ROWS", 6)
    data = text(4) + b"\n" + text(9, "Ayr")
    rows = list(view_rows(Readings(), chunked(data), LookedAt("x")))
    assert [batch.num_rows for batch in rows] == [6, 6, 1]
    assert lines_of(rows) == [6, 5, 2, 1, 4, 3, 8, 7, 10, 9, 12, 11, 13]


def test_a_line_that_does_not_decode_fails_its_file_and_is_counted_where_some_may():
    data = text(10, bad={3: b"{oops", 5: b"[]", 8: b"{}"})
    with pytest.raises(
        BadFileError, match=r"holds a line that does not decode: line 3 \(.*max-bad-lines \(0 now\)"
    ):
        list(view_rows(Readings(), chunked(data), LookedAt("x")))
    looked_at = LookedAt("x", 2)
    with pytest.raises(
        BadFileError, match=r"holds 3 lines or more that do not decode: line 3 .* line 5 .* line 8 "
    ):
        list(view_rows(Readings(), chunked(data), looked_at))
    looked_at = LookedAt("x", 3)
    rows = list(view_rows(Readings(), chunked(data), looked_at))
    assert sorted(lines_of(rows)) == [1, 2, 4, 6, 7, 9, 10]
    (told,) = looked_at.told()
    assert told.startswith("3 lines do not decode: line 3 (")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("raises", r"view odd failed at lines 1 to \d+ \(KeyError: 'ltp'\)"),
        ("schema", r"view odd gave rows that are not of its schema \(m: int64\)"),
        ("list", r"view odd gave rows that are not of its schema \(list\)"),
    ],
)
def test_what_a_view_does_wrong_is_the_reason_of_the_file_with_its_lines(what, said):
    with pytest.raises(BadFileError, match=said):
        list(view_rows(Odd(what), chunked(text(50)), LookedAt("x")))


def test_what_a_view_leaves_unread_has_to_prove_good_too():
    def broken():
        yield b"a\n"
        raise BadFileError("the gzip data is corrupt")

    with pytest.raises(BadFileError, match="corrupt"):
        list(view_rows(Odd("early"), broken(), LookedAt("x")))


def test_nothing_of_a_file_goes_out_before_all_of_it_proved_good(tmp_path):
    uri = lay(str(tmp_path), "Kew", 500)
    data = STORE.read_bytes(uri)
    STORE.write_bytes(uri, data[:-9])
    found = read_file(STORE, uri, options())
    assert (found.record.status, found.record.rows, list(found.blocks())) == ("failed", 0, [])
    kept = read_file(STORE, uri, options(keep_partial=True))
    rows = list(kept.blocks())
    assert kept.record.status == "failed"
    assert kept.record.rows == kept.record.lines == sum(batch.num_rows for batch in rows) > 400


def test_a_record_has_the_rows_and_the_bad_lines(tmp_path):
    uri = lay(str(tmp_path), "Kew", 30, bad={7: b"nothing"})
    found = read_file(STORE, uri, options(max_bad_lines=1))
    assert (found.record.status, found.record.rows, found.record.bad_lines) == ("complete", 29, 1)
    assert found.record.note.startswith("1 line does not decode: line 7 (")
    assert (found.record.output_bytes, found.record.output_crc32c) == (0, None)
    failed = read_file(STORE, uri, options())
    assert (failed.record.status, failed.record.rows, failed.record.bad_lines) == ("failed", 0, 1)
    raw = read_file(STORE, uri, ReadOptions(codec="gzip"))
    assert (raw.record.lines, raw.record.rows) == (30, None)


def test_a_file_of_something_else_fails_in_a_view_and_passes_in_raw(tmp_path):
    uri = f"{tmp_path}/notes.obs.gz"
    STORE.write_bytes(uri, gzip.compress(b"just text\nand more\n"))
    found = read_file(STORE, uri, options(max_bad_lines=99))
    assert (found.record.status, found.record.error) == ("failed", "holds no observations")
    assert read_file(STORE, uri, ReadOptions(codec="gzip")).record.status == "complete"


# Where they wait


def held(again, *, room=1 << 30, disk=1 << 30, keep_partial=False, max_bad_lines=0):
    spool = DiskRoom(lambda: 1 << 40)
    memory = Room(room)
    rows = HeldRows(
        "x",
        Readings(),
        again,
        keep_partial=keep_partial,
        max_bad_lines=max_bad_lines,
        on_disk=disk,
        room=memory,
        disk=spool,
    )
    return rows, memory, spool


@pytest.mark.parametrize(
    ("room", "disk"), [(1 << 30, 0), (0, 1 << 30), (0, 0)], ids=["memory", "disk", "nowhere"]
)
def test_rows_are_the_same_wherever_they_wait_and_all_room_is_given_back(room, disk, monkeypatch):
    monkeypatch.setattr(module, "RUN_ROWS", 100)
    data = text(1050, bad={4: b"{"})
    rows, memory, spool = held(lambda: chunked_generator(data), room=room, disk=disk, max_bad_lines=1)
    rows.fill(chunked(data))
    rows.complete()
    expected = list(view_rows(Readings(), chunked(data), LookedAt("x", 1)))
    assert rows.fields == {"lines": 1049, "rows": 1049, "bad_lines": 1}
    assert pa.Table.from_batches(rows.blocks()).equals(pa.Table.from_batches(expected))
    assert (memory._free, spool._taken) == (room, 0)


def chunked_generator(data):
    yield from chunked(data)


def test_a_part_may_wait_in_memory_and_the_rest_on_disk(monkeypatch):
    monkeypatch.setattr(module, "RUN_ROWS", 100)
    data = text(1000)
    rows, memory, spool = held(None, room=20_000)
    rows.fill(chunked(data))
    assert memory._free < 20_000
    assert spool._taken
    assert sum(batch.num_rows for batch in rows.blocks()) == 1000
    assert (memory._free, spool._taken) == (20_000, 0)


def test_a_file_that_gives_other_rows_the_second_time_is_not_taken():
    data = text(100)
    rows, _, _ = held(lambda: chunked_generator(text(99)), room=0, disk=0)
    rows.fill(chunked(data))
    rows.complete()
    with pytest.raises(StorageError, match="gave other rows when it was read again"):
        list(rows.blocks())


def test_rows_before_a_fault_are_the_same_when_they_are_read_twice():
    def broken():
        yield text(200) + b"\n{"
        raise BadFileError("the gzip data is corrupt")

    rows, _, _ = held(broken, room=0, disk=0, keep_partial=True)
    with pytest.raises(BadFileError, match="corrupt"):
        rows.fill(broken())
    assert sum(batch.num_rows for batch in rows.blocks()) == 200


def test_the_options_of_a_view_change_its_rows():
    warm = replace(Readings(), least=2.0, unit="fahrenheit")
    found = pa.Table.from_batches(view_rows(warm, chunked(text(12)), LookedAt("x")))
    assert min(found.column("degrees").to_pylist()) == 32.0
    assert found.num_rows == 10  # the two without a value are below any bound


@pytest.mark.parametrize(
    "values",
    [[1.0, 2.0, 2.0], [2.0, 1.0], [None, 1.0, None], [float("nan"), 1.0], [0.0, -0.0, 0.0], [-0.0, 1.0]],
)
def test_few_rows_are_in_the_order_in_which_many_are(values, monkeypatch):
    @dataclass(frozen=True)
    class Few(View):
        name = "few"
        description = "a row a value"
        schema = pa.schema([("x", pa.float64()), ("n", pa.int64())])
        sorted_by = ("x",)

        def rows(self, blocks, file):
            list(blocks)
            yield pa.RecordBatch.from_pydict({"x": values, "n": range(len(values))}, self.schema)

    def found():
        return repr([batch.to_pydict() for batch in view_rows(Few(), iter([b"1\n"]), LookedAt("x"))])

    few = found()
    monkeypatch.setattr(module, "_FEW_ROWS", 0)
    assert few == found()
