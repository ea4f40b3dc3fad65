"""What a job left at its target: its ledger and its output, for whoever wants to read them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.errors import RefusedError, StorageError
from pipeline.ledger import FileRecord
from pipeline.storage import Store
from pipeline.target.contents import published
from pipeline.target.lifecycle import read_summary

_READ_BYTES = 1 << 20


def ledger_records(
    store: Store,
    target: str,
    *,
    status: str | None = None,
    job_id: str | None = None,
    about: str | None = None,
) -> Iterator[FileRecord]:
    """The record of each input file, in the order of the ledger; of one status and of one job if they are given.

    With `about` only those that this text is in, which is found out fast: most are then not looked into.
    A record of before there were job ids in them is taken for the job's. Raises StorageError for a ledger that cannot
    be read.
    """
    text = json.dumps(about)[1:-1].encode() if about else b""
    for uri in published(store, target, kinds=("ledger",)):
        for line in lines_of(store, uri):
            if text not in line:
                continue
            try:
                record = FileRecord.from_line(line)
            except (ValueError, TypeError) as e:
                raise StorageError(uri, f"holds a line that is no ledger record ({e})") from e
            if job_id and record.job_id not in (None, job_id):
                continue
            if status is None or record.status == status:
                yield record


def check_still_of(store: Store, target: str, job_id: str) -> None:
    """Raises RefusedError when a later job has written there, so that what the target holds is not this job's.

    A job that failed leaves its ledger without a summary: then it is the ledger that says whose it is.
    """
    summary = read_summary(store, target)
    if summary is not None:
        check_summary_of(summary, target, job_id)
        return
    first = next(ledger_records(store, target), None)
    if first is not None and first.job_id not in (None, job_id):
        raise RefusedError(f"{target} now holds the ledger of job {first.job_id}, not of {job_id}")


def check_summary_of(summary: Mapping[str, Any], target: str, job_id: str) -> None:
    """The same, of the target's summary that is at hand."""
    if summary.get("jobId") != job_id:
        raise RefusedError(f"{target} now holds the output of job {summary.get('jobId')}, not of {job_id}")


def output_shards(store: Store, target: str) -> list[str]:
    """The URIs of the published shards, in order."""
    return list(published(store, target, kinds=("output",)))


def output_lines(store: Store, target: str, count: int) -> list[bytes]:
    """The first lines of the output, without their ends; no more of it is read than they need."""
    lines: list[bytes] = []
    for uri in output_shards(store, target):
        for line in lines_of(store, uri):
            if len(lines) == count:
                return lines
            lines.append(line)
    return lines


def lines_of(store: Store, uri: str) -> Iterator[bytes]:
    """The lines of a file, without their ends. Raises StorageError behind the last where they are not the store's."""
    rest = b""
    with store.open_read(uri) as stream:
        while block := stream.read(_READ_BYTES):
            *whole, rest = (rest + block).split(b"\n")
            yield from whole
        stream.verify()
    if rest:
        yield rest
