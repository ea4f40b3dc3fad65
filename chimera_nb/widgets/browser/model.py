"""What a browser shows, and what a gesture on its rows makes the selection. No notebook, no network.

Gestures act on the rows that they were made on, also when others are shown by the time they come; what was selected
elsewhere stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from chimera_nb.widgets.base.generation import Generation
from chimera_nb.widgets.browser import archives
from chimera_nb.widgets.browser.listing import Listing
from chimera_nb.widgets.browser.messages import RowsMessage
from chimera_nb.widgets.browser.navigation import BUCKETS, BrowsingScope, as_folder, crumbs, parent
from chimera_nb.widgets.browser.selection import Selected, add
from pipeline.errors import RefusedError
from pipeline.glob import Pattern
from pipeline.uri import Uri, escape, join_uri

ROWS_AT_ONCE = 5000  # in one message
_VIEWS_KEPT = 4  # a page is that many behind at most, unless its kernel has long to answer


class _View(NamedTuple):
    """Rows that were on screen, and all rows of their folder."""

    rows: Listing
    folder: Listing


class Browser(Selected):
    """One browser's state, which the widget shows.

    Attributes: folder; filter (what names are narrowed to); shown (the Listing on screen); generation (of that).
    """

    def __init__(self, folder: str = BUCKETS, scope: BrowsingScope | None = None) -> None:
        super().__init__(scope or BrowsingScope())
        self.generation = Generation()
        self.filter = ""
        self._views: dict[int, _View] = {}  # by their generations, the newest last
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
        listing.generation = self.generation.renew()
        self._views[listing.generation] = _View(listing, self._all)
        while len(self._views) > _VIEWS_KEPT:
            del self._views[next(iter(self._views))]

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

    def gesture(self, how: str, at: int = 0, to: int = 0, *, seen: int | None = None) -> tuple[str, ...]:
        """The selection after a gesture on rows, by their keys (`Listing.uri`), of the generation that was `seen`.

        toggle: this row in or out; range: the rows between two as well; all: everything there, which is the folder
        itself unless it was narrowed; none: nothing of what was shown.
        Raises RefusedError with the reason when it changes nothing, and IndexError for rows that are not there.
        """
        view = self._view(seen)
        rows = view.rows
        if how in {"all", "none"} and rows.folder == BUCKETS:
            raise RefusedError("open a bucket first; a job reads from one")
        if how == "all":
            return (
                self.with_rows(rows.all_keys(), seen=seen)
                if rows.prefix
                else add(self.selected, [rows.folder])
            )
        if how == "none":
            return self._without_shown(view)
        if how == "toggle":
            return self._toggled(view, at)
        if how == "range":
            return self.with_rows(rows.between(at, to), seen=seen)
        raise RefusedError(f"{how!r} is no gesture")

    def with_rows(self, keys: Sequence[int], *, seen: int | None = None) -> tuple[str, ...]:
        """The selection with these rows. Raises RefusedError, where they are selected with a folder, and IndexError."""
        rows = self._view(seen).rows
        if holder := self.holder(rows.folder):
            raise _held(holder)
        return self._with(self.selected, rows, keys)

    def _view(self, seen: int | None) -> _View:
        """What was on screen in that generation; None stands for what is. Raises RefusedError where it is forgotten."""
        view = self._views.get(self.generation.number if seen is None else seen)
        if view is None:
            raise RefusedError("the list has changed since, so this was not done: choose again")
        return view

    def _with(self, kept: tuple[str, ...], listing: Listing, keys: Sequence[int]) -> tuple[str, ...]:
        """What is kept of the selection, and these rows."""
        objects = [key for key in keys if key >= 0 and not listing.objects[key].opens]
        self.know({listing.uri(key): listing.objects[key].size for key in objects})
        return add(kept, [listing.uri(key) for key in keys])

    def _toggled(self, view: _View, key: int) -> tuple[str, ...]:
        uri = view.rows.uri(key)
        if uri in self.selected:
            return tuple(other for other in self.selected if other != uri)
        holder = self.holder(uri)
        if holder is None:
            return self._with(self.selected, view.rows, [key])
        if holder != view.rows.folder:
            raise _held(holder)
        return self._all_but(view.folder, {uri})

    def _without_shown(self, view: _View) -> tuple[str, ...]:
        shown = view.rows
        if holder := self.holder(shown.folder):
            raise _held(holder)
        rows = {shown.uri(key) for key in shown.all_keys()}
        if shown.folder in self.selected:
            return (
                self._all_but(view.folder, rows) if shown.prefix else _without(self.selected, {shown.folder})
            )
        below = tuple(uri for uri in rows if uri.endswith("/"))
        return tuple(uri for uri in self.selected if uri not in rows and not uri.startswith(below))

    def _all_but(self, folder: Listing, rows: set[str]) -> tuple[str, ...]:
        """All rows of a folder that was selected as a whole, but these."""
        if not folder.complete:
            raise RefusedError(
                f"{folder.folder} is selected as a whole, and not all of its rows are loaded: take it out of the "
                "selection, then select what you want"
            )
        others = [key for key in folder.all_keys() if folder.uri(key) not in rows]
        return self._with(_without(self.selected, {folder.folder}), folder, others)

    def pattern(self, text: str) -> str:
        """The pattern that is meant: below this folder, unless it is a gs:// one. Raises RefusedError."""
        text = text.lstrip()
        if not text.startswith(("gs://", "/")):
            if self.folder == BUCKETS:
                raise RefusedError("open a bucket first, or write the pattern whole: gs://bucket/**/*.bz2")
            folder = Uri.parse(self.folder)
            text = join_uri(folder.bucket, escape(folder.written_path) + text)
        self.scope.check(text)
        Pattern(Uri.parse(text).written_path)
        return text


def _without(selected: tuple[str, ...], uris: set[str]) -> tuple[str, ...]:
    return tuple(uri for uri in selected if uri not in uris)


def _held(holder: str) -> RefusedError:
    return RefusedError(f"it is selected with its folder {holder}: take that out of the selection first")
