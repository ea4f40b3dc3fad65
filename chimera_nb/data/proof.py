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

from chimera_nb.connect import connect
from chimera_nb.jobs.record import Status
from chimera_nb.jobs.service import JobService
from chimera_nb.settings import load_settings
from pipeline.errors import JobNotFoundError, RefusedError, TargetError
from pipeline.folders import absolute
from pipeline.inputs.manifest import all_inputs
from pipeline.inputs.selection import patterns_by_input
from pipeline.ledger import FileRecord
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


def verify(job_or_target: str, *, deep: bool = False, data_dir: Path | None = None) -> Verdict:
    """Prove or refute an output; `deep` decodes every file again and compares its lines.

    Raises RefusedError or JobNotFoundError where there is no such output, StorageError while the store is away.
    """
    output = find_output(job_or_target, data_dir=data_dir)
    return verify_target(output.store, output.target, output.claimed, deep=deep)


def extract(
    job_or_target: str, uri: str, *, data_dir: Path | None = None
) -> tuple[FileRecord, Iterator[bytes]]:
    """A file's record, and its lines in blocks. `uri` may be the end of it, where no other file ends so.

    Raises RefusedError for a file that has no lines there, with the reason; StorageError, at the end of the blocks,
    when they are not what was written.
    """
    output = find_output(job_or_target, data_dir=data_dir)
    if output.claimed:
        check_still_of(output.store, output.target, output.claimed.job_id)
    elif read_summary(output.store, output.target) is None:
        raise RefusedError(f"{output.target} holds no output: there is no {summary_uri(output.target)}")
    name = os.path.normpath(absolute(uri)) if uri.startswith((".", "~")) else uri
    record = find_record(output.store, output.target, name)
    return record, extract_lines(output.store, output.target, record)


def find_output(job_or_target: str, *, data_dir: Path | None = None) -> Output:
    """What a job's id or a target stands for. A name without "/" is an id, or else a folder right here."""
    if "/" in job_or_target or job_or_target in (".", ".."):
        return _at(job_or_target, data_dir)
    try:
        return _of_job(job_or_target, data_dir)
    except JobNotFoundError:
        if Path(job_or_target).is_dir():
            return _at(job_or_target, data_dir)
        raise


def _at(target: str, data_dir: Path | None) -> Output:
    if target.startswith("gs://"):
        located = target.rstrip("/")
        return Output(connect([located], data_dir=data_dir).store, located, None)
    located = os.path.normpath(absolute(target))
    store = load_settings(data_dir).store
    with suppress(TargetError):  # a summary that cannot be read is looked at later
        patterns = (read_summary(store, located) or {}).get("patterns")
        if isinstance(patterns, list) and (
            in_buckets := [p for p in map(str, patterns) if p.startswith("gs://")]
        ):
            store = connect(in_buckets[:1], data_dir=data_dir).store
    return Output(store, located, None)


def _of_job(job_id: str, data_dir: Path | None) -> Output:
    service = JobService(connect(data_dir=data_dir))
    try:
        record = service.get(job_id)
    finally:
        service.log.close()
    if not record.status.is_final:
        raise RefusedError(f"job {job_id} is {record.status.value}; wait for its end")
    if record.status is not Status.COMPLETE:
        why = f" ({record.error})" if record.error else ""
        raise RefusedError(
            f"job {job_id} is {record.status.value}{why}: it left no output, so there is none to look at"
        )
    spec = JobSpec.from_json(record.spec)
    store = connect([spec.target, *spec.inputs[:1]], data_dir=data_dir).store.billed_to(spec.user_project)

    def patterns() -> Sequence[str]:
        whole = JobSpec(all_inputs(store, spec), spec.target, job_id, spec.source)
        return list(dict.fromkeys(p for found in patterns_by_input(store, whole).values() for p in found))

    return Output(store, spec.target, Claimed(job_id, record.summary or {}, patterns))
