"""What a monitor shows of a job: its numbers, its course over time, its log. No notebook, no network, no clock.

A record may come from another version or be edited by hand, so a number in it is taken only if it is one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from chimera_nb.jobs.course import speeds_of
from chimera_nb.jobs.forecast.spent import spent_of
from chimera_nb.jobs.left_out import left_out
from chimera_nb.jobs.log_line import LogLine
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.runners.dataflow import LOCAL_PROJECT
from chimera_nb.jobs.standing import file_counts, fraction_done, lines_of, number, stage_words, unit_of
from chimera_nb.settings import Settings
from chimera_nb.widgets.job_monitor.states import Job, StageState

SPEED_SECONDS = 5.0  # what is called the speed now is over so long
LEFT_SECONDS = 30.0  # the time that is left is told by the files of so long
MAX_POINTS = 240  # of the course
MAX_LOG_LINES = 1000
INPUTS_SHOWN = 5

_MOMENT = 0.05  # seconds; a speed over less says nothing
_CONSOLE = "https://console.cloud.google.com/"


# The job


def describe(record: JobRecord, course: Course, settings: Settings | None = None) -> Job:
    """The job as the front end shows it; the settings have the prices."""
    numbers = record.progress
    files = file_counts(record)
    seconds = number(numbers.get("seconds"))
    raw = number(numbers.get("rawBytes"))
    less = left_out(record)
    active = record.status is Status.RUNNING
    spent = spent_of(record, settings or Settings())
    return Job(
        id=record.job_id,
        status=record.status.value,
        final=record.status.is_final,
        shade=record.shade,
        word=record.status_word,
        name=record.name or "",
        note=record.note or "",
        tags=record.tags,
        error=record.error,
        source=record.source_type,
        runner=record.runner,
        created_at=record.created_at,
        created_by=record.created_by,
        finished_at=record.finished_at,
        inputs=tuple(record.inputs(INPUTS_SHOWN)),
        inputs_total=record.selected_paths_total,
        target=record.target,
        dataflow_url=console_url(record),
        stages=tuple(StageState(name, word) for name, word in stage_words(record).items()),
        listed=files.listed or 0,
        complete=files.read,
        failed=files.failed,
        skipped=files.skipped,
        skipped_bytes=less.skipped_bytes,
        unmatched=less.unmatched,
        unmatched_bytes=less.unmatched_bytes,
        unmatched_first=less.first,
        fraction=fraction_done(record),
        read_bytes=number(numbers.get("compressedBytes")),
        raw_bytes=raw,
        lines=lines_of(record),
        unit=unit_of(record),
        output_bytes=number(numbers.get("outputBytes")) if lines_of(record) is not None else None,
        bytes_listed=number(numbers.get("bytesListed")),
        workers=number(numbers.get("workers")),
        seconds=seconds,
        machine_hours=spent.hours,
        cost=spent.money,
        currency=spent.currency,
        speed=course.speed if active else None,
        average_speed=raw / seconds if raw is not None and seconds and seconds > _MOMENT else None,
        seconds_left=course.seconds_left(record) if active else None,
    )


def console_url(record: JobRecord) -> str | None:
    """The job's page at Google; none for a job of a local stack, and for an address that leads elsewhere."""
    url = record.dataflow_url or ""
    local = record.runner_options.get("project") == LOCAL_PROJECT
    return url if url.startswith(_CONSOLE) and not local else None


# Its course


@dataclass(frozen=True)
class _Sample:
    seconds: float  # since the job began to run
    raw: float
    done: float  # bytes as stored where the sizes of all files are known, else files


