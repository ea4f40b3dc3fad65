"""The target folder: is it free, may it be written, and who writes it now.

<target>/output/output-00000-of-000NN.ndjson     whole lines
<target>/ledger/ledger-00000-of-000NN.ndjson     one record per input file
<target>/summary.json                            written last: its presence means complete
<target>/_chimera/claim.json                     the job that is writing here; gone when it has ended
<target>/_chimera/<job id>/                      its files under temporary names; gone when it has ended
    <target>/_chimera/inputs/<job id>.ndjson         what it was asked to read, when that is a long list
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from pipeline.errors import (
    AccessDeniedError,
    ObjectExistsError,
    ObjectNotFoundError,
    StorageError,
    TargetError,
)
from pipeline.patterns import split_uri
from pipeline.spec import JobSpec
from pipeline.storage import Store, join

SUMMARY = "summary.json"
_SHARD = re.compile(r"/(output|ledger)-\d{5,}-of-\d{5,}\.ndjson$")
_CLAIM = "_chimera/claim.json"
_INPUTS = "inputs"  # no job id, so no job's folder


def summary_uri(target: str) -> str:
    return join(target, SUMMARY)


def shard_uri(target: str, kind: str, index: int, total: int) -> str:
    """The name of a published file; kind is "output" or "ledger"."""
    return join(target, kind, f"{kind}-{index:05d}-of-{total:05d}.ndjson")


def parts_folder(target: str, job_id: str, kind: str) -> str:
    """Where a job's files of one kind stand under temporary names."""
    return join(target, "_chimera", job_id, kind)


def patterns_uri(target: str, job_id: str) -> str:
    """All patterns of a job (`pipeline.manifest`)."""
    return join(target, "_chimera", job_id, "patterns.ndjson")


def inputs_uri(target: str, job_id: str) -> str:
    """All inputs of a job that has many (`pipeline.manifest`)."""
    return join(target, "_chimera", _INPUTS, f"{job_id}.ndjson")


def read_summary(store: Store, target: str) -> dict[str, Any] | None:
    """The summary of a finished job's output; None where there is none."""
    try:
        document = json.loads(store.read_bytes(summary_uri(target)))
    except ObjectNotFoundError:
        return None
    except ValueError as e:
        raise TargetError(f"{summary_uri(target)} is not what a job wrote: {e}") from e
    if not isinstance(document, dict):
        raise TargetError(f"{summary_uri(target)} is not what a job wrote: it holds no JSON object")
    return document


def published(store: Store, target: str, *, kinds: tuple[str, ...] = ("output", "ledger")) -> Iterator[str]:
    """The URIs of a job's published shards and ledger files at the target."""
    for kind in kinds:
        for entry in store.list_objects(join(target, kind, f"{kind}-"), recursive=False):
            if _SHARD.search(entry.uri):
                yield entry.uri


def _result(store: Store, target: str) -> Iterator[str]:
    """All that may be taken for a result; the summary first: without it the rest is none."""
    if store.exists(summary_uri(target)):
        yield summary_uri(target)
    yield from published(store, target)


def prepare_target(store: Store, spec: JobSpec, is_alive: Callable[[str], bool | None]) -> None:
    """Take the target for this job, or raise TargetError; nothing of anybody's is touched unless it is taken.

    `is_alive` says of another job's id whether it still runs; None when it cannot be known. A claim of a job
    that has ended is taken over; one that may be alive is only with overwrite, and one that is alive never.
    With overwrite, what the target holds is deleted, the summary first: from then on it is no result.
    """
    bucket, _ = split_uri(spec.target)
    try:
        if not store.bucket_exists(bucket):
            raise TargetError(
                f"no bucket gs://{bucket} for the target {spec.target}; make it, or check its name"
            )
        _check_free(store, spec)
        _claim(store, spec, is_alive)
        try:
            _check_free(store, spec)  # again: the job that held the claim before may have published meanwhile
            if spec.overwrite:
                store.delete([summary_uri(spec.target)])
                store.delete(published(store, spec.target))
        except BaseException:
            with suppress(StorageError):  # the first error says more
                release_target(store, spec)
            raise
    except AccessDeniedError as e:
        raise TargetError(f"target {spec.target} cannot be written: {e}") from e
    except StorageError as e:
        raise TargetError(f"target {spec.target} cannot be used: {e}") from e


