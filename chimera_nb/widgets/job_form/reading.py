"""What of a selection is read, and what is not, as its files are listed one after another.

It agrees with what a job does (`pipeline.graph.once_stages`) in the order of a listing, whatever that is, in about a
hundred bytes for each file that holds what another may hold too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pipeline.sources import SourcePlugin
    from pipeline.storage import Entry

NAMES_KEPT = 100  # of files that are not read, of each kind
_URIS_KEPT = 10_000  # of files that are read so far, for the names of those that turn out not to be
_SAME = "another file holds the same, and is fuller"


class Unread(NamedTuple):
    """A file that is not read, and why."""

    uri: str
    why: str


class _Best(NamedTuple):
    rank: int
    size: int
    uri: str  # empty for a file after the first _URIS_KEPT
    whole_of: int | None
    why: str


class Reading:
    """Files that a pattern takes, each given once; and those in selected folders that none takes.

    Attributes: listed, listed_bytes (of the former); unmatched, unmatched_bytes (of the latter).
    """

    def __init__(self, source: SourcePlugin | None) -> None:
        """`source` says what files hold; None where all are to be read."""
        self._source = source
        self.listed = self.listed_bytes = 0
        self.unmatched = self.unmatched_bytes = 0
        self._lost = self._lost_bytes = 0  # for fuller ones
        self._best: dict[
            int, _Best
        ] = {}  # by the hash of what they hold: a wrong one in 10^13 of a million files
        self._wholes: set[int] = set()  # keys of _best
        self._parts: set[int] = set()
        self._lost_names: list[Unread] = []
        self._unmatched_names: list[str] = []

    @property
    def skipped(self) -> int:
        return self._lost + sum(1 for _ in self._in_parts())

    @property
    def skipped_bytes(self) -> int:
        return self._lost_bytes + sum(whole.size for whole in self._in_parts())

    @property
    def files(self) -> int:
        """Those that are read."""
        return self.listed - self.skipped

    @property
    def bytes(self) -> int:
        return self.listed_bytes - self.skipped_bytes

    def names(self, unmatched: str) -> list[Unread]:
        """The first files that are not read; `unmatched` is the reason for those that no pattern takes."""
        wholes = [Unread(whole.uri, whole.why) for whole in self._in_parts() if whole.uri][:NAMES_KEPT]
        return [*(Unread(uri, unmatched) for uri in self._unmatched_names), *wholes, *self._lost_names]

    def take(self, entry: Entry) -> None:
        """A file that a pattern takes."""
        from pipeline.sources import what_it_holds

        self.listed += 1
        self.listed_bytes += entry.size
        held = what_it_holds(self._source, entry.uri) if self._source else None
        if held is None:
            return
        if held.part_of:
            self._parts.add(hash(held.part_of))
        key = hash(held.what)
        uri = entry.uri if len(self._best) < _URIS_KEPT else ""
        whole_of = hash(held.whole_of) if held.whole_of else None
        this, best = _Best(held.rank, entry.size, uri, whole_of, held.why), self._best.get(key)
        if best is not None:
            keeps = (best.rank, best.size) >= (this.rank, this.size)
            lost = this._replace(uri=entry.uri) if keeps else best
            self._lost += 1
            self._lost_bytes += lost.size
            if lost.uri and len(self._lost_names) < NAMES_KEPT:
                self._lost_names.append(Unread(lost.uri, _SAME))
            if keeps:
                return
        self._best[key] = this
        if whole_of is not None:
            self._wholes.add(key)

    def pass_over(self, entry: Entry) -> None:
        """A file of a selected folder that no pattern takes."""
        self.unmatched += 1
        self.unmatched_bytes += entry.size
        if len(self._unmatched_names) < NAMES_KEPT:
            self._unmatched_names.append(entry.uri)

    def take_back(self, entry: Entry) -> None:
        """One that was passed over, and that a pattern of another input takes."""
        self.unmatched -= 1
        self.unmatched_bytes -= entry.size
        if entry.uri in self._unmatched_names:
            self._unmatched_names.remove(entry.uri)

    def _in_parts(self) -> Iterator[_Best]:
        """The wholes of which a part is selected."""
        for key in self._wholes:
            best = self._best[key]
            if best.whole_of in self._parts:
                yield best
