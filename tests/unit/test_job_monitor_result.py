from __future__ import annotations

import json

import pytest

from chimera_nb.widgets.base.messages import to_wire
from chimera_nb.widgets.job_monitor.result import Shard, describe_result, first_records, link_to
from chimera_nb.widgets.job_monitor.result_plot import POINTS, plot_of
from pipeline.errors import RefusedError
from pipeline.ledger import FileRecord
from pipeline.storage import PlainStore
from pipeline.target.layout import shard_uri, summary_uri

STORE = PlainStore()

JOB = "2026-01-31-1a2b3c4d"


@pytest.fixture
def left(tmp_path):
    """A function that leaves an output at a target, of these shards and failed files; the target."""

    def leave(*shards: bytes, failed: int = 0) -> str:
        target = str(tmp_path / "out")
        for index, data in enumerate(shards):
            STORE.write_bytes(shard_uri(target, "output", index, len(shards)), data)
        records = [
            FileRecord(f"/in/{n}.bz2", "failed" if n % 2 else "complete", error="cut")
            for n in range(2 * failed)
        ]
        STORE.write_bytes(shard_uri(target, "ledger", 0, 1), b"".join(record.to_line() for record in records))
        summary = {"jobId": JOB, "shards": len(shards)}
        STORE.write_bytes(summary_uri(target), json.dumps(summary).encode())
        return target

    return leave


def test_a_result_is_its_first_rows_its_shards_and_something_to_plot(left):
    rows = [{"n": n, "text": f"t{n}", "deep": {"er": [n, 2]}} for n in range(40)]
    target = left(*(b"".join(json.dumps(row).encode() + b"\n" for row in rows[n::2]) for n in (0, 1)))
    result = to_wire(describe_result(STORE, target, JOB))
    assert [shard["name"] for shard in result["shards"]] == [
        f"output-0000{n}-of-00002.ndjson" for n in (0, 1)
    ]
    assert result["bytes"] == sum(shard["size"] for shard in result["shards"])
    assert all(shard["link"] is None for shard in result["shards"])
    assert result["rowsRead"] == 40
    assert {series["name"] for series in result["plot"]["series"]} == {"n", "deep.er"}
    json.dumps(result, allow_nan=False)


def test_the_output_of_a_later_job_is_not_shown_as_this_ones(left):
    target = left(b"{}\n")
    with pytest.raises(RefusedError, match=f"now holds the output of job {JOB}"):
        describe_result(STORE, target, "2026-01-31-ffffffff")
    STORE.delete([summary_uri(target)])
    with pytest.raises(RefusedError, match=r"summary\.json is gone"):
        describe_result(STORE, target, JOB)


def test_a_shard_that_is_gone_is_said_to_be(left):
    target = left(b"{}\n", b"{}\n")
    STORE.delete([shard_uri(target, "output", 1, 2)])
    result = to_wire(describe_result(STORE, target, JOB))
    assert [shard["size"] for shard in result["shards"]] == [3, None]
    assert result["missing"] == 1


def test_an_empty_output_has_no_rows_and_nothing_to_plot(left):
    result = to_wire(describe_result(STORE, left(), JOB))
    assert (result["rowsRead"], result["plot"]["series"]) == (0, [])


def test_hostile_records_are_shown_within_bounds(left):
    wide = {f"c{n}": "x" * 10_000 for n in range(100)}
    deep = "[" * 100_000 + "]" * 100_000
    odd = [b'{"a": NaN, "b": 1e999, "c": "\\ud800", "\\udfff": 1}', b"\xff\xfe", b"9" * 5000, deep.encode()]
    result = to_wire(
        describe_result(STORE, left(json.dumps(wide).encode() + b"\n" + b"\n".join(odd) + b"\n"), JOB)
    )
    json.dumps(result, allow_nan=False).encode()
    assert len(json.dumps(result)) < 1 << 20


def test_no_more_is_read_of_large_shards_than_the_limit(tmp_path):
    path = tmp_path / "shard"
    path.write_bytes(b'{"n": 1}\n' * 1000)
    records = first_records(STORE, [Shard(str(path), 9000)], limit=100)
    assert records == [{"n": 1}] * 11  # the twelfth is cut, and so is no record
    assert len(first_records(STORE, [Shard(str(path), 9000)] * 3, count=1500)) == 1500


def test_numbers_in_lists_are_plotted_over_the_time_there_is():
    records = [
        {"pt": 1_451_653_251_725 + n, "mc": [{"rc": [{"ltp": 2.5 + n, "id": n}, {"ltp": 3}]}]}
        for n in range(9)
    ]
    plot = to_wire(plot_of(records))
    assert plot["x"] == {"name": "pt", "time": True}
    assert plot["series"][0]["name"] == "mc.rc.ltp"
    assert plot["series"][0]["points"][:2] == [[1_451_653_251_725, 2.5], [1_451_653_251_725, 3]]
    assert [series["name"] for series in plot["series"][1:]] == ["pt", "mc.rc.id"]  # they tell the least


def test_a_plot_is_thinned_and_a_constant_is_none():
    plot = to_wire(plot_of([{"a": n, "b": 1, "c": True, "d": "1", "e": 10**400} for n in range(5000)]))
    assert [series["name"] for series in plot["series"]] == ["a"]
    assert len(plot["series"][0]["points"]) <= POINTS
    assert plot["x"] == {"name": "row", "time": False}


@pytest.mark.parametrize(
    ("emulator", "uri", "link"),
    [
        (None, "gs://b/a b/ö#?.x", "https://storage.cloud.google.com/b/a%20b/%C3%B6%23%3F.x"),
        (
            "http://localhost:9",
            "gs://b/a b/x",
            "http://localhost:9/download/storage/v1/b/b/o/a%20b%2Fx?alt=media",
        ),
        ("localhost:9", "gs://b/x", "http://localhost:9/download/storage/v1/b/b/o/x?alt=media"),
        (None, "/tmp/x", None),
    ],
)
def test_a_shard_has_a_link_where_a_browser_can_fetch_it(monkeypatch, emulator, uri, link):
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    if emulator:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator)
    assert link_to(STORE, uri) == link
