"""The target folder, and what each who comes to it may do: take it, begin, publish, give it up, read its summary.

Whoever does something here may stop at any point and go on at any later one, when the target is another job's. So
what is deleted was listed while the claim was seen to stand (`stands`), and is deleted in that version or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from pipeline.errors import AccessDeniedError, ObjectNotFoundError, StorageError, TargetError
from pipeline.spec import JobSpec
from pipeline.storage import Store, join
from pipeline.target.claim import Claim, State, advance, drop, read_claim, roll_forward, stands, take
from pipeline.target.contents import TargetContents, clear_up, delete, litter, look, published_versions
from pipeline.target.layout import claim_uri, job_folder, job_folders, summary_uri

# A job is on record some seconds after it has taken its target. Until then nobody can say whether it is alive.
_YOUNG = timedelta(minutes=2)
_TRIES = 10  # each time another was quicker; a claim moves forward only, so that this ends


def read_summary(store: Store, target: str) -> dict[str, Any] | None:
    """The summary of the job whose output is whole; None where none is. Raises TargetError for one that is none."""
    for _ in range(2):  # it may be moved to its name between the two looks
        with suppress(ObjectNotFoundError):
            return _parse(summary_uri(target), store.read_bytes(summary_uri(target)))
        claim = read_claim(store, target)
        if claim is not None:
            return _parse(claim_uri(target), claim.text) if claim.state is State.WHOLE else None
    return None


def prepare_target(store: Store, spec: JobSpec, is_alive: Callable[[str], bool | None]) -> None:
    """Take the target for this job, or raise TargetError. No result is touched (`begin_target` does that).

    `is_alive` says whether the job of an id still runs: True, False, or None where that cannot be known.

        claim                 is_alive   overwrite   then
        none, output stands   -          no          refused
        none, output stands   -          yes         taken; the output stays until the job begins
        none, no output       -          any         taken
        of this job           -          any         taken over
        of another job        True       any         refused
        of another job        False      any         taken over
        of another job        None       no          refused
        of another job        None       yes         taken over if the claim is two minutes old, else refused

    With a claim that is taken over goes what its job has left: temporary files, and shards of no result. Output that
    stands after that is as where there was no claim.
    """
    bucket = spec.writes.bucket
    try:
        if not store.bucket_exists(bucket):
            raise TargetError(
                f"no bucket gs://{bucket} for the target {spec.target}; make it, or check its name"
            )
        store.check_deletes(bucket)
        claim = _take(store, spec, is_alive)
        try:
            _settle_in(store, spec, claim)
        except BaseException:
            with suppress(StorageError):  # the first error says more
                abandon_target(store, spec)
            raise
    except AccessDeniedError as e:
        raise TargetError(f"target {spec.target} cannot be written: {e}") from e
    except StorageError as e:
        raise TargetError(f"target {spec.target} cannot be used: {e}") from e


def begin_target(store: Store, spec: JobSpec) -> None:
    """A job's own first act, once it is on record: delete the result that it replaces. May be repeated.

    The summary goes first: from then on it is no result. Raises TargetError when the target is this job's no more.
    """
    for _ in range(_TRIES):
        claim = _own_claim(store, spec)
        if not spec.overwrite or claim.state is not State.CLAIMED:
            return
        begun = claim if claim.begun else advance(store, spec.target, claim, State.CLAIMED, begun=True)
        if begun is None:
            continue
        old = look(store, spec.target)
        if stands(store, spec.target, begun):
            if old.summary is not None:
                store.delete_version(old.summary.uri, old.summary.generation)
            delete(store, old.shards)
            return
    raise TargetError(f"target {spec.target} is being changed by several processes at once; try again")


def hold_for_publishing(store: Store, spec: JobSpec) -> Claim:
    """Bring the job's claim to publishing, unless it is there or whole already. Raises TargetError."""
    for _ in range(_TRIES):
        begin_target(store, spec)
        claim = _own_claim(store, spec)
        if claim.state is not State.CLAIMED:
            return claim
        if moved := advance(store, spec.target, claim, State.PUBLISHING, begun=True):
            return moved
    raise TargetError(f"target {spec.target} is being changed by several processes at once; try again")


def abandon_target(store: Store, spec: JobSpec) -> dict[str, Any] | None:
    """Delete what a job that has ended left at its target; its summary if its output is whole. May be repeated.

        claim                           summary.json   kept                 gives
        of the job, whole               -              all                  the summary
        of the job, not whole           -              a complete ledger    None
                                                       of the job, and a
                                                       result that it had
                                                       not begun to replace
        none, or of another job         of the job     all                  the summary
        none, or of another job         not of it      what is another's    None

    A ledger without a summary is no result; it has the reason for each failed file.
    """
    for _ in range(_TRIES):
        claim = read_claim(store, spec.target)
        if claim is None or claim.job_id != spec.job_id:
            break
        if claim.state is State.WHOLE:
            roll_forward(store, spec.target, claim)
            break
        if claim.state is not State.ABANDONED:
            claim = advance(store, spec.target, claim, State.ABANDONED)
        if claim is not None and clear_up(store, spec.target, claim) is not None:
            drop(store, spec.target, claim)
            break
    store.delete_tree(job_folder(spec.target, spec.job_id))
    store.remove_empty_folder(job_folders(spec.target))
    summary = own_summary(store, spec)
    if summary is None:
        _undo_stragglers(store, spec.target)
    return summary


