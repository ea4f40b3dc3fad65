"""What is selected in a browser, the changes of it that can be undone, and what it comes to. No notebook, no network.

A selection is a tuple of URIs: objects, folders (they end in "/") and patterns. It keeps the order in which
things were selected, and what a selected folder holds is not in it a second time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from chimera_nb.widgets.browser.counting import Count, Cover, Tally, is_glob
from chimera_nb.widgets.browser.navigation import BUCKETS, BrowsingScope
from pipeline.errors import RefusedError
from pipeline.glob import Pattern

_UNDONE_AT_MOST = 50  # changes; each keeps the selection of before, whose texts are shared


class _Before(NamedTuple):
    """The selection before a change, and the sizes of those files that the change took out."""

    selected: tuple[str, ...]
    sizes: Mapping[str, int]


class Selected:
    """The selection of one browser.

    Attributes: selected; counts (what has to be counted to know what the selection comes to).
    """

    def __init__(self, scope: BrowsingScope) -> None:
        self.scope = scope
        self.selected: tuple[str, ...] = ()
        self.counts: tuple[Count, ...] = ()
        self._sizes: dict[str, int] = {}  # of the selected objects that were seen in a row
        self._known = Tally()  # of those, without what a folder or a pattern counts as well
        self._counted: dict[tuple[str, ...], Count] = {}
        self._before: deque[_Before] = deque(maxlen=_UNDONE_AT_MOST)
        self._undoing = False

    def select(self, uris: Iterable[str]) -> None:
        """Make this the selection, exactly as it is given. Raises RefusedError for what is out of bounds."""
        uris = tuple(dict.fromkeys(uris))
        for uri in uris:
            self.scope.check(uri)
            if uri == BUCKETS:
                raise RefusedError(f"{uri} is the list of buckets; select buckets, as in gs://bucket/")
        gone = self._sizes.keys() - set(uris)
        if uris != self.selected and not self._undoing:
            self._before.append(_Before(self.selected, {uri: self._sizes[uri] for uri in gone}))
        self.selected = uris
        for uri in gone:
            del self._sizes[uri]
        cover = Cover(filter(is_folder, uris), filter(self.is_pattern, uris))
        alone = [size for uri, size in self._sizes.items() if not cover.holds(uri)]
        self._known = Tally(len(alone), sum(alone))
        self.counts = self._counts()

    @property
    def can_undo(self) -> bool:
        return bool(self._before)

    @contextmanager
    def undoing(self) -> Iterator[tuple[str, ...]]:
        """The selection before the last change of it; what is selected within is no other change.

        Raises RefusedError where there was none.
        """
        if not self._before:
            raise RefusedError("there is no change of the selection to undo")
        before = self._before.pop()
        self._sizes.update(before.sizes)
        self._undoing = True
        try:
            yield before.selected
        finally:
            self._undoing = False

    def know(self, sizes: Mapping[str, int]) -> None:
        """Files, with their bytes, that are to be selected, so that they need not be counted."""
        self._sizes.update(sizes)

    def is_pattern(self, uri: str) -> bool:
        return uri not in self._sizes and is_glob(uri)

    def holder(self, uri: str) -> str | None:
        """The nearest selected folder that holds the URI, other than itself."""
        return Cover(filter(is_folder, self.selected)).folder_above(uri)

    def total(self) -> Tally:
        """Files and bytes of the selection, as far as they are known; each file once."""
        tallies = [self._known, *(count.tally for count in self.counts)]
        return Tally(
            sum(tally.files for tally in tallies),
            sum(tally.bytes for tally in tallies),
            any(tally.more for tally in tallies),
        )

    def _counts(self) -> tuple[Count, ...]:
        """Counts of the folders, the patterns, and the URIs of which nothing is known; those that go on stay."""
        folders = [uri for uri in self.selected if is_folder(uri)]
        globs = [uri for uri in self.selected if self.is_pattern(uri)]
        above = Cover(folders)
        counts: dict[tuple[str, ...], Count] = {}
        for uri in self.selected:
            if uri in self._sizes or above.folder_above(uri):
                continue
            # A file that several match is counted once: with a folder, else with the first pattern, else by itself.
            first = globs[: globs.index(uri)] if uri in globs else globs
            others = [] if is_folder(uri) else [o for o in (*folders, *first) if _may_overlap(uri, o)]
            key = (uri, *others)
            held = Cover(filter(is_folder, others), filter(is_glob, others))
            counts[key] = self._counted.get(key) or Count(uri, held.holds)
        self._counted = counts
        return tuple(counts.values())


def add(selected: Sequence[str], uris: Iterable[str]) -> tuple[str, ...]:
    """Both, each URI once, without what a folder among them holds."""
    merged = dict.fromkeys((*selected, *uris))
    cover = Cover(filter(is_folder, merged))
    return tuple(uri for uri in merged if not cover.folder_above(uri))


def is_folder(uri: str) -> bool:
    return uri.endswith("/")


def _may_overlap(pattern: str, other: str) -> bool:
    """Whether the two may match one name, by what they begin with."""
    one, two = (_literal_start(uri) for uri in (pattern, other))
    return one.startswith(two) or two.startswith(one)


def _literal_start(uri: str) -> str:
    if is_folder(uri):
        return uri
    try:
        return Pattern(uri).prefix
    except RefusedError:
        return uri
