"""Rows that another process makes are the same as in this one; and what becomes of them when it ends, or the file."""

from __future__ import annotations

import gzip
import json
import os
import threading
from dataclasses import dataclass

import pytest

from chimera_nb.jobs.runners.direct_worker import _Reporter
from chimera_nb.local.demo.files import market_of_size
from pipeline.errors import BadFileError, ProcessEndedError, StorageError, StoreUnavailableError
from pipeline.own_temporary import own_temporary_folder
from pipeline.processes import in_processes
from pipeline.progress import OTHER_CPU, snapshot, tally
from pipeline.read import row_makers as module
from pipeline.read.file import ReadOptions, read_file
from pipeline.read.row_makers import RowMakers, made_rows
from pipeline.read.view_rows import LookedAt, view_rows
from pipeline.sources.betfair.prices import Prices
from pipeline.sources.betfair.runners import Runners
from pipeline.storage import PlainStore
from tests.fixtures.odd_views import Odd
from tests.fixtures.row_makers import begin_all
from tests.fixtures.weather import observations
from tests.fixtures.weather_source import Readings

STORE = PlainStore()
SECONDS = 90


@pytest.fixture(scope="module")
def shared():
    makers = begin_all(RowMakers(1))
    yield makers
    makers.close()


@pytest.fixture
def makers(shared, monkeypatch):
    """One process, without which no row is made."""
    monkeypatch.setattr(module, "_open", [shared])
    monkeypatch.setattr(module, "view_rows", None)
    return shared


def lines(*numbers):
    return [json.dumps(one).encode() + b"\n" for one in observations("Kew", *numbers)]


def chunks(data, error=None, size=1000):
    for at in range(0, len(data), size):
        yield data[at : at + size]
    if error is not None:
        raise error


def outcome(make, view, data, error=None, bad=0, **options):
    """All that a file's rows come to."""
    file = LookedAt("gs://b/x", bad)
    batches, raised = [], None
    try:
        batches.extend(make(view, chunks(data, error), file, **options))
    except BaseException as e:  # noqa: BLE001 - a view may end a process
        raised = e
    return batches, (type(raised), str(raised)), file, raised


KEW = b"".join(lines(40))
MARKETS = {plan: market_of_size(3, 60_000, plan=plan) for plan in ("BASIC", "PRO")}


@pytest.mark.parametrize(
    ("view", "data", "options"),
    [
        (Readings(), KEW, {}),
        (Readings(), KEW[:-1], {}),
        (Readings(), KEW.replace(b"celsius", b"kelvin", 2), {"bad": 2}),
        (Readings(), KEW.replace(b"celsius", b"kelvin", 2), {"bad": 1}),
        (Readings(), b"just text\n", {"bad": 9}),
        (Runners(), MARKETS["BASIC"], {}),
        (Runners(), MARKETS["PRO"], {}),
        (Prices(), MARKETS["PRO"], {}),
        *((Odd(what), KEW, {}) for what in ("", "raises", "schema", "early", "notes", "memory", "exits")),
        (Odd("notes"), KEW, {"bad": 1}),
    ],
)
def test_rows_notes_and_errors_are_those_of_this_process(makers, view, data, options):
    here, there = outcome(view_rows, view, data, **options), outcome(made_rows, view, data, **options)
    assert [batch.to_pylist() for batch in there[0]] == [batch.to_pylist() for batch in here[0]]
    assert [batch.schema for batch in there[0]] == [batch.schema for batch in here[0]]
    assert there[1:3] == here[1:3]


