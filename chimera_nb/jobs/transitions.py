"""How a record moves: forward only, whoever brings a change and however late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from chimera_nb.jobs.course import extended
from chimera_nb.jobs.limits import MAX_LINE_BYTES, MAX_LOG_BYTES, MAX_LOG_LINES, cut, storable, weigh
from chimera_nb.jobs.log_line import LogLine, stamp_of
from chimera_nb.jobs.record import STAGES, JobRecord, Stage, Status, timestamp
from pipeline.errors import UnknownNameError


@dataclass(frozen=True, kw_only=True)
class Change:
    """What to bring into a record; what is left out stays as it is. Raises UnknownNameError for a stage.

    A message of `logs` gets the time of the update. One that has its own time, to the millisecond, keeps it and is
    taken in once only, so several viewers may pass on the same messages of Dataflow. A text is a line of level info,
    or one as `LogLine.format` writes it.
    """

    status: Status | None = None
    stages: Mapping[str, Stage] = field(default_factory=dict)
    logs: Sequence[LogLine | str] = ()
    progress: Mapping[str, int | float | None] = field(default_factory=dict)
    error: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    cancel_requested_at: str | None = None
    target_unseen_since: str | None = None
    dataflow_requested_at: str | None = None
    dataflow_job_id: str | None = None
    dataflow_url: str | None = None
    worker: Mapping[str, Any] | None = None
    summary: Mapping[str, Any] | None = None
    name: str | None = None
    note: str | None = None
    tags: Sequence[str] | None = None
    announced_by: str | None = None

    def __post_init__(self) -> None:
        for name in self.stages:
            if name not in STAGES:
                raise UnknownNameError("stage", name, list(STAGES))


def advance(record: JobRecord, change: Change, now: str, *, log_bytes: int = MAX_LOG_BYTES) -> JobRecord:
    """The record after the change, as far as the change moves it forward; the same object if nothing changes.

    A late change is not an error; what it cannot move is left out.

        field                               record not final                    record final
        status, stages                      if further on                       kept
        logs                                appended                            appended
        progress, worker                    replaced                            kept
        summary, error                      replaced                            if it has none, and the change has
                                                                                no other status
        dataflow_job_id, dataflow_url       if it has none                      if it has none
        cancel_requested_at                 if it has none; logged              kept
        target_unseen_since                 if it has none                      kept
        dataflow_requested_at               if it has neither this nor a        kept
                                            request to cancel
        course                              made of the progress                kept
        name, note, tags                    replaced                            replaced
        announced_by                        if it has none                      if it has none
    """
    moved = _fill(record, change) if record.status.is_final else _move(record, change, now)
    asked = moved.cancel_requested_at is not None and record.cancel_requested_at is None
    logs, left_out = _append(record, (*change.logs, *(["asked to cancel"] if asked else [])), now, log_bytes)
    changed: dict[str, Any] = {
        "logs": logs,
        "logs_left_out": left_out,
        "announced_by": record.announced_by or change.announced_by,
    }
    for name in _SAID:
        if (said := getattr(change, name)) is not None:
            changed[name] = tuple(said) if name == "tags" else said or None
    moved = replace(moved, **changed)
    return record if moved == record else replace(moved, updated_at=_next(record.updated_at, now))


def _fill(record: JobRecord, change: Change) -> JobRecord:
    agrees = change.status in (None, record.status)
    failed = record.status is not Status.COMPLETE
    return replace(
        record,
        dataflow_job_id=record.dataflow_job_id or change.dataflow_job_id,
        dataflow_url=record.dataflow_url or change.dataflow_url,
        summary=change.summary if agrees and record.summary is None else record.summary,
        error=change.error if agrees and failed and record.error is None else record.error,
    )


def _move(record: JobRecord, change: Change, now: str) -> JobRecord:
    status = _later(record.status, change.status)
    stages = {name: _later(stage, change.stages.get(name)) for name, stage in record.stages.items()}
    if status is Status.COMPLETE:
        stages = dict.fromkeys(STAGES, Stage.COMPLETE)
    elif status.is_final:
        stages = {n: Stage.FAILED if stage is Stage.RUNNING else stage for n, stage in stages.items()}
    has_run = status in (Status.RUNNING, Status.COMPLETE)
    return replace(
        record,
        status=status,
        stages=stages,
        progress={**record.progress, **change.progress},
        course=extended(record.course, change.progress.get("seconds"), change.progress.get("rawBytes")),
        error=None if status is Status.COMPLETE else change.error or record.error,
        started_at=record.started_at or change.started_at or (now if has_run else None),
        finished_at=(change.finished_at or now) if status.is_final else None,
        cancel_requested_at=record.cancel_requested_at or change.cancel_requested_at,
        target_unseen_since=record.target_unseen_since or change.target_unseen_since,
        dataflow_requested_at=record.dataflow_requested_at
        or (None if record.cancel_requested_at else change.dataflow_requested_at),
        dataflow_job_id=record.dataflow_job_id or change.dataflow_job_id,
        dataflow_url=record.dataflow_url or change.dataflow_url,
        worker=record.worker if change.worker is None else change.worker,
        summary=record.summary if change.summary is None else change.summary,
    )


def _next(before: str, now: str) -> str:
    """The time of a change: later than the one before, so that it also tells any two states of a record apart.

    Where a clock stood ahead when the record was changed last, and does no longer, that is a millisecond later.
    """
    if now > before:
        return now
    try:
        return timestamp(datetime.fromisoformat(before) + timedelta(milliseconds=1))
    except (ValueError, OverflowError):  # written by hand
        return max(now, before)


_SAID = ("name", "note", "tags")  # by people, of whatever job
_Step = TypeVar("_Step", Status, Stage)


def _later(stands: _Step, asked: _Step | None) -> _Step:
    return asked if asked is not None and asked.rank > stands.rank else stands


def _append(
    record: JobRecord, messages: Sequence[LogLine | str], now: str, log_bytes: int
) -> tuple[tuple[str, ...], int]:
    """The log with the messages at its end, within its bounds, and how many lines it has left out by then.

    Of lines left out, the first entry tells how many, under the latest of their times: a message with a time of
    its own that is no later was among them, so it is not taken in again.
    """
    left_out = record.logs_left_out
    lines = list(record.logs[1:] if left_out else record.logs)
    horizon = stamp_of(record.logs[0]) if left_out else ""
    known = set(lines)
    texts = (line.format() if isinstance(line, LogLine) else line for line in messages)
    for message in map(storable, texts):
        own = stamp_of(message)
        line = cut(message if own else f"[{now}] {message}", MAX_LINE_BYTES)
        if not own or (own > horizon and line not in known):
            lines.append(line)
            known.add(line)
    weight = sum(map(weigh, lines))
    dropped = 0
    while dropped < len(lines) and (
        weight > log_bytes - 128 or len(lines) - dropped > MAX_LOG_LINES - bool(left_out + dropped)
    ):
        weight -= weigh(lines[dropped])
        horizon = max(horizon, stamp_of(lines[dropped]))
        dropped += 1
    left_out += dropped
    first = (
        [f"{horizon or f'[{record.created_at}] '}… {left_out:,} earlier lines left out"] if left_out else []
    )
    return (*first, *lines[dropped:]), left_out
