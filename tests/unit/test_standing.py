"""How a job stands: the same counts and words wherever it is shown; and its bytes over time, as its record has them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimera_nb.data.job_tables import jobs_frame
from chimera_nb.job_progress import in_words
from chimera_nb.jobs.course import MOST_POINTS, extended, points_of, speeds_of
from chimera_nb.jobs.progress import numbers
from chimera_nb.jobs.record import JobRecord, Stage, Status
from chimera_nb.jobs.standing import file_counts, fraction_done, lines_of, stage_words, unit_of
from chimera_nb.jobs.transitions import Change, advance
from chimera_nb.widgets.job_history.row import Row
from chimera_nb.widgets.job_monitor.model import Course, describe
from pipeline.spec import JobSpec

T0 = "2026-01-31T12:00:00.000Z"


@pytest.fixture
def pending():
    spec = JobSpec(inputs=("gs://b/in/",), target="gs://b/out", job_id="2026-01-31-aaaaaaaa")
    return JobRecord.from_spec(spec, runner="direct", now=T0)


def at(second):
    return f"2026-01-31T12:{second // 60:02d}:{second % 60:02d}.000Z"


def after(record, second=1, **change):
    return advance(record, Change(**change), at(second))


COUNTS = {
    "filesListed": 9,
    "filesComplete": 2,
    "filesFailed": 6,
    "filesSkipped": 1,
    "lines": 40,
    "outputBytes": 9,
}


def test_a_job_that_is_complete_but_for_some_files_says_so_everywhere(pending):
    summary = {"files": {"complete": 2, "failed": 6, "skipped": 1}, "lines": 40}
    record = after(pending, status=Status.COMPLETE, progress=COUNTS, summary=summary)
    job, row = describe(record, Course()), Row.of(record)
    assert {record.status_word, job.word, row.word} == {"complete, 6 failed"}
    assert {record.shade, job.shade, row.shade} == {"partial"}
    assert in_words(record).startswith("complete, 6 failed: 9 of 9 files")
    assert (job.listed, row.done, row.failed, row.skipped) == (9, 9, 6, 1)
    assert (job.complete + job.failed + job.skipped, job.lines, row.lines) == (9, 40, 40)
    (frame,) = jobs_frame([record]).to_dict("records")
    assert (frame["status"], frame["files"], frame["failed"]) == ("complete", 9, 6)
    whole = after(pending, status=Status.COMPLETE, progress={"filesComplete": 1})
    assert (whole.status_word, whole.shade) == ("complete", "complete")


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED])
def test_a_job_that_published_nothing_shows_no_lines_and_stages_that_never_began_are_not_started(
    pending, status
):
    running = after(pending, status=Status.RUNNING, stages={"read": Stage.RUNNING}, progress=COUNTS)
    assert (lines_of(running), stage_words(running)["write"]) == (40, "waiting")
    record = after(running, 2, status=status)
    job, row = describe(record, Course()), Row.of(record)
    assert {lines_of(record), job.lines, row.lines, job.output_bytes} == {None}
    assert "lines" not in in_words(record)
    ended = "cancelled" if status is Status.CANCELLED else "failed"
    assert stage_words(record) == {"read": ended, "decompress": "not started", "write": "not started"}


def test_a_view_writes_rows(pending):
    assert unit_of(pending) == "line"
    spec = JobSpec(
        inputs=("gs://b/",), target="gs://b/o", job_id="2026-01-31-aaaaaaab", source="betfair", view="runners"
    )
    assert unit_of(JobRecord.from_spec(spec, runner="direct", now=T0)) == "row"


def test_progress_is_by_bytes_from_the_first_megabytes_on(pending):
    """12 files of a gigabyte, none of which is through."""
    counters = {"list-files": 12, "list-bytes": 12 * 10**9, "read-bytes": 3 * 10**9, "raw-bytes": 10**10}
    record = after(pending, status=Status.RUNNING, progress=numbers(counters, 60.0))
    assert fraction_done(record) == 0.25
    assert record.progress["secondsLeft"] == 180.0
    course = Course()
    course.add(record)
    assert course.seconds_left(record) == 180.0
    later = after(record, 2, progress=numbers({**counters, "read-bytes": 4 * 10**9}, 70.0))
    course.add(later)
    assert course.seconds_left(later) == 80.0  # a gigabyte in the last ten seconds, and eight to go
    told = numbers({**counters, "read-bytes": 0, "reading-bytes": 5 * 10**9}, 60.0)
    assert told["compressedBytes"] == 5 * 10**9  # of bundles that tell it while they read


def test_where_sizes_are_not_known_progress_is_by_files(pending):
    counters = {"list-files": 10, "list-bytes": 5, "unsized-files": 3, "read-files": 4, "read-bytes": 9}
    record = after(pending, status=Status.RUNNING, progress=numbers(counters, 10.0))
    assert (fraction_done(record), record.progress["secondsLeft"]) == (0.4, 15.0)
    assert file_counts(record).listed == 10
    assert fraction_done(pending) is None


def test_the_record_keeps_the_course_of_a_job_so_that_a_later_look_has_its_plot(pending):
    record = after(pending, status=Status.RUNNING)
    for second in range(1, 3000):
        speed = 1000 if second < 1500 else 100
        raw = record.progress.get("rawBytes", 0) + speed
        record = after(record, second, progress={"seconds": float(second), "rawBytes": raw})
    assert len(record.course) <= 2 * MOST_POINTS
    assert JobRecord.from_document(record.to_document()).course == record.course
    opened = Course()
    opened.add(after(record, 3001, status=Status.COMPLETE))
    speeds = dict(opened.points)
    assert max(speeds) > 2900
    assert {round(speed) for second, speed in speeds.items() if second < 1400} == {1000}
    assert {round(speed) for second, speed in speeds.items() if second > 1600} == {100}


@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(0, 10**15)), max_size=600))
def test_a_course_goes_forward_and_stays_bounded_whatever_comes(given):
    course = ()
    for seconds, raw in given:
        course = extended(course, seconds, raw)
    points = points_of(course)
    assert 2 * len(points) == len(course) <= 2 * MOST_POINTS
    assert points == sorted(points)
    assert all(speed >= 0 for _, speed in speeds_of(course))
    assert extended(course, None, 5) == course
    assert points_of([5, 1, 3, 2]) == []
