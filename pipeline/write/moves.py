"""Parts are given their final names: each may be tried again, and several may try at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from pipeline.errors import ObjectExistsError, ObjectNotFoundError, StorageError
from pipeline.ledger import Part
from pipeline.storage import Store, Version, join
from pipeline.write.groups import Numbering


@dataclass(frozen=True)
class Move:
    """One part, and the name it is published under."""

    part: Part
    uri: str


def plan_moves(numbering: Numbering, key: str, parts: Sequence[Part], target: str) -> list[Move]:
    """The parts of one group in the order of their names, numbered."""
    names = (numbering.name(key, number) for number in numbering.numbers(key))
    return [Move(part, join(target, name)) for part, name in zip(sorted(parts), names, strict=True)]


def publish(store: Store, moves: Sequence[Move], job_id: str) -> None:
    """Give parts their final names; may be repeated. Raises StorageError for one that is not what was written."""
    store.run_each(partial(_publish_one, store, job_id), moves)


def _publish_one(store: Store, job_id: str, move: Move) -> None:
    part = move.part
    if part.generation:  # one request, as a rule
        with suppress(ObjectNotFoundError, ObjectExistsError):
            _check(store.move(part.uri, move.uri, generation=part.generation), part)
            return
    for last in (False, False, True):
        try:
            _check(_move_seen(store, job_id, move), part)
        except (ObjectNotFoundError, ObjectExistsError):  # another attempt is at it
            if last:
                raise
        else:
            return


def _move_seen(store: Store, job_id: str, move: Move) -> Version:
    """Give a part its final name if another attempt has not; what then stands there."""
    part, here, there = move.part, _look(store, move.part.uri), _look(store, move.uri)
    if here is None:
        if there is None:
            raise ObjectNotFoundError(part.uri, f"is gone, and is not at {move.uri} either")
        return there
    _check(here, part)
    if part.generation not in {0, here.generation}:
        raise StorageError(part.uri, "was written by somebody else since this job did")
    if there is None:
        return store.move(here.uri, move.uri, generation=here.generation)
    if there.owner == job_id and _is_of(there, part):  # a copy that stopped before it deleted its source
        store.delete_version(here.uri, here.generation)
        return there
    return store.move(
        here.uri, move.uri, generation=here.generation, over=there.generation
    )  # a dead job's litter


def _check(version: Version, part: Part) -> None:
    if not _is_of(version, part):
        raise StorageError(
            version.uri,
            f"holds {version.size:,} bytes ({version.crc32c}) where {part.size:,} ({part.crc32c}) were written",
        )


def _is_of(version: Version, part: Part) -> bool:
    same = part.crc32c is None or version.crc32c is None or version.crc32c == part.crc32c
    return same and version.size == part.size


def _look(store: Store, uri: str) -> Version | None:
    try:
        return store.look(uri)
    except ObjectNotFoundError:
        return None
