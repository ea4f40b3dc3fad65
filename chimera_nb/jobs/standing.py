"""How a job stands, in numbers and words that are the same wherever it is shown: list, page, command line, notebook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chimera_nb.jobs.left_out import left_out
from chimera_nb.jobs.record import STAGES, JobRecord, Stage, Status
from pipeline.job_options import RAW

NOT_STARTED = "not started"
_MOST = 10**18  # an exabyte


@dataclass(frozen=True)
class FileCounts:
    """Files of a job as its ledger has them: `done` have their record, which is that they were read, failed or skipped.

    listed   all that were found so far; None as long as nobody knows
    """

    listed: int | None
    read: int
    failed: int
    skipped: int

    @property
    def done(self) -> int:
        return self.read + self.failed + self.skipped


def file_counts(record: JobRecord) -> FileCounts:
    """What is known by now; of a job that is complete what its summary says."""
    files = (record.summary or {}).get("files")
    told = files if isinstance(files, Mapping) else {}
    numbers = record.progress
    read = number(told.get("complete"))
    counts = FileCounts(
        None,
        int(number(numbers.get("filesComplete")) or 0 if read is None else read),
        record.failed_files,
        left_out(record).skipped,
    )
    listed = number(numbers.get("filesListed"))
    known = None if listed is None and not counts.done else max(int(listed or 0), counts.done)
    return FileCounts(known, counts.read, counts.failed, counts.skipped)


def lines_of(record: JobRecord) -> int | None:
    """Lines, or rows of a view, that the job wrote; None for one that published nothing."""
    if record.status in (Status.FAILED, Status.CANCELLED):
        return None
    found = number((record.summary or {}).get("lines"))
    found = number(record.progress.get("lines")) if found is None else found
    return None if found is None else int(found)


def unit_of(record: JobRecord) -> str:
    """What `lines_of` counts: "line", or "row" where a view wrote rows."""
    return "line" if record.spec.get("view", RAW) == RAW else "row"


def stage_words(record: JobRecord) -> dict[str, str]:
    """Where each stage stands; of a job that has ended, a stage that never began is "not started"."""
    return {name: _stage_word(record, record.stages[name]) for name in STAGES}


def fraction_done(record: JobRecord) -> float | None:
    """How much of the job is done, 0 to 1: by bytes where the sizes of its files are known, else by files."""
    if record.status is Status.COMPLETE:
        return 1.0
    in_all = number(record.progress.get("bytesListed"))
    if in_all:
        stored = number(record.progress.get("compressedBytes")) or 0
        return min(1.0, (stored + left_out(record).skipped_bytes) / in_all)
    counts = file_counts(record)
    return min(1.0, counts.done / counts.listed) if counts.listed else None


def number(value: object) -> int | float | None:
    """The value if it is a number from 0 to 10**18, else None: a record may be edited by hand."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if 0 <= value <= _MOST else None


def _stage_word(record: JobRecord, stage: Stage) -> str:
    if record.status.is_final and stage is Stage.WAITING:
        return NOT_STARTED
    # What a cancelled job did not come to the end of is cancelled, not failed.
    return "cancelled" if record.status is Status.CANCELLED and stage is Stage.FAILED else stage.value
