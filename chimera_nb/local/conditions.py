"""Preconditions: "only if the object is still the one I saw", which keeps two writers from undoing each other.

fake-gcs-server knows them for uploads in one request, and passes over them everywhere else: in resumable
uploads, copies, compose, deletes and reads. https://cloud.google.com/storage/docs/request-preconditions
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Conditions:
    """What must hold of an object's generation, which is 0 where there is no object."""

    match: int | None = None
    not_match: int | None = None
    exact: int | None = None  # the one generation that is to be deleted

    def __bool__(self) -> bool:
        return (self.match, self.not_match, self.exact) != (None, None, None)

    def refusal(self, generation: int, *, reading: bool) -> int | None:
        """The status that refuses a request on an object of this generation; None where nothing does."""
        if self.match is not None and generation != self.match:
            return 412
        if self.not_match is not None and generation == self.not_match:
            return 304 if reading else 412
        if self.exact is not None and generation != self.exact:
            return 404
        return None


def read_conditions(method: str, query: Mapping[str, str]) -> Conditions:
    """The conditions in a request. Raises ValueError for one that is no number."""

    def number(key: str) -> int | None:
        return int(query[key]) if query.get(key) else None

    return Conditions(
        number("ifGenerationMatch"),
        number("ifGenerationNotMatch"),
        number("generation") if method == "DELETE" else None,
    )