def own_summary(store: Store, spec: JobSpec) -> dict[str, Any] | None:
    """The summary at the target if it is this job's, else None."""
    summary = read_summary(store, spec.target)
    return summary if summary is not None and summary.get("jobId") == spec.job_id else None


def lost(store: Store, spec: JobSpec) -> TargetError:
    """Why the target is this job's no more, as an error to be raised."""
    claim = read_claim(store, spec.target)
    holder = claim.job_id if claim is not None else (read_summary(store, spec.target) or {}).get("jobId")
    other = holder is not None and holder != spec.job_id
    why = f"was taken over by job {holder}" if other else "was given up"
    return TargetError(f"target {spec.target} {why} while job {spec.job_id} ran; nothing was published")


def _take(store: Store, spec: JobSpec, is_alive: Callable[[str], bool | None]) -> Claim:
    for _ in range(_TRIES):
        found = read_claim(store, spec.target)
        if found is None:
            left = look(store, spec.target)
            try:
                _check_free(spec, left.without(litter(left, None)))
            except TargetError:
                _undo_stragglers(store, spec.target)
                raise
        elif found.state is State.WHOLE:
            roll_forward(store, spec.target, found)
            continue
        else:
            if found.state is not State.ABANDONED:
                _check_dead(store, spec, found, is_alive)
                found = advance(store, spec.target, found, State.ABANDONED)
            if found is None or clear_up(store, spec.target, found) is None:
                continue
        if mine := take(store, spec.target, spec.job_id, found):
            return mine
    raise TargetError(f"target {spec.target} is being taken by several jobs at once; try again")


def _settle_in(store: Store, spec: JobSpec, claim: Claim) -> None:
    """Clear up once the target is taken, and look again: the job that had it before may have published meanwhile."""
    left = clear_up(store, spec.target, claim)
    if left is None:
        raise lost(store, spec)
    _check_free(spec, left)


def _check_dead(store: Store, spec: JobSpec, claim: Claim, is_alive: Callable[[str], bool | None]) -> None:
    """Raise TargetError for a claim that may not be taken over."""
    if claim.job_id == spec.job_id:
        return
    alive = is_alive(claim.job_id)
    if alive is False or (alive is None and spec.overwrite and not _is_young(store, spec)):
        return
    raise TargetError(
        f"target {spec.target} is being written by job {claim.job_id}; wait for it, cancel it, or choose "
        + (
            "another target"
            if alive
            else f"another (if it is dead: --overwrite, {_YOUNG.seconds // 60} minutes after the last change of its "
            f"claim, {claim_uri(spec.target)})"
        )
    )


def _is_young(store: Store, spec: JobSpec) -> bool:
    """Whether the claim is under two minutes old, by the store's clock: that of this machine may be wrong."""
    probe = join(job_folder(spec.target, spec.job_id), "clock")
    store.write_bytes(probe, b"")
    try:
        now, written = store.stat(probe).updated, store.stat(claim_uri(spec.target)).updated
    except ObjectNotFoundError:
        return False  # it has changed since: whoever goes on is told so
    finally:
        store.delete_tree(job_folder(spec.target, spec.job_id))
    if now is None or written is None:
        return False
    # From the future is a claim before whose time the clock of a local disk was set back: that says nothing of its age.
    return abs(datetime.fromisoformat(now) - datetime.fromisoformat(written)) < _YOUNG


def _check_free(spec: JobSpec, left: TargetContents) -> None:
    held = left.summary or next(iter(left.shards), None)
    if held and not spec.overwrite:
        raise TargetError(
            f"target {spec.target} already holds output ({held.uri}); choose another, or --overwrite"
        )


def _own_claim(store: Store, spec: JobSpec) -> Claim:
    claim = read_claim(store, spec.target)
    if claim is None or claim.job_id != spec.job_id or claim.state is State.ABANDONED:
        raise lost(store, spec)
    return claim


def _undo_stragglers(store: Store, target: str) -> None:
    """Delete output of jobs that have ended: of renames that came to their end after the job did.

    What is listed first is not of a job that comes later; of who has the target or a result there, nothing is deleted.
    """
    output = published_versions(store, target, kinds=("output", "list"))
    marked = [version for version in output if version.owner is not None]
    if not marked:
        return
    claim = read_claim(store, target)
    summary = read_summary(store, target)
    kept = {None if claim is None else claim.job_id, None if summary is None else summary.get("jobId")}
    delete(store, [version for version in marked if version.owner not in kept])


def _parse(uri: str, text: bytes) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError as e:
        raise TargetError(f"{uri} is not what a job wrote: {e}") from e
    if not isinstance(document, dict):
        raise TargetError(f"{uri} is not what a job wrote: it holds no JSON object")
    return document
