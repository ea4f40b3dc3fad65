from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimera_nb.jobs.document import CHECKS
from chimera_nb.jobs.limits import MAX_LINE_BYTES, MAX_LOG_BYTES, MAX_LOG_LINES
from chimera_nb.jobs.log.ids import new_job_id
from chimera_nb.jobs.record import STAGES, JobRecord, Stage, Status, timestamp
from chimera_nb.jobs.transitions import Change, advance
from pipeline.errors import JobLogError, UnknownNameError
from pipeline.spec import JobSpec

T0 = "2024-01-19T10:00:00.000Z"
T1 = "2024-01-19T10:00:01.000Z"
T2 = "2024-01-19T10:00:02.000Z"
FINAL = (Status.COMPLETE, Status.FAILED, Status.CANCELLED)


def a_record(*, inputs=("gs://in/p/",), **fields) -> JobRecord:
    spec = JobSpec(inputs=tuple(inputs), target="gs://out/some/prefix", job_id="2024-01-19-abc12345")
    record = JobRecord.from_spec(spec, runner="dataflow", created_by="ada", now=T0)
    return JobRecord(**{**record.__dict__, **fields})


def after(*changes: Change, record: JobRecord | None = None, now: str = T1) -> JobRecord:
    record = record or a_record()
    for change in changes:
        record = advance(record, change, now)
    return record


# The document


def test_the_document_has_the_names_of_the_contract():
    record = after(Change(dataflow_job_id="df-1", dataflow_url="https://console/df-1", logs=["sent"]))
    document = record.to_document()
    contract = {
        "jobId": "2024-01-19-abc12345",
        "dataflowJobId": "df-1",
        "sourceType": "ndjson",
        "sourceBucket": "in",
        "selectedPaths": ["p/"],
        "targetBucket": "out",
        "outputPrefix": "some/prefix",
        "status": "pending",
        "createdAt": T0,
        "dataflowUrl": "https://console/df-1",
        "logs": [f"[{T1}] sent"],
        "stages": {"read": "waiting", "decompress": "waiting", "write": "waiting"},
    }
    assert {name: document[name] for name in contract} == contract
    assert set(document) - set(contract) == {
        *(
            "runner",
            "runnerOptions",
            "updatedAt",
            "startedAt",
            "finishedAt",
            "cancelRequestedAt",
            "targetUnseenSince",
            "dataflowRequestedAt",
            "createdBy",
            "name",
            "note",
            "tags",
            "announcedBy",
            "course",
            "progress",
            "error",
            "spec",
            "worker",
        ),
        *("summary", "forecast", "selectedPathsTotal", "logsLeftOut"),
    }


def test_each_field_of_a_document_is_checked_before_it_is_believed():
    assert set(CHECKS) == set(a_record().to_document())


def test_a_record_by_a_clock_that_was_never_set_is_read():
    unset = after(Change(cancel_requested_at="1970-01-01T00:00:07.000Z"), now="1970-01-01T00:00:07.000Z")
    first = replace(unset, created_at="1970-01-01T00:00:00.000Z")
    assert JobRecord.from_document(first.to_document()) == first


def test_the_specification_is_kept_whole():
    record = a_record(inputs=["gs://in/é/*.bz2", "gs://in/q"])
    again = JobRecord.from_document(record.to_document())
    assert JobSpec.from_json(again.spec).inputs == ("gs://in/é/*.bz2", "gs://in/q")


def test_a_document_with_only_the_contract_fields_is_read():
    full = a_record().to_document()
    names = ["jobId", "sourceType", "sourceBucket", "selectedPaths", "targetBucket", "outputPrefix", "status"]
    record = JobRecord.from_document({name: full[name] for name in [*names, "createdAt"]})
    assert (record.status, record.updated_at, record.spec) == (Status.PENDING, T0, {})
    assert record.stages == dict.fromkeys(STAGES, Stage.WAITING)


def test_unknown_fields_of_a_document_are_left_out():
    record = a_record()
    assert JobRecord.from_document(record.to_document() | {"fromALaterVersion": 1}) == record


@pytest.mark.parametrize(
    "damage",
    [
        {"status": "paused"},
        {"stages": {"read": "broken"}},
        {"stages": 3},
        {"selectedPaths": None},
        {"spec": "{"},
    ],
)
def test_a_document_that_makes_no_sense_is_refused_by_its_id(damage):
    with pytest.raises(JobLogError, match="2024-01-19-abc12345"):
        JobRecord.from_document(a_record().to_document() | damage)


