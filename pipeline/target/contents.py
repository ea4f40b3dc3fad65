"""What stands under the final names of a target, and which of it is litter: shards that belong to no result.

A shard in a bucket carries the id of the job that wrote it. A local one does not; but a local rename is one step, and
what a job has put there is deleted while its claim still says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.errors import ObjectNotFoundError
from pipeline.storage import Store, Version
from pipeline.target.claim import Claim, State, stands
from pipeline.target.layout import (
    INPUTS,
    is_published,
    job_folders,
    read_shard_name,
    shards_prefix,
    summary_uri,
)

KINDS = ("output", "ledger", "list")


@dataclass(frozen=True)
class TargetContents:
    """What stands under the final names."""

    summary: Version | None
    shards: tuple[Version, ...]

    def without(self, some: Sequence[Version]) -> TargetContents:
        """The same, but for some of the shards."""
        return TargetContents(self.summary, tuple(shard for shard in self.shards if shard not in set(some)))


def published(store: Store, target: str, *, kinds: tuple[str, ...] = KINDS) -> Iterator[str]:
    """The URIs of a job's published shards and ledger files at the target, and of their list."""
    for kind in kinds:
        for entry in store.list_objects(shards_prefix(target, kind), recursive=kind == "output"):
            if is_published(target, entry.uri):
                yield entry.uri


def published_versions(store: Store, target: str, *, kinds: tuple[str, ...] = KINDS) -> Iterator[Version]:
    """The same files as they stand, for a change that depends on it."""
    for kind in kinds:
        for version in store.list_versions(shards_prefix(target, kind), recursive=kind == "output"):
            if is_published(target, version.uri):
                yield version


def look(store: Store, target: str) -> TargetContents:
    """What stands there now."""
    shards = tuple(published_versions(store, target))  # first: a summary that is there then is of all of them
    try:
        return TargetContents(store.look(summary_uri(target)), shards)
    except ObjectNotFoundError:
        return TargetContents(None, shards)


def clear_up(store: Store, target: str, claim: Claim) -> TargetContents | None:
    """Delete what jobs that have ended have left, the claim's own included if it is abandoned; the contents then.

    None when the claim has changed meanwhile: whoever changed it has done this. Parts are deleted first: after that no
    rename can begin.
    """
    live = claim.job_id if claim.state is State.CLAIMED else None
    folders = [
        folder
        for page in store.list_folder(job_folders(target))
        for folder in page.folders
        if folder.rstrip("/").rpartition("/")[2] not in {INPUTS, live}
    ]
    if folders and not stands(store, target, claim):
        return None
    for folder in folders:
        store.delete_tree(folder)
    left = look(store, target)
    if not stands(store, target, claim):
        return None
    if left.summary is not None and claim.state is State.ABANDONED and claim.begun:
        # It had begun to delete the result that it was to replace, and may still be at it.
        store.delete_version(left.summary.uri, left.summary.generation)
        left = TargetContents(None, left.shards)
    useless = litter(left, claim)
    delete(store, useless)
    return left.without(useless)


def litter(left: TargetContents, claim: Claim | None) -> tuple[Version, ...]:
    """The shards that belong to no result. A shard in a bucket is marked with its job's id; a local one is not.

    summary                  claim                 litter
    stands, marked           any                   shards of other jobs
    stands, not marked       any                   none
    none                     abandoned and begun   output and list; ledgers that are incomplete or another job's
    none                     none, or any other    marked output and list; marked ledgers that are incomplete
    """
    if left.summary is not None:
        whole = left.summary.owner
        return tuple(shard for shard in left.shards if whole is not None and shard.owner not in {None, whole})
    begun = claim is not None and claim.state is State.ABANDONED and claim.begun
    names = {shard: read_shard_name(shard.uri) for shard in left.shards}
    complete = {name for name, count in Counter(names.values()).items() if name == ("ledger", count)}
    kept = {None, claim.job_id} if claim is not None and begun else None
    return tuple(
        shard
        for shard, name in names.items()
        if (name not in complete or (kept is not None and shard.owner not in kept))
        and (begun or shard.owner is not None)
    )


def delete(store: Store, versions: Iterable[Version]) -> None:
    """Delete just these versions; what stands in their place by then is left alone."""
    store.run_each(lambda version: store.delete_version(version.uri, version.generation), versions)
