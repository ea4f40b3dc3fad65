from __future__ import annotations

import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimera_nb.jobs.record import JobRecord, Stage, Status
from chimera_nb.jobs.standing import fraction_done, number, stage_words
from chimera_nb.jobs.transitions import Change, advance
from chimera_nb.widgets.base.messages import to_wire
from chimera_nb.widgets.job_monitor.model import (
    MAX_POINTS,
    Course,
    console_url,
    describe,
    log_change,
    log_lines,
)
from pipeline.spec import JobSpec

NOW = "2026-01-31T10:00:00.000Z"


def record(runner="direct", **changes) -> JobRecord:
    spec = JobSpec(inputs=("gs://b/in/",), target="gs://b/out", job_id="2026-01-31-1a2b3c4d")
    made = JobRecord.from_spec(spec, runner=runner, now=NOW)
    return advance(made, Change(**changes), NOW) if changes else made


def running(seconds, raw, files=0, listed=100, **more) -> JobRecord:
    numbers = {"seconds": seconds, "rawBytes": raw, "filesComplete": files, "filesListed": listed, **more}
    return record(status=Status.RUNNING, progress=numbers)


def watched(*looks) -> Course:
    course = Course()
    for look in looks:
        course.add(running(*look))
    return course


def test_speed_is_over_the_last_seconds_not_over_the_whole_time():
    course = watched(*((second, 100 * second) for second in range(1, 20)))
    assert course.speed == pytest.approx(100)
    for second in range(20, 26):
        course.add(running(second, 1900))
    assert course.speed == 0


def test_what_was_before_the_first_look_is_drawn_as_its_average():
    course = watched((60.0, 6000.0), (61.0, 6500.0))
    assert course.points == [(0.0, 100.0), (60.0, 100.0), (61.0, 500.0)]


def test_what_comes_late_changes_no_course():
    course = watched((1, 100), (2, 200))
    before = list(course.points)
    assert not course.add(running(1.5, 150))
    assert not course.add(running(3, 150))
    assert course.points == before


def test_a_long_course_keeps_its_ends_and_a_bounded_number_of_points():
    course = watched(*((second, 10 * second) for second in range(1, 3000)))
    assert len(course.points) <= MAX_POINTS
    assert course.points[0][0] == 0
    assert course.points[-1] == (2999, pytest.approx(10))
    assert [x for x, _ in course.points] == sorted(x for x, _ in course.points)


def test_time_left_is_by_the_files_of_the_last_half_minute():
    course = watched(*((second, second, second) for second in range(1, 41)))
    assert course.seconds_left(running(40, 40, 40)) == pytest.approx(60)


def test_time_left_is_none_while_nothing_tells_it_and_0_when_all_files_are_read():
    course = watched((1, 1))
    assert course.seconds_left(running(1, 1, 0)) is None
    assert course.seconds_left(running(1, 1, 0, 0)) is None
    assert course.seconds_left(running(1, 1, 100)) == 0
    assert course.seconds_left(running(1, 1, 50, secondsLeft=7)) == 7


@pytest.mark.parametrize("value", [None, True, "7", -1, float("nan"), float("inf"), [1]])
def test_what_is_no_number_that_can_be_is_none(value):
    assert number(value) is None


@given(
    st.lists(
        st.tuples(
            st.floats(0, 1e6), st.integers(0, 10**15), st.integers(0, 10**6), st.integers(0, 10**6)
        ).map(lambda look: running(*look)),
        max_size=12,
    )
)
def test_no_number_that_is_shown_is_negative_or_not_finite(looks):
    course = Course()
    for look in looks:
        course.add(look)
        shown = to_wire(describe(look, course))
        json.dumps(shown, allow_nan=False)
        for name in ("fraction", "speed", "averageSpeed", "secondsLeft"):
            assert shown[name] is None or (math.isfinite(shown[name]) and shown[name] >= 0)
        assert shown["fraction"] is None or shown["fraction"] <= 1
        assert all(math.isfinite(value) and value >= 0 for point in course.points for value in point)