class Course:
    """A job's numbers over time.

    Attribute: points, [seconds, raw bytes a second] each. What was before the first look is as the record keeps it, or
    else drawn as its average.
    """

    def __init__(self) -> None:
        self.points: list[tuple[float, float]] = []
        self._samples: deque[_Sample] = deque()

    def add(self, record: JobRecord) -> bool:
        """Take in a later state of the job; whether it told anything new."""
        numbers = record.progress
        seconds, raw = number(numbers.get("seconds")), number(numbers.get("rawBytes"))
        if seconds is None or seconds < _MOMENT or raw is None:
            return False
        now = _Sample(float(seconds), float(raw), _done(record))
        if not self._samples:
            average = now.raw / now.seconds
            self.points = speeds_of(record.course) or [(0.0, average), (now.seconds, average)]
        elif now.seconds < self._samples[-1].seconds + _MOMENT or now.raw < self._samples[-1].raw:
            return False  # what comes late, or of another run
        self._samples.append(now)
        while len(self._samples) > 2 and self._samples[1].seconds <= now.seconds - LEFT_SECONDS:
            self._samples.popleft()
        if len(self._samples) > 1:
            self.points.append((now.seconds, self.speed or 0.0))
        if len(self.points) > MAX_POINTS:
            self.points = _halved(self.points)
        return True

    @property
    def speed(self) -> float | None:
        """Raw bytes a second, over the last few seconds."""
        if not self._samples:
            return None
        if len(self._samples) == 1:
            return self.points[-1][1]
        then, now = self._before(SPEED_SECONDS), self._samples[-1]
        return (now.raw - then.raw) / (now.seconds - then.seconds)

    def seconds_left(self, record: JobRecord) -> float | None:
        """Seconds until the job ends: 0 when all files are read, None when it cannot be estimated."""
        left = _left(record)
        if left is None:
            return None
        if left <= 0:
            return 0.0
        if len(self._samples) > 1:
            then, now = self._before(LEFT_SECONDS), self._samples[-1]
            if now.done > then.done:
                return round(left * (now.seconds - then.seconds) / (now.done - then.done), 1)
        return number(record.progress.get("secondsLeft"))

    def _before(self, seconds: float) -> _Sample:
        """The latest sample that is so old, else the oldest."""
        until = self._samples[-1].seconds - seconds
        old = [sample for sample in self._samples if sample.seconds <= until]
        return old[-1] if old else self._samples[0]


def _done(record: JobRecord) -> float:
    if number(record.progress.get("bytesListed")):
        return float(number(record.progress.get("compressedBytes")) or 0)
    counts = file_counts(record)
    return float(counts.read + counts.failed)


def _left(record: JobRecord) -> float | None:
    """What is still to be done, as `_done` counts it; None where nobody knows how much there is."""
    less = left_out(record)
    if in_all := number(record.progress.get("bytesListed")):
        return in_all - less.skipped_bytes - _done(record)
    listed = file_counts(record).listed
    return None if not listed else listed - less.skipped - _done(record)


def _halved(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same course with half the points: each two as one, but for the first and the last."""
    first, *inner, last = points
    pairs = zip(inner[::2], inner[1::2], strict=False)
    return [first, *((later[0], (one[1] + later[1]) / 2) for one, later in pairs), last]


# Its log


def log_lines(record: JobRecord) -> list[LogLine]:
    """The log, oldest first; where lines were left out, without its first one, which tells how many."""
    lines = [_line(line, record.error) for line in record.logs]
    if record.logs_left_out:
        del lines[:1]
    return lines[-MAX_LOG_LINES:]


def log_change(old: Sequence[LogLine], new: Sequence[LogLine]) -> tuple[int, list[LogLine]]:
    """How many lines to drop from the front of the old log, and what to append, to make the new one of it."""
    if not new:
        return len(old), []
    starts = [at for at, line in enumerate(old) if line == new[0]]
    for at in starts:
        kept = len(old) - at
        if list(old[at:]) == list(new[:kept]):
            return at, list(new[kept:])
    return len(old), list(new)


def _line(line: str, error: str | None) -> LogLine:
    read = LogLine.parse(line)
    return read._replace(level="error") if error and read.text == error else read
