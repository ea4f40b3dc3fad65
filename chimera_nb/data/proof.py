"""Prove what a job left, or take one file's lines out of it: by the job's id, or by the target alone.

    from chimera_nb.data.proof import verify
    verify("gs://results/all", deep=True).proved

A target can be looked at by anybody who may read it; with the job's id the job log is asked as well.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from chimera_nb.jobs.record import Status
from chimera_nb.session import Session
from pipeline.errors import JobNotFoundError, RefusedError, TargetError
from pipeline.folders import absolute
from pipeline.inputs.manifest import all_inputs
from pipeline.inputs.selection import patterns_by_input
from pipeline.ledger import FileRecord
from pipeline.locations import Inputs
from pipeline.proof import Claimed, Verdict, find_record
from pipeline.proof import extract as extract_lines
from pipeline.proof import verify as verify_target
from pipeline.spec import JobSpec
from pipeline.storage import Store
from pipeline.target.layout import summary_uri
from pipeline.target.lifecycle import read_summary
from pipeline.target.results import check_still_of


@dataclass(frozen=True)
class Output:
    """An output to look at: where it is, and what the job log knows of its job when that was asked."""

    store: Store
    target: str
    claimed: Claimed | None


def verify(job_or_target: str, *, deep: bool = False, session: Session | None = None) -> Verdict:
    """Prove or refute an output: the verdict, whose `proved` is the answer and `findings` what speaks against it.

    job_or_target  a job's id, or the folder that it wrote
    deep           decode every file again, and compare its lines
    session        where the job and its output are; left out, one of its own

    Raises RefusedError or JobNotFoundError where there is no such output, StorageError while the store is away.
    """
    output = find_output(job_or_target, session=session)
    return verify_target(output.store, output.target, output.claimed, deep=deep)


def extract(
    job_or_target: str, uri: str, *, session: Session | None = None
) -> tuple[FileRecord, Iterator[bytes]]:
    """One file's record in the ledger, and its lines in blocks of bytes, out of an output.

    job_or_target  a job's id, or the folder that it wrote
    uri            the input file, or the end of its URI where no other file ends so
    session        where the job and its output are; left out, one of its own

    Raises RefusedError for a file that has no lines there, with the reason; StorageError, at the end of the blocks,
    when they are not what was written.
    """
    output = find_output(job_or_target, session=session)
    if output.claimed:
        check_still_of(output.store, output.target, output.claimed.job_id)
    elif read_summary(output.store, output.target) is None:
        raise RefusedError(f"{output.target} holds no output: there is no {summary_uri(output.target)}")
    name = os.path.normpath(absolute(uri)) if uri.startswith((".", "~")) else uri
    record = find_record(output.store, output.target, name)
    return record, extract_lines(output.store, output.target, record)


def find_output(job_or_target: str, *, session: Session | None = None) -> Output:
    """What a job's id or a target stands for. A name without "/" is an id, or else a folder right here."""
    if session is None:
        with Session() as own:
            return find_output(job_or_target, session=own)
    if "/" in job_or_target or job_or_target in (".", ".."):
        return _at(job_or_target, session)
    try:
        return _of_job(job_or_target, session)
    except JobNotFoundError:
        if Path(job_or_target).is_dir():
            return _at(job_or_target, session)
        raise


def _at(target: str, session: Session) -> Output:
    if target.startswith("gs://"):
        located = target.rstrip("/")
        return Output(session.store_for(located), located, None)
    located = os.path.normpath(absolute(target))
    store = session.store_for(located)
    with suppress(TargetError):  # a summary that cannot be read is looked at later
        patterns = (read_summary(store, located) or {}).get("patterns")
        if isinstance(patterns, list) and (
            in_buckets := [p for p in map(str, patterns) if p.startswith("gs://")]
        ):
            store = session.store_for(in_buckets[0])
    return Output(store, located, None)


def _of_job(job_id: str, session: Session) -> Output:
    session.refresh()
    record = session.service.get(job_id)
    if not record.status.is_final:
        raise RefusedError(f"job {job_id} is {record.status.value}; wait for its end")
    if record.status is not Status.COMPLETE:
        why = f" ({record.error})" if record.error else ""
        raise RefusedError(
            f"job {job_id} is {record.status.value}{why}: it left no output, so there is none to look at"
        )
    spec = JobSpec.from_json(record.spec)
    store = session.store_for(spec.target, *spec.inputs[:1]).billed_to(spec.user_project)

    def patterns() -> Sequence[str]:
        inputs = Inputs(all_inputs(store, spec))
        by_input = patterns_by_input(store, inputs, spec.source, every=spec.every_file)
        return list(dict.fromkeys(p for found in by_input.values() for p in found))

    return Output(store, spec.target, Claimed(job_id, record.summary or {}, patterns))
