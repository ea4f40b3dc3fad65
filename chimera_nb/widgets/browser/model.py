"""What a browser shows, what is selected in it, and what the selection comes to. No notebook, no network.

A selection is a tuple of URIs: objects, folders (they end in "/") and patterns. It keeps the order in which
things were selected, and what a selected folder holds is not in it a second time.

Gestures act on the folder that is shown; what was selected elsewhere stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from chimera_nb.widgets.base.generation import Generation
from chimera_nb.widgets.browser import archives
from chimera_nb.widgets.browser.counting import Count, Cover, Tally, is_glob
from chimera_nb.widgets.browser.listing import Listing
from chimera_nb.widgets.browser.messages import RowsMessage
from chimera_nb.widgets.browser.navigation import BUCKETS, BrowsingScope, as_folder, crumbs, parent
from pipeline.errors import RefusedError
from pipeline.glob import Pattern
from pipeline.uri import escape, join_uri, split_uri

ROWS_AT_ONCE = 5000  # in one message


class Browser:
    """One browser's state, which the widget shows.

    Attributes: folder; filter (what names are narrowed to); shown (the Listing on screen); generation (of that);
    selected; counts (what has to be counted to know what the selection comes to).
    """

    def __init__(self, folder: str = BUCKETS, scope: BrowsingScope | None = None) -> None:
        self.scope = scope or BrowsingScope()
        self.scope.check(folder)
        self.generation = Generation()
        self.filter = ""
        self.selected: tuple[str, ...] = ()
        self._sizes: dict[str, int] = {}  # of the selected objects that were seen in a row
        self._known = Tally()  # of those, without what a folder or a pattern counts as well
        self._counted: dict[tuple[str, ...], Count] = {}
        self.counts: tuple[Count, ...] = ()
        self.open(folder)

    # Where it is

    def open(self, folder: str) -> None:
        """Show another folder. Raises RefusedError when it is out of bounds."""
        self.scope.check(folder)
        self.folder = as_folder(folder)
        self._all = Listing(self.folder)
        self._show(self._all, "")

    @property
    def above(self) -> str:
        """The folder to go up to; itself where there is none."""
        return self.folder if self.folder == self.scope.top else parent(self.folder)

    def narrow(self, text: str) -> None:
        """Show the rows that hold the text: of those loaded at once, and then what the store has by that prefix."""
        if not text:
            self._show(self._all, "")
            return
        known = self._all.containing(text)
        listing = Listing(self.folder, text, known)
        listing.complete = self._all.complete and ("/" not in text or self.folder == BUCKETS)
        self._show(listing, text)

    def _show(self, listing: Listing, text: str) -> None:
        self.shown, self.filter = listing, text
        self.generation.renew()

    def rows_message(self, folders: int = 0, objects: int = 0) -> RowsMessage:
        """The rows from so many on, as many as one message takes."""
        shown = self.shown
        end = objects + ROWS_AT_ONCE
        return RowsMessage(
            generation=self.generation.number,
            folder=self.folder,
            crumbs=tuple(crumbs(self.folder, self.scope.top or BUCKETS)),
            above=self.above if self.above != self.folder else None,
            filter=self.filter,
            at=(folders, objects),
            folders=tuple(shown.folders[folders:]),
            objects=tuple(shown.objects[objects:end]),
            rest=end < len(shown.objects),
            loading=shown.loading,
            failed=shown.failed,
            complete=shown.complete,
            unnamed=shown.unnamed,
            archive=archives.state_of(shown.index, self.folder) if shown.index else None,
        )

    # What is selected

    def gesture(self, how: str, at: int = 0, to: int = 0) -> tuple[str, ...]:
        """The selection after a gesture on rows, by their keys (`Listing.uri`).

        only: this row and no other here; toggle: this row in or out; range: the rows between two, and no others
        here; add-range: those as well; all: everything here, which is the folder itself unless it is narrowed.
        Raises RefusedError with the reason when it changes nothing, and IndexError for rows that are not there.
        """
        shown = self.shown
        if how == "all" and self.folder == BUCKETS:
            raise RefusedError("open a bucket first; a job reads from one")
        if how == "all" and not self.filter:
            return add(self.selected, [self.folder])
        if how == "all":
            return self._with(self.selected, shown, shown.all_keys())
        if how == "toggle":
            return self._toggled(at)
        if how in {"only", "range"}:
            return self._with(self._elsewhere(), shown, shown.between(at, to) if how == "range" else [at])
        if how == "add-range":
            return self._with(self.selected, shown, shown.between(at, to))
        raise RefusedError(f"{how!r} is no gesture")

    def select(self, uris: Iterable[str]) -> None:
        """Make this the selection, exactly as it is given. Raises RefusedError for what is out of bounds."""
        uris = tuple(dict.fromkeys(uris))
        for uri in uris:
            self.scope.check(uri)
            if uri == BUCKETS:
                raise RefusedError(f"{uri} is the list of buckets; select buckets, as in gs://bucket/")
        self.selected = uris
        if self._sizes.keys() - set(uris):
            self._sizes = {uri: self._sizes[uri] for uri in uris if uri in self._sizes}
        cover = Cover(filter(_is_folder, uris), filter(self._is_pattern, uris))
        alone = [size for uri, size in self._sizes.items() if not cover.holds(uri)]
        self._known = Tally(len(alone), sum(alone))
        self.counts = self._counts()

    def know(self, sizes: Mapping[str, int]) -> None:
        """Files, with their bytes, that are to be selected without having been seen in a row."""
        self._sizes.update(sizes)

    def _with(self, kept: tuple[str, ...], listing: Listing, keys: Sequence[int]) -> tuple[str, ...]:
        """What is kept of the selection, and these rows."""
        for key in keys:
            if key >= 0 and not listing.objects[key].opens:
                self._sizes[listing.uri(key)] = listing.objects[key].size
        return add(kept, [listing.uri(key) for key in keys])

    def _toggled(self, key: int) -> tuple[str, ...]:
        uri = self.shown.uri(key)
        if uri in self.selected:
            return tuple(other for other in self.selected if other != uri)
        holder = Cover(filter(_is_folder, self.selected)).folder_above(uri)
        if holder is None:
            return self._with(self.selected, self.shown, [key])
        if holder != self.folder:
            raise _held(holder)
        if not self._all.complete:
            raise RefusedError(
                f"{holder} is selected as a whole, and not all of its rows are loaded: take it out of the selection, "
                "then select what you want"
            )
        # All but this one of a folder that was selected as a whole.
        others = [other for other in self._all.all_keys() if self._all.uri(other) != uri]
        return self._with(tuple(other for other in self.selected if other != holder), self._all, others)

    def _elsewhere(self) -> tuple[str, ...]:
        """What a plain click leaves selected: patterns, and what is not in this folder."""
        if holder := Cover(filter(_is_folder, self.selected)).folder_above(self.folder):
            raise _held(holder)
        here = len(self.folder)
        return tuple(
            uri
            for uri in self.selected
            if not uri.startswith(self.folder) or "/" in uri[here:-1] or self._is_pattern(uri)
        )

    def _is_pattern(self, uri: str) -> bool:
        return uri not in self._sizes and is_glob(uri)

    # What it comes to

    def pattern(self, text: str) -> str:
        """The pattern that is meant: below this folder, unless it is a gs:// one. Raises RefusedError."""
        text = text.lstrip()
        if not text.startswith(("gs://", "/")):
            if self.folder == BUCKETS:
                raise RefusedError("open a bucket first, or write the pattern whole: gs://bucket/**/*.bz2")
            bucket, path = split_uri(self.folder)
            text = join_uri(bucket, escape(path) + text)
        self.scope.check(text)
        Pattern(split_uri(text)[1])
        return text

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
        folders = [uri for uri in self.selected if _is_folder(uri)]
        globs = [uri for uri in self.selected if self._is_pattern(uri)]
        above = Cover(folders)
        counts: dict[tuple[str, ...], Count] = {}
        for uri in self.selected:
            if uri in self._sizes or above.folder_above(uri):
                continue
            # A file that several match is counted once: with a folder, else with the first pattern, else by itself.
            first = globs[: globs.index(uri)] if uri in globs else globs
            others = [] if _is_folder(uri) else [o for o in (*folders, *first) if _may_overlap(uri, o)]
            key = (uri, *others)
            held = Cover(filter(_is_folder, others), filter(is_glob, others))
            counts[key] = self._counted.get(key) or Count(uri, held.holds)
        self._counted = counts
        return tuple(counts.values())


def add(selected: Sequence[str], uris: Iterable[str]) -> tuple[str, ...]:
    """Both, each URI once, without what a folder among them holds."""
    merged = dict.fromkeys((*selected, *uris))
    cover = Cover(filter(_is_folder, merged))
    return tuple(uri for uri in merged if not cover.folder_above(uri))


def _held(holder: str) -> RefusedError:
    return RefusedError(f"it is selected with its folder {holder}: take that out of the selection first")


def _is_folder(uri: str) -> bool:
    return uri.endswith("/")


def _may_overlap(pattern: str, other: str) -> bool:
    """Whether the two may match one name, by what they begin with."""
    one, two = (_literal_start(uri) for uri in (pattern, other))
    return one.startswith(two) or two.startswith(one)


def _literal_start(uri: str) -> str:
    if _is_folder(uri):
        return uri
    bucket, path = split_uri(uri)
    try:
        return join_uri(bucket, Pattern(path).prefix)
    except RefusedError:
        return uri