def check_held(store: Store, spec: JobSpec) -> None:
    """Raise TargetError when the target is this job's no more: it was thought to be dead, or was cancelled.

    A job that has published and let go may come here again, since a runner may repeat its last step.
    """
    holder = _holder(store, spec.target)
    if holder is None and (summary := read_summary(store, spec.target)):
        holder = summary.get("jobId")
    if holder != spec.job_id:
        taken = f"was taken over by job {holder}" if holder else "was given up"
        raise TargetError(f"target {spec.target} {taken} while job {spec.job_id} ran; nothing was published")


def release_target(store: Store, spec: JobSpec) -> None:
    """Remove the job's temporary files and its claim; another job's claim is left alone. May be repeated."""
    store.delete_tree(join(spec.target, "_chimera", spec.job_id) + "/")
    if _holder(store, spec.target) == spec.job_id:
        store.delete([join(spec.target, _CLAIM)])
        store.remove_empty_folder(join(spec.target, "_chimera"))


def abandon_target(store: Store, spec: JobSpec) -> None:
    """Leave nothing of a job that failed or was cancelled but its ledger; may be repeated.

    The ledger has the reason for each failed file, and is no result without a summary. What another job, that
    has taken the target since, has published is left alone.
    """
    if _holder(store, spec.target) == spec.job_id and not store.exists(summary_uri(spec.target)):
        store.delete(published(store, spec.target, kinds=("output",)))
    release_target(store, spec)


def _check_free(store: Store, spec: JobSpec) -> None:
    held = None if spec.overwrite else next(_result(store, spec.target), None)
    if held:
        raise TargetError(
            f"target {spec.target} already holds output ({held}); choose another, or --overwrite"
        )


def _holder(store: Store, target: str) -> str | None:
    """The job whose claim stands at the target."""
    claim = _read_claim(store, target)
    return None if claim is None else _owner(claim)


def _read_claim(store: Store, target: str) -> bytes | None:
    try:
        return store.read_bytes(join(target, _CLAIM))
    except ObjectNotFoundError:
        return None


def _claim(store: Store, spec: JobSpec, is_alive: Callable[[str], bool | None]) -> None:
    uri = join(spec.target, _CLAIM)
    document = {"jobId": spec.job_id, "since": datetime.now(UTC).isoformat(timespec="seconds")}
    claim = json.dumps(document).encode()
    for _ in range(3):
        with suppress(ObjectExistsError):
            store.write_bytes(uri, claim, create_only=True)
            return
        found = _read_claim(store, spec.target)
        if found is None:
            continue  # it was released meanwhile
        owner = _owner(found)
        if owner == spec.job_id:
            return
        alive = is_alive(owner)
        if alive or (alive is None and not spec.overwrite):
            raise TargetError(
                f"target {spec.target} is being written by job {owner}; wait for it, cancel it, or choose "
                + ("another target" if alive else f"another (--overwrite if it is dead; its claim is {uri})")
            )
        with suppress(ObjectExistsError, ObjectNotFoundError):  # another job was quicker: see whose it is now
            store.exchange(uri, found, claim)
            _sweep(store, spec.target)
            return
    raise TargetError(f"target {spec.target} is being taken by several jobs at once; try again")


def _sweep(store: Store, target: str) -> None:
    """Delete the temporary files of jobs that are dead; the claim is held, so all of them are."""
    for page in store.list_folder(join(target, "_chimera") + "/"):
        for folder in page.folders:
            if not folder.endswith(f"/_chimera/{_INPUTS}/"):
                store.delete_tree(folder)


def _owner(claim: bytes) -> str:
    try:
        return str(json.loads(claim)["jobId"])
    except (ValueError, KeyError, TypeError):
        return "(unknown)"
