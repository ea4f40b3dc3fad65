"""Files of selected folders that none of a job's patterns takes: how many, how large, and the first of their names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

NAMES_KEPT = 10


@dataclass(frozen=True)
class Unmatched:
    """A sum over such files; sums merge in any order. `first` has the first names in their order."""

    files: int = 0
    bytes: int = 0
    first: tuple[str, ...] = ()

    def add(self, uri: str, size: int) -> Unmatched:
        if len(self.first) == NAMES_KEPT and uri > self.first[-1]:
            return Unmatched(self.files + 1, self.bytes + size, self.first)
        return self.merge(Unmatched(1, size, (uri,)))

    def merge(self, other: Unmatched) -> Unmatched:
        first = tuple(sorted({*self.first, *other.first})[:NAMES_KEPT])
        return Unmatched(self.files + other.files, self.bytes + other.bytes, first)

    def to_json(self) -> dict[str, Any]:
        """As summary.json has it."""
        return {"files": self.files, "bytes": self.bytes, "first": [*self.first]}
