"""The target folder: is it free, may it be written, and who writes it now.

<target>/output/output-00000-of-000NN.ndjson     whole lines
<target>/ledger/ledger-00000-of-000NN.ndjson     one record per input file
<target>/summary.json                            written last: its presence means complete
<target>/_chimera/claim.json                     the job that is writing here; gone when it has ended
<target>/_chimera/<job id>/                      its files under temporary names; gone when it has ended
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from pipeline import storage
from pipeline.errors import (
    AccessDeniedError,
    ObjectExistsError,
    ObjectNotFoundError,
    StorageError,
    TargetError,
)
from pipeline.patterns import split_uri
from pipeline.spec import JobSpec

SUMMARY = "summary.json"
_SHARD = re.compile(r"/(output|ledger)-\d{5,}-of-\d{5,}\.ndjson$")
_CLAIM = "_chimera/claim.json"


def summary_uri(target: str) -> str:
    return storage.join(target, SUMMARY)


def shard_uri(target: str, kind: str, index: int, total: int) -> str:
    """The name of a published file; kind is "output" or "ledger"."""
    return storage.join(target, kind, f"{kind}-{index:05d}-of-{total:05d}.ndjson")


def parts_folder(target: str, job_id: str, kind: str) -> str:
    """Where a job's files of one kind stand under temporary names."""
    return storage.join(target, "_chimera", job_id, kind)


def read_summary(target: str) -> dict[str, Any] | None:
    """The summary of a finished job's output; None where there is none."""
    try:
        document: dict[str, Any] = json.loads(storage.read_bytes(summary_uri(target)))
    except ObjectNotFoundError:
        return None
    except ValueError as e:
        raise TargetError(f"{summary_uri(target)} is not what a job wrote: {e}") from e
    return document


def published(target: str) -> Iterator[str]:
    """The URIs of a job's published files at the target, the summary first."""
    if storage.exists(summary_uri(target)):
        yield summary_uri(target)
    for kind in ("output", "ledger"):
        for entry in storage.list_objects(storage.join(target, kind, f"{kind}-"), recursive=False):
            if _SHARD.search(entry.uri):
                yield entry.uri


def prepare_target(spec: JobSpec, is_alive: Callable[[str], bool | None]) -> None:
    """Take the target for this job, or raise TargetError; nothing of anybody's is touched unless it is taken.

    `is_alive` says of another job's id whether it still runs; None when it cannot be known. A claim of a job
    that has ended is taken over; one that may be alive is only with overwrite, and one that is alive never.
    With overwrite, what the target holds is deleted, the summary first: from then on it is no result.
    """
    bucket, _ = split_uri(spec.target)
    if not storage.bucket_exists(bucket):
        raise TargetError(f"no bucket gs://{bucket} for the target {spec.target}; make it, or check its name")
    try:
        held = next(published(spec.target), None)
        if held and not spec.overwrite:
            raise TargetError(
                f"target {spec.target} already holds output ({held}); choose another, or --overwrite"
            )
        _claim(spec, is_alive)
        if spec.overwrite:
            for uri in list(published(spec.target))[:1]:
                storage.delete([uri])
            storage.delete(published(spec.target))
    except AccessDeniedError as e:
        raise TargetError(f"target {spec.target} cannot be written: {e}") from e
    except StorageError as e:
        raise TargetError(f"target {spec.target} cannot be used: {e}") from e


def release_target(spec: JobSpec) -> None:
    """Remove the job's temporary files and its claim; another job's claim is left alone. May be repeated."""
    storage.delete_tree(storage.join(spec.target, "_chimera", spec.job_id) + "/")
    uri = storage.join(spec.target, _CLAIM)
    try:
        owner = _owner(storage.read_bytes(uri))
    except ObjectNotFoundError:
        return
    if owner == spec.job_id:
        storage.delete([uri])
        storage.remove_empty_folder(storage.join(spec.target, "_chimera"))


def withdraw(spec: JobSpec) -> None:
    """Remove what a job has published so far, unless it is whole; for one that failed or was cancelled.

    The ledger stays: it has the reason for each failed file, and is no result without a summary.
    """
    if not storage.exists(summary_uri(spec.target)):
        storage.delete(uri for uri in published(spec.target) if "/output/" in uri.removeprefix(spec.target))


def _claim(spec: JobSpec, is_alive: Callable[[str], bool | None]) -> None:
    uri = storage.join(spec.target, _CLAIM)
    claim = json.dumps({"jobId": spec.job_id, "since": datetime.now(UTC).isoformat(timespec="seconds")})
    for _ in range(3):
        try:
            storage.write_bytes(uri, claim.encode(), create_only=True)
        except ObjectExistsError:
            pass
        else:
            return
        try:
            owner = _owner(storage.read_bytes(uri))
        except ObjectNotFoundError:
            continue  # it was released meanwhile
        if owner == spec.job_id:
            return
        alive = is_alive(owner)
        if alive or (alive is None and not spec.overwrite):
            raise TargetError(
                f"target {spec.target} is being written by job {owner}; wait for it, cancel it, or choose "
                + ("another target" if alive else f"another (--overwrite if it is dead; its claim is {uri})")
            )
        storage.delete_tree(storage.join(spec.target, "_chimera") + "/")
    raise TargetError(f"target {spec.target} is being taken by several jobs at once; try again")


def _owner(claim: bytes) -> str:
    try:
        return str(json.loads(claim)["jobId"])
    except (ValueError, KeyError, TypeError):
        return "(unknown)"
