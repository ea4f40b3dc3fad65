"""Preconditions: "only if the object is still the one I saw", which keeps two writers from undoing each other.

They bind uploads in one request and in several, copies (of what is copied, too), moves, compose, deletes and reads.
https://cloud.google.com/storage/docs/request-preconditions
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_METAGENERATION = 1  # of every object: changes of metadata are not counted


@dataclass(frozen=True)
class Preconditions:
    """What must hold of an object's generation and metageneration, which are 0 where there is no object."""

    match: int | None = None
    not_match: int | None = None
    exact: int | None = None  # the one generation that is asked for: another is not found
    meta_match: int | None = None
    meta_not_match: int | None = None

    def __bool__(self) -> bool:
        return self != Preconditions()

    def refusal(self, generation: int, *, reading: bool) -> int | None:
        """The status that refuses a request on an object of this generation; None where nothing does."""
        if self.exact is not None and generation != self.exact:
            return 404
        metageneration = _METAGENERATION if generation else 0
        for wanted, found in ((self.match, generation), (self.meta_match, metageneration)):
            if wanted is not None and found != wanted:
                return 412
        for unwanted, found in ((self.not_match, generation), (self.meta_not_match, metageneration)):
            if unwanted is not None and found == unwanted:
                return 304 if reading else 412
        return None


def read_preconditions(method: str, query: Mapping[str, str]) -> Preconditions:
    """The conditions on the object of a request. Raises ValueError for one that is no number."""
    return _preconditions(query, "if", "generation" if method == "DELETE" else None)


def read_source_preconditions(query: Mapping[str, str]) -> Preconditions:
    """The conditions on what is copied or moved. Raises ValueError for one that is no number."""
    return _preconditions(query, "ifSource", "sourceGeneration")


def _preconditions(query: Mapping[str, str], prefix: str, exact: str | None) -> Preconditions:
    def number(key: str | None) -> int | None:
        return int(query[key]) if key and query.get(key) else None

    return Preconditions(
        number(f"{prefix}GenerationMatch"),
        number(f"{prefix}GenerationNotMatch"),
        number(exact),
        number(f"{prefix}MetagenerationMatch"),
        number(f"{prefix}MetagenerationNotMatch"),
    )