def test_a_stage_that_was_cancelled_is_not_said_to_have_failed():
    begun = record(status=Status.RUNNING, stages={"read": Stage.RUNNING})
    cancelled = advance(begun, Change(status=Status.CANCELLED), NOW)
    assert stage_words(cancelled) == {
        "read": "cancelled",
        "decompress": "not started",
        "write": "not started",
    }
    failed = advance(begun, Change(status=Status.FAILED), NOW)
    assert stage_words(failed)["read"] == "failed"


def test_a_job_that_was_asked_to_end_is_cancelling_until_it_has_ended():
    asked = record(status=Status.RUNNING, cancel_requested_at="2026-01-02T03:04:05.678Z")
    shown = to_wire(describe(asked, Course()))
    assert (shown["status"], shown["word"], shown["final"]) == ("running", "cancelling", False)
    said = record(status=Status.RUNNING, logs=("[2026-01-02T03:04:05.678Z] asked to cancel",))
    assert describe(said, Course()).word == "running"  # by the field, not by the prose
    ended = dataclasses.replace(asked, status=Status.CANCELLED)
    assert describe(ended, Course()).word == "cancelled"


def test_a_complete_job_is_done_whatever_its_counters_say():
    assert fraction_done(record(status=Status.COMPLETE, progress={"filesListed": 10})) == 1
    assert fraction_done(record()) is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://console.cloud.google.com/dataflow/jobs/r/1?project=p", True),
        ("javascript:alert(1)", False),
        ("https://console.cloud.google.com.evil.example/", False),
    ],
)
def test_only_an_address_at_google_is_a_link(url, shown):
    found = console_url(record("dataflow", dataflow_job_id="1", dataflow_url=url))
    assert found == (url if shown else None)


def test_the_page_of_a_local_stacks_job_is_no_link_for_google_does_not_know_it():
    local = dataclasses.replace(record("dataflow"), runner_options={"project": "local-project"})
    url = "https://console.cloud.google.com/dataflow/jobs/local-region1/1"
    assert console_url(dataclasses.replace(local, dataflow_url=url)) is None


def test_log_lines_have_a_time_a_level_and_their_text():
    logs = (f"[{NOW}] ERROR: it [broke]\nhere", f"[{NOW}] WARNING: slow", f"[{NOW}] well", "no stamp")
    made = dataclasses.replace(record(), logs=logs)
    assert log_lines(made) == [
        (NOW, "error", "it [broke]\nhere"),
        (NOW, "warning", "slow"),
        (NOW, "info", "well"),
        ("", "info", "no stamp"),
    ]


def test_the_line_that_says_why_the_job_failed_is_an_error():
    failed = record(status=Status.FAILED, error="all 8 files failed", logs=("all 8 files failed",))
    assert log_lines(failed) == [(NOW, "error", "all 8 files failed")]


def test_the_line_about_lines_left_out_is_no_line_of_the_log():
    made = record()
    for n in range(1100):
        made = advance(made, Change(logs=(f"line {n}",)), NOW)
    lines = log_lines(made)
    assert made.logs_left_out == 1100 - len(lines) > 0
    assert lines[-1][2] == "line 1099"
    assert lines[0][2] == f"line {made.logs_left_out}"


logs = st.lists(st.sampled_from("abc").map(lambda text: ("", "info", text)), max_size=8)


@given(logs, logs)
def test_a_change_of_the_log_makes_the_new_one_of_the_old(old, new):
    drop, added = log_change(old, new)
    assert old[drop:] + added == new


@given(st.integers(1, 30), st.integers(0, 30), st.integers(0, 30))
def test_only_what_is_new_of_a_log_is_sent(length, dropped, added):
    lines = [("", "info", str(n)) for n in range(length + added)]
    dropped = min(dropped, length - 1)
    assert log_change(lines[:length], lines[dropped:]) == (dropped, lines[length:])