@pytest.mark.parametrize("keep_partial", [False, True])
@pytest.mark.parametrize("what", ["", "early"])
@pytest.mark.parametrize(
    "error",
    [
        BadFileError("the gzip data is corrupt"),
        StorageError("gs://b/x", "is another"),
        StoreUnavailableError("gs://b/x", "away"),
        KeyError("of nobody's"),
        MemoryError("too much"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_the_file_is_the_same_error_behind_the_same_rows(makers, error, what, keep_partial):
    given = {"error": error, "keep_partial": keep_partial}
    here, there = outcome(view_rows, Odd(what), KEW, **given), outcome(made_rows, Odd(what), KEW, **given)
    assert [batch.to_pylist() for batch in there[0]] == [batch.to_pylist() for batch in here[0]]
    assert there[1:3] == here[1:3]
    assert (there[3] is error) == (here[3] is error)


def test_an_error_that_cannot_be_sent_is_told(makers):
    *_, raised = outcome(made_rows, Odd("unsendable"), KEW)
    assert isinstance(raised, BadFileError)
    assert str(raised) == "view odd failed (UnsendableError: of a kind of its own)"


def test_what_a_view_prints_and_reads_is_not_what_the_processes_say(makers, capfd):
    rows, (kind, _), *_ = outcome(made_rows, Odd("prints"), KEW)
    assert (kind, sum(batch.num_rows for batch in rows)) == (type(None), len(list(chunks(KEW))))
    assert capfd.readouterr().out == ""


def test_a_view_that_another_process_cannot_have_is_made_in_this_one(makers, monkeypatch):
    @dataclass(frozen=True)
    class Here(Odd):
        pass

    monkeypatch.setattr(module, "view_rows", view_rows)
    rows, (kind, _), *_ = outcome(made_rows, Here(), KEW)
    assert (kind, len(rows)) == (type(None), len(list(chunks(KEW))))
    there = Odd("")
    object.__setattr__(there, "__class__", type("Gone", (Odd,), {"__module__": "tests.fixtures.odd_views"}))
    assert len(outcome(made_rows, there, KEW)[0]) == len(rows)
    assert len(makers._idle) == 1


def test_its_time_is_told_and_it_is_idle_again(makers):
    before = snapshot().get(OTHER_CPU, 0)
    assert outcome(made_rows, Runners(), MARKETS["PRO"])[0]
    more = snapshot()[OTHER_CPU] - before
    assert more > 0
    assert len(makers._idle) == 1
    reporter = _Reporter(None, "j-1", "USD")  # of a direct job, whose processes these are
    seconds = reporter.numbers()["coreSeconds"]
    tally(OTHER_CPU, 7_000_000)
    assert reporter.numbers()["coreSeconds"] > seconds + 6
    tally(OTHER_CPU, -7_000_000 - more)


def test_a_process_that_ends_in_the_middle_is_replaced_and_the_file_is_read_again(
    makers, tmp_path, monkeypatch
):
    monkeypatch.setattr("pipeline.storage.patience.time.sleep", lambda _: None)
    uri = f"{tmp_path}/kew.gz"
    STORE.write_bytes(uri, gzip.compress(b"".join(lines(30_000))))
    mark = tmp_path / "mark"
    found = read_file(STORE, uri, ReadOptions(codec="gzip", view=Odd("killed", str(mark))))
    assert (mark.exists(), found.record.status, found.record.error) == (True, "complete", None)
    plain = read_file(STORE, uri, ReadOptions(codec="gzip"))
    assert found.record.raw_bytes == plain.record.raw_bytes
    assert sum(batch.column("lines")[0].as_py() for batch in found.blocks()) == plain.record.lines == 30_000


def test_one_that_always_ends_is_named(makers):
    with pytest.raises(
        ProcessEndedError, match=r"made its rows of view odd has ended \(exit -9\): gs://b/x; it may have"
    ):
        list(made_rows(Odd("killed"), chunks(KEW), LookedAt("gs://b/x")))
    begin_all(makers)
    assert outcome(made_rows, Odd(), KEW)[0]


def test_processes_begin_when_much_has_been_read_and_end_in_the_middle_of_a_file(monkeypatch):
    monkeypatch.setattr(module, "usable_cores", lambda: [0, 1])
    monkeypatch.setattr(module, "ALONE_BYTES", 2 * len(KEW))
    with module.row_makers():
        (makers,) = module._open
        assert outcome(made_rows, Odd(), KEW)[0]
        assert not makers._starting
        assert outcome(made_rows, Odd(), KEW)[0]
        assert len(begin_all(makers)._idle) == 2
        rows = made_rows(Odd(), chunks(KEW), LookedAt("gs://b/x"))
        assert next(rows).num_rows == 1
        processes = list(makers._processes)
        processes[0 if processes[0] in makers._idle else 1].channel.close()  # as when this process is killed
        assert 0 in {process._process.wait(SECONDS) for process in makers._idle}
    with pytest.raises(ProcessEndedError) as told:
        list(rows)
    assert told.value.tried
    assert all(process._process.returncode is not None for process in processes)
    assert not module._open
    assert not [thread for thread in threading.enumerate() if thread.name == "start-row-maker"]


def test_what_is_made_on_disk_is_in_the_jobs_folder():
    with own_temporary_folder("j-1") as folder:
        assert list(in_processes(os.getenv, ["TMPDIR"], 1)) == [str(folder)]


def test_one_core_has_no_other_process(monkeypatch):
    monkeypatch.setattr(module, "usable_cores", lambda: [0])
    with module.row_makers():
        assert not module._open
        assert outcome(made_rows, Odd(), KEW)[0]


@pytest.mark.parametrize(
    ("program", "said"), [("/nowhere/python", "FileNotFoundError"), ("/bin/echo", "ClosedError")]
)
def test_a_process_that_cannot_begin_is_done_without(monkeypatch, caplog, program, said):
    monkeypatch.setattr("pipeline.processes.sys.executable", program)
    makers = begin_all(RowMakers(2))
    monkeypatch.setattr(module, "_open", [makers])
    assert outcome(made_rows, Odd(), KEW)[0]
    assert f"one has not begun ({said}" in caplog.text
    makers.close()
