"""What a job did not read of its selection, by its record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chimera_nb.jobs.record import JobRecord


@dataclass(frozen=True)
class LeftOut:
    """Files and their bytes, as stored.

    skipped     passed over, each for the reason in its record in the ledger: another holds the same records, it is no
                data, or it is an archive, whose record tells what in it is no file
    unmatched   in selected folders, and of names that no pattern takes; `first` has the first of their URIs
    """

    skipped: int = 0
    skipped_bytes: int = 0
    unmatched: int = 0
    unmatched_bytes: int = 0
    first: tuple[str, ...] = ()


def left_out(record: JobRecord) -> LeftOut:
    """As far as it is known by now; the first names only of a job that is complete."""
    numbers, summary = record.progress, record.summary or {}
    files, unmatched = _map(summary.get("files")), _map(summary.get("unmatched"))
    first = unmatched.get("first")
    return LeftOut(
        _count(files.get("skipped"), numbers.get("filesSkipped")),
        _count(summary.get("skippedBytes"), numbers.get("skippedBytes")),
        _count(unmatched.get("files"), numbers.get("filesUnmatched")),
        _count(unmatched.get("bytes"), numbers.get("unmatchedBytes")),
        tuple(map(str, first)) if isinstance(first, list | tuple) else (),
    )


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _count(*values: object) -> int:
    """The first that is a number; a record may be of another version, or edited by hand."""
    return next((value for value in values if type(value) is int and value >= 0), 0)
