"""What Dataflow says of a job, as a change to its record. Pure: no clock, no service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from chimera_nb.jobs.log_line import LogLine
from chimera_nb.jobs.progress import numbers, stages
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.runners.dataflow_client import DataflowJob, Message, Messages
from chimera_nb.jobs.transitions import Change
from pipeline.failure_cause import cause_of

_WAITING = ("PENDING", "QUEUED", "UNKNOWN", "STOPPED")
_LEVELS: dict[str, Literal["warning", "error"]] = {"WARNING": "warning", "ERROR": "error"}
_AT = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')


def running_change(
    record: JobRecord, job: DataflowJob, told: Messages, counters: Mapping[str, int], now: datetime
) -> Change:
    """The change for a job that has not ended."""
    began = datetime.fromisoformat(record.started_at) if record.started_at else now
    seconds = max(0.0, (now - began).total_seconds())
    progress = numbers(counters, seconds, record.progress)
    if told.workers is not None:
        progress["workers"] = told.workers
    if told.messages:
        progress["messagesUntil"] = _seconds(told.messages[-1].time)
    waiting = job.state in _WAITING
    return Change(
        status=None if waiting else Status.RUNNING,
        stages={} if waiting else stages(counters),
        progress=progress,
        logs=tuple(map(log_line, told.messages)),
    )


def log_line(message: Message) -> LogLine:
    """A message as a line of the record's log, under its own time so that it is taken in once."""
    return LogLine(message.time, _LEVELS.get(message.severity, "info"), shortened(message.text))


def shortened(text: str) -> str:
    """A message without its traceback: the cause, and the line it was raised at."""
    if "Traceback" not in text:
        return text.strip()
    frames = _AT.findall(text)
    at = f" (at {frames[-1][0].rpartition('site-packages/')[2]}:{frames[-1][1]})" if frames else ""
    return f"{cause_of(text)}{at}"


def failure(told: Messages) -> str:
    """Why a failed job failed, by its last errors: the first of them that names a cause."""
    errors = [message.text for message in told.messages if message.severity == "ERROR"]
    with_cause = [text for text in errors if "Traceback" in text]
    if with_cause:
        return shortened(with_cause[-1])
    return shortened(errors[-1]) if errors else "Dataflow says that the job failed, and gives no reason"


def since(record: JobRecord) -> float:
    """From when on messages are asked for, in seconds since 1970."""
    return float(record.progress.get("messagesUntil") or 0)


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()