def test_many_paths_are_cut_in_the_document_and_whole_in_the_specification():
    record = a_record(inputs=[f"gs://in/{i:05}.bz2" for i in range(5000)])
    document = record.to_document()
    assert document["selectedPaths"] == [f"{i:05}.bz2" for i in range(1000)]
    assert document["selectedPathsTotal"] == 5000
    assert len(json.loads(document["spec"])["inputs"]) == 5000
    assert JobRecord.from_document(document) == record


def test_a_specification_over_half_a_mebibyte_is_refused_with_the_remedy():
    record = a_record(inputs=[f"gs://in/{i:090}.bz2" for i in range(5600)])
    with pytest.raises(JobLogError, match="select a folder or a glob instead of 5,600 single paths"):
        record.to_document()


def test_local_names_that_are_no_utf8_come_back_unharmed_in_the_specification():
    record = a_record(inputs=["/data/\udcff.bz2"])
    document = record.to_document()
    json.dumps(document, ensure_ascii=False).encode()  # as both stores need it
    assert JobSpec.from_json(JobRecord.from_document(document).spec).inputs == ("/data/\udcff.bz2",)


def test_a_summary_too_large_for_a_document_loses_its_lists():
    patterns = ["gs://in/" + "x" * 1000] * 1000
    record = after(Change(summary={"lines": 5, "patterns": patterns}))
    assert record.summary == {"lines": 5}
    assert after(Change(summary={"lines": 5, "patterns": ["p"]})).summary == {"lines": 5, "patterns": ["p"]}


def test_progress_too_large_for_a_document_is_refused():
    with pytest.raises(JobLogError, match="progress has"):
        after(Change(progress={f"counter-{i}": i for i in range(2000)}))


def test_numbers_that_are_not_finite_are_none():
    assert after(Change(progress={"rate": float("nan"), "eta": float("inf")})).progress == {
        "rate": None,
        "eta": None,
    }


def test_an_unknown_runner_is_refused():
    spec = JobSpec(inputs=("gs://in/p/",), target="gs://out", job_id=new_job_id())
    with pytest.raises(UnknownNameError, match="dataflow, direct"):
        JobRecord.from_spec(spec, runner="spark")


# Ids and times


def test_a_new_id_has_the_day_in_utc_and_eight_random_digits():
    late = datetime(2024, 1, 19, 23, 30, tzinfo=timezone(timedelta(hours=-2)))
    ids = {new_job_id(late) for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(r"2024-01-20-[0-9a-f]{8}", job_id) for job_id in ids)


def test_times_are_utc_with_milliseconds():
    assert timestamp(datetime(2024, 1, 19, 10, 0, 0, 5999, UTC)) == "2024-01-19T10:00:00.005Z"
    assert (
        timestamp(datetime(2024, 1, 19, 10, tzinfo=timezone(timedelta(hours=2))))
        == "2024-01-19T08:00:00.000Z"
    )
    assert timestamp()[:10] == datetime.now(UTC).isoformat()[:10]


# Forward only


def test_a_job_that_runs_and_completes():
    record = after(Change(status=Status.RUNNING, stages={"read": Stage.RUNNING}))
    assert (record.status, record.started_at, record.finished_at) == (Status.RUNNING, T1, None)
    assert record.stages == {"read": Stage.RUNNING, "decompress": Stage.WAITING, "write": Stage.WAITING}
    record = after(Change(status=Status.COMPLETE, progress={"files": 3}), record=record, now=T2)
    assert record.stages == dict.fromkeys(STAGES, Stage.COMPLETE)
    assert (record.started_at, record.finished_at, record.updated_at) == (T1, T2, T2)
    assert record.progress == {"files": 3}


@pytest.mark.parametrize("final", [Status.FAILED, Status.CANCELLED])
def test_a_job_that_ends_early_has_its_running_stages_failed(final):
    started = {"read": Stage.COMPLETE, "decompress": Stage.RUNNING}
    record = after(Change(status=Status.RUNNING, stages=started), Change(status=final, error="why"))
    assert record.stages == {"read": Stage.COMPLETE, "decompress": Stage.FAILED, "write": Stage.WAITING}
    assert record.error == "why"


