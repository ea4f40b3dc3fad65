"""What a scan of an archive gives: its members, and what is to be told of the archive itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pipeline.codecs.zip_directory import Member as ZipEntry

# Kinds of what is passed over, in the plural.
NO_DATA = "files that are no data"
AGAIN = "earlier versions of files that come again"
AGAIN_LATER = "later versions of files that came before"

_ONE = {
    NO_DATA: "file that is no data",
    AGAIN: "earlier version of a file that comes again",
    AGAIN_LATER: "later version of a file that came before",
}
_TOLD = 3  # names
_NAME_CHARS = 100


@dataclass(frozen=True, slots=True)
class Member:
    """One file in an archive.

    name      as the archive has it, without "./" before it
    at        of a tar: where its bytes begin in the tar; of a zip: where its local header does
    size      its bytes, as they come out of the archive
    packed    the bytes that stand for it in the archive
    entry     what the directory of a zip says of it
    problem   why it cannot be read; the rest of the sentence whose subject is the member
    """

    name: str
    at: int
    size: int
    packed: int
    entry: ZipEntry | None = None
    problem: str | None = None

    def to_json(self) -> list[Any]:
        """For `from_json`; names that are no UTF-8 are escaped by json."""
        entry = self.entry
        zipped = [entry.stored_name, entry.flags, entry.method, entry.crc] if entry else None
        return [self.name, self.at, self.size, self.packed, zipped, self.problem]

    @classmethod
    def from_json(cls, values: list[Any]) -> Member:
        name, at, size, packed, zipped, problem = values
        entry = None
        if zipped:
            stored_name, flags, method, crc = zipped
            entry = ZipEntry(stored_name, flags, method, crc, packed, size, at)
        return cls(name, at, size, packed, entry, problem)


@dataclass
class Told:
    """What an archive holds that is no file of data, by kind; of many, the first few names."""

    counts: dict[str, int] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)

    def pass_over(self, kind: str, name: str) -> None:
        """`kind` in the plural: "links"."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        names = self.names.setdefault(kind, [])
        if len(names) < _TOLD:
            names.append(repr(name if len(name) <= _NAME_CHARS else f"{name[:_NAME_CHARS]}…"))

    def note(self) -> str | None:
        """All of it in one sentence; None where there is nothing to tell."""
        return "; ".join(self._kinds()) or None

    def _kinds(self) -> Iterator[str]:
        for kind, count in self.counts.items():
            more = count - len(self.names[kind])
            shown = ", ".join(self.names[kind]) + (f" and {more:,} more" if more else "")
            yield f"passed over {count:,} {kind if count != 1 else _ONE.get(kind, kind.removesuffix('s'))}: {shown}"


@dataclass
class Outline:
    """What becomes known of an archive while its members are found.

    told     what was passed over
    fault    why no more of it could be read: the rest of the sentence whose subject is the archive
    notes    what else is worth saying of it
    """

    told: Told = field(default_factory=Told)
    fault: str | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def note(self) -> str | None:
        return "; ".join(note for note in (self.told.note(), *self.notes) if note) or None
