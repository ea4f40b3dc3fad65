"""The one state of a target: which job has it, and how far that job is. It changes by compare-and-swap only.

    (none) -> claimed -> publishing -> whole -> (none): the claim has become summary.json
                 |            |
                 +------------+--> abandoned -> (none)

The claim is a small JSON object {jobId, state, begun, since}. One that is whole is the text of summary.json itself, and
becomes it by being moved to that name. docs/adr/0001-the-end-of-a-job-is-one-commit.md says why, and who may do what.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from pipeline.errors import ObjectExistsError, ObjectNotFoundError
from pipeline.storage import Store
from pipeline.target.layout import claim_uri, summary_uri

UNKNOWN = "(unknown)"  # for a job's id, where nobody can read the claim
_TRIES = 3


class State(StrEnum):
    """How far the job is that has the target."""

    CLAIMED = "claimed"  # its parts are being written, under temporary names
    PUBLISHING = "publishing"  # its parts are being given their final names
    WHOLE = "whole"  # all of them have; the claim is the summary, and is to be moved to its name
    ABANDONED = "abandoned"  # it comes to nothing; from here there are only deletions


@dataclass(frozen=True)
class Claim:
    """The claim as it was found. `begun`: its job has begun to change what stands under the final names."""

    job_id: str
    state: State
    begun: bool
    generation: int
    text: bytes


def read_claim(store: Store, target: str) -> Claim | None:
    """The claim as it stands; None where the target is nobody's."""
    try:
        text, generation = store.read_version(claim_uri(target))
    except ObjectNotFoundError:
        return None
    try:
        document = json.loads(text)
        # Without a state it is of a version that deleted what it replaced before it was on record.
        state, begun = State(document.get("state", State.CLAIMED)), "state" not in document
        return Claim(str(document["jobId"]), state, bool(document.get("begun", begun)), generation, text)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Claim(UNKNOWN, State.CLAIMED, begun=False, generation=generation, text=text)


def take(store: Store, target: str, job_id: str, over: Claim | None) -> Claim | None:
    """Claim the target, which is nobody's or has a claim that may be replaced; None when another was quicker."""
    document = {"jobId": job_id, "state": State.CLAIMED, "begun": False, "since": _now()}
    return _swap(store, target, document, 0 if over is None else over.generation)


def advance(
    store: Store, target: str, claim: Claim, state: State, *, begun: bool | None = None
) -> Claim | None:
    """Bring the claim to another state; None when it is no more what it was."""
    begun = claim.begun if begun is None else begun
    document = {"jobId": claim.job_id, "state": state, "begun": begun, "since": _now()}
    return _swap(store, target, document, claim.generation)


def make_whole(store: Store, target: str, claim: Claim, summary: dict[str, Any]) -> Claim | None:
    """Say that all of the job is published: this is the commit. None when the claim is no more what it was."""
    document = {"jobId": claim.job_id, "state": State.WHOLE, **summary}
    return _swap(store, target, document, claim.generation)


def roll_forward(store: Store, target: str, claim: Claim) -> None:
    """Make a whole claim the summary, in one step. For whoever finds one; of several that try, one does it."""
    over = 0
    for _ in range(_TRIES):
        try:
            store.move(claim_uri(target), summary_uri(target), generation=claim.generation, over=over)
        except ObjectNotFoundError:
            return  # done by another
        except ObjectExistsError:
            if not stands(store, target, claim):
                return
            over = _generation(store, summary_uri(target))  # of a copy that stopped in between, or nobody's
        else:
            return


def drop(store: Store, target: str, claim: Claim) -> None:
    """Make the target nobody's, if the claim is still what it was."""
    store.delete_version(claim_uri(target), claim.generation)


def stands(store: Store, target: str, claim: Claim) -> bool:
    """Whether the claim is still what it was: then nobody else has had the target since it was read."""
    return _generation(store, claim_uri(target)) == claim.generation


def _swap(store: Store, target: str, document: dict[str, Any], generation: int) -> Claim | None:
    text = msgspec.json.format(json.dumps(document).encode(), indent=2) + b"\n"
    job_id, state = str(document["jobId"]), State(document["state"])
    try:
        new = store.swap(claim_uri(target), text, generation, owner=job_id)
    except ObjectExistsError:
        return None
    return Claim(job_id, state, bool(document.get("begun", True)), new, text)


def _generation(store: Store, uri: str) -> int:
    try:
        return store.look(uri).generation
    except ObjectNotFoundError:
        return 0


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
