"""What stands in a job log: records of jobs, and documents that cannot be read as one, each in its place."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chimera_nb.jobs.document import brief
from chimera_nb.jobs.record import JobRecord
from pipeline.errors import JobLogError, UnreadableRecordError

_log = logging.getLogger(__name__)
_warned: set[tuple[str, str]] = set()  # of this process: a list is asked for every few seconds


@dataclass(frozen=True)
class UnreadableRecord:
    """A document that is no record of a job: its place in the log, what is wrong, its createdAt if that is a text."""

    job_id: str
    problem: str
    created_at: str = ""


Entry = JobRecord | UnreadableRecord
Entries = tuple[Entry, ...]


def read_record(job_id: str, load: Callable[[], Any]) -> JobRecord:
    """The record in the document that `load` gives, which stands under that id.

    Raises UnreadableRecordError, whatever the document is.
    """
    try:
        record = JobRecord.from_document(load())
    except UnreadableRecordError as e:
        raise UnreadableRecordError(job_id, e.problem) from e
    except JobLogError as e:
        raise UnreadableRecordError(job_id, str(e)) from e
    except RecursionError as e:
        raise UnreadableRecordError(job_id, "it is nested too deeply") from e
    except ValueError as e:
        raise UnreadableRecordError(job_id, f"it is no JSON ({e})") from e
    if record.job_id != job_id:
        raise UnreadableRecordError(job_id, f"its jobId is {brief(record.job_id)}, which is another")
    return record


def read_entry(where: str, job_id: str, created_at: object, load: Callable[[], Any]) -> Entry:
    """The record in a document, or an UnreadableRecord, which is logged once by a process."""
    try:
        return read_record(job_id, load)
    except UnreadableRecordError as e:
        if (where, job_id) not in _warned:
            _warned.add((where, job_id))
            _log.warning("%s: %s", where, e)
        return UnreadableRecord(job_id, e.problem, created_at if isinstance(created_at, str) else "")