@pytest.mark.parametrize("final", FINAL)
@pytest.mark.parametrize("late", Status)
def test_a_final_status_never_changes(final, late):
    ended = after(Change(status=final))
    again = after(
        Change(status=late, stages={"read": Stage.FAILED}, progress={"files": 1}), record=ended, now=T2
    )
    assert again is ended


def test_a_backward_change_is_not_applied_but_its_log_is():
    running = after(Change(status=Status.RUNNING, stages={"read": Stage.COMPLETE}))
    late = Change(status=Status.PENDING, stages={"read": Stage.RUNNING}, logs=["seen late"])
    record = after(late, record=running, now=T2)
    assert (record.status, record.stages) == (Status.RUNNING, running.stages)
    assert record.logs == (f"[{T2}] seen late",)


def test_a_job_that_fails_before_it_ran_was_not_started():
    record = after(Change(status=Status.FAILED, error="no worker"))
    assert (record.started_at, record.finished_at) == (None, T1)


def test_a_final_record_takes_what_it_lacks_and_nothing_else():
    cancelled = after(Change(status=Status.CANCELLED))
    late = Change(status=Status.RUNNING, dataflow_job_id="df-1", error="late", summary={"lines": 1})
    record = after(late, record=cancelled)
    assert (record.status, record.dataflow_job_id) == (Status.CANCELLED, "df-1")
    assert (record.error, record.summary) == (None, None)
    assert after(Change(dataflow_job_id="df-2"), record=record) is record

    complete = after(Change(status=Status.COMPLETE))
    assert after(Change(summary={"lines": 1}, error="no"), record=complete).summary == {"lines": 1}
    assert after(Change(summary={"lines": 1}, error="no"), record=complete).error is None


def test_the_same_change_again_changes_nothing():
    change = Change(
        status=Status.RUNNING,
        stages={"read": Stage.RUNNING},
        progress={"files": 1},
        worker={"pid": 1},
        logs=[f"[{T0}] from Dataflow"],
    )
    record = after(change)
    assert advance(record, change, T2) is record


def test_the_time_of_change_goes_forward_whatever_the_clock_does():
    ahead = after(Change(status=Status.RUNNING), now="2999-12-31T23:59:59.999Z")
    later = after(Change(progress={"n": 1}), record=ahead, now=T1)
    assert later.updated_at == "3000-01-01T00:00:00.000Z"
    assert after(Change(progress={"n": 2}), record=later, now=T1).updated_at == "3000-01-01T00:00:00.001Z"
    assert after(Change(progress={"n": 1}), record=later, now=T2) is later


def test_a_time_that_was_written_by_hand_does_not_stop_a_record():
    record = a_record(updated_at="yesterday")
    assert after(Change(progress={"n": 1}), record=record).progress == {"n": 1}


def test_a_request_to_cancel_is_kept_and_logged_once_and_is_a_state_until_the_end():
    record = after(Change(status=Status.RUNNING), Change(cancel_requested_at=T1))
    again = after(Change(cancel_requested_at=T2), record=record, now=T2)
    assert again is record
    assert record.to_document()["cancelRequestedAt"] == T1
    assert record.is_cancelling
    assert record.status_word == "cancelling"
    assert [line for line in record.logs if "asked to cancel" in line] == [f"[{T1}] asked to cancel"]
    ended = after(Change(status=Status.CANCELLED), record=record)
    assert ended.cancel_requested_at == T1
    assert ended.status_word == "cancelled"


@pytest.mark.parametrize("final", FINAL)
def test_a_job_that_has_ended_takes_no_request_to_cancel_and_logs_none(final):
    record = after(Change(status=final))
    assert after(Change(cancel_requested_at=T2), record=record, now=T2) is record


def test_of_a_cancellation_and_a_request_to_dataflow_the_second_sees_the_first():
    cancelled = after(Change(cancel_requested_at=T1), Change(dataflow_requested_at=T2))
    assert cancelled.dataflow_requested_at is None
    sent = after(Change(dataflow_requested_at=T1), Change(cancel_requested_at=T2))
    assert sent.dataflow_requested_at == T1
    assert sent.is_cancelling


def test_an_unknown_stage_is_refused():
    with pytest.raises(UnknownNameError, match="read"):
        Change(stages={"upload": Stage.RUNNING})


