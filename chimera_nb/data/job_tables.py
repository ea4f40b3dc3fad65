"""Jobs of the log, and the records of a job's ledger, as DataFrames of fixed columns and dtypes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from chimera_nb.data.frames import FrameBuilder
from chimera_nb.jobs.limits import storable
from chimera_nb.jobs.log.entries import Entry, UnreadableRecord
from chimera_nb.jobs.standing import file_counts, lines_of
from pipeline.ledger import FileRecord

_JOBS = {
    **dict.fromkeys(("job", "status"), "string"),
    "created": "datetime64[ns, UTC]",
    "source": "string",
    **dict.fromkeys(("files", "failed", "skipped", "lines"), "Int64"),
    **dict.fromkeys(("target", "error"), "string"),
}
_LEDGER = {
    "uri": "string",
    "status": "string",
    "generation": "Int64",
    "size": "Int64",
    "codec": "string",
    "rawBytes": "Int64",
    "lines": "Int64",
    "outputBytes": "Int64",
    "crc32c": "string",
    "error": "string",
    "note": "string",
    "seconds": "float64",
    "wireSeconds": "float64",
    "diskSeconds": "float64",
    "jobId": "string",
    "shard": "string",
    "offset": "Int64",
    "outputCrc32c": "string",
    "rows": "Int64",
    "badLines": "Int64",
}
_AT_ONCE = 10_000  # records: no more of them are held as such


def jobs_frame(entries: Iterable[Entry]) -> pd.DataFrame:
    """A row for each job, also for one whose record cannot be read: its status is "unreadable"."""
    return pd.DataFrame(map(_job, entries), columns=list(_JOBS)).astype(_JOBS)


def ledger_frame(records: Iterable[FileRecord]) -> pd.DataFrame:
    """A row for each input file; the columns are the fields of the ledger (`pipeline.ledger`)."""
    builder = FrameBuilder(list(_LEDGER))
    held: list[dict[str, Any]] = []
    for record in records:
        row = {name: value for name, value in record.to_json().items() if name in _LEDGER}
        held.append({n: storable(v) if isinstance(v, str) else v for n, v in row.items()})
        if len(held) == _AT_ONCE:
            builder.add(held)
            held = []
    builder.add(held)
    return builder.frame().astype(_LEDGER)


def _job(entry: Entry) -> dict[str, Any]:
    if isinstance(entry, UnreadableRecord):
        created = pd.to_datetime(entry.created_at, errors="coerce", utc=True)
        return {"job": entry.job_id, "status": "unreadable", "created": created, "error": entry.problem}
    counts = file_counts(entry)
    return {
        "job": entry.job_id,
        "status": "cancelling" if entry.is_cancelling else entry.status.value,
        "created": pd.Timestamp(entry.created_at),
        "source": entry.source_type,
        "files": counts.done if counts.listed is not None else None,
        "failed": counts.failed if counts.listed is not None else None,
        "skipped": counts.skipped if counts.listed is not None else None,
        "lines": lines_of(entry),
        "target": entry.target,
        "error": entry.error,
    }