RANKS = {"pending": 0, "waiting": 0, "running": 1}
words = st.text(st.characters(codec=None), max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)
changes = st.builds(
    Change,
    status=st.none() | st.sampled_from(Status),
    stages=st.dictionaries(st.sampled_from(STAGES), st.sampled_from(Stage)),
    logs=st.lists(words | st.just(f"[{T0}] from Dataflow"), max_size=3),
    progress=st.dictionaries(words, st.none() | st.integers() | st.floats(), max_size=3),
    error=st.none() | words,
    dataflow_job_id=st.none() | words,
    cancel_requested_at=st.none() | st.just(T0),
    target_unseen_since=st.none() | st.just(T0),
    dataflow_requested_at=st.none() | st.just(T0),
    worker=st.none() | st.dictionaries(words, json_values, max_size=2),
    summary=st.none() | st.dictionaries(words, json_values, max_size=2),
)


@given(st.lists(changes, max_size=8))
def test_whatever_comes_in_whatever_order_state_moves_forward_and_survives_the_document(sequence):
    record = a_record()
    for change in sequence:
        moved = advance(record, change, T1)
        assert RANKS.get(moved.status, 2) >= RANKS.get(record.status, 2)
        assert moved.status == record.status or not record.status.is_final
        for name in STAGES:
            assert RANKS.get(moved.stages[name], 2) >= RANKS.get(record.stages[name], 2)
        if moved.status is Status.COMPLETE:
            assert set(moved.stages.values()) == {Stage.COMPLETE}
        if moved.status.is_final:
            assert Stage.RUNNING not in moved.stages.values()
        stored = json.loads(json.dumps(moved.to_document(), ensure_ascii=False).encode())
        assert JobRecord.from_document(stored) == moved
        silent = Change(**{**change.__dict__, "logs": ()})
        assert advance(moved, silent, T2) is moved
        record = moved


# The bounded log


def test_a_thousand_lines_are_kept_and_the_count_of_older_ones_adds_up():
    record = after(Change(logs=[f"line {i}" for i in range(1000)]))
    assert len(record.logs) == MAX_LOG_LINES
    assert record.logs_left_out == 0
    for i in range(1000, 1500):
        record = after(Change(logs=[f"line {i}"]), record=record)
    assert len(record.logs) == MAX_LOG_LINES
    assert record.logs[0] == f"[{T1}] … 501 earlier lines left out"
    assert [line.split("] ")[1] for line in record.logs[1:]] == [f"line {i}" for i in range(501, 1500)]
    assert after(Change(logs=["x"] * 5000), record=record).logs[0] == f"[{T1}] … 5,501 earlier lines left out"


def test_the_bytes_of_a_log_are_bounded():
    record = after(*[Change(logs=["é" * 1500])] * 200)
    assert sum(len(line.encode()) + 1 for line in record.logs) <= MAX_LOG_BYTES
    assert len(record.logs) - 1 + record.logs_left_out == 200
    assert len(record.logs) > 80


def test_a_long_message_loses_its_middle():
    message = "é" * 3000 + "\nthe cause"
    (line,) = after(Change(logs=[message])).logs
    assert len(line.encode()) <= MAX_LINE_BYTES
    assert line.startswith(f"[{T1}] é")
    assert line.endswith("é\nthe cause")
    assert re.search(r" … [\d,]+ bytes cut … ", line)


def test_a_message_of_several_lines_is_one_entry():
    assert after(Change(logs=["a\nb\n\nc"])).logs == (f"[{T1}] a\nb\n\nc",)


def test_messages_with_a_time_of_their_own_are_taken_in_once_and_others_each_time():
    change = Change(logs=[f"[{T0}] worker up", "looked"])
    record = after(change, change)
    assert record.logs == (f"[{T0}] worker up", f"[{T1}] looked", f"[{T1}] looked")


def test_messages_already_left_out_do_not_come_back():
    start = datetime(2024, 1, 19, tzinfo=UTC)
    told = [f"[{timestamp(start + timedelta(seconds=i))}] message {i}" for i in range(1500)]
    record = after(Change(logs=told))
    assert record.logs_left_out == 501
    assert after(Change(logs=told), record=record) is record
    more = after(Change(logs=[*told, f"[{T1}] new"]), record=record)
    assert (more.logs[-1], more.logs_left_out) == (f"[{T1}] new", 502)
