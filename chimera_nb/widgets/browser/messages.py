"""What BucketBrowser and its front end say to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from chimera_nb.widgets.base.messages import Message, Nothing, Request
from chimera_nb.widgets.browser.archives import ArchiveState
from chimera_nb.widgets.browser.listing import Row
from chimera_nb.widgets.browser.navigation import Crumb
from chimera_nb.widgets.browser.states import Content, Matched, Total

GestureHow = Literal["toggle", "range", "all", "none"]

# What the page asks for


@dataclass(frozen=True)
class Go(Request):
    """Show a folder, or what a text that was typed means."""

    text: str


@dataclass(frozen=True)
class Restore(Request):
    """Show what an address says; the selection stays where `selected` is null."""

    folder: str
    filter: str
    file: str
    selected: tuple[str, ...] | None


@dataclass(frozen=True)
class Filter(Request):
    """Narrow the rows to those that hold a text."""

    text: str


@dataclass(frozen=True)
class More(Request):
    """Load the next page."""

    generation: int


@dataclass(frozen=True)
class Retry(Request):
    """Ask again for what failed."""


@dataclass(frozen=True)
class Gesture(Request):
    """Select by a click or a key; rows are named by their keys (`Listing.uri`) in the generation that was `seen`.

    It counts also when other rows are shown by now: what somebody chose is never left out without a word.
    """

    seen: int
    how: GestureHow
    at: int
    to: int


@dataclass(frozen=True)
class SelectRows(Request):
    """Select rows as well, by their keys in the generation that was `seen`."""

    seen: int
    keys: tuple[int, ...]


@dataclass(frozen=True)
class Undo(Request):
    """Take the last change of the selection back."""


@dataclass(frozen=True)
class Rest(Request):
    """A row has been the active one for a moment, and is looked into."""

    generation: int
    at: int


@dataclass(frozen=True)
class Drop(Request):
    """Take one out of the selection."""

    uri: str


@dataclass(frozen=True)
class Clear(Request):
    """Select nothing."""


@dataclass(frozen=True)
class Count(Request):
    """Count what is selected, or stop."""

    on: bool


@dataclass(frozen=True)
class Match(Request):
    """Count what a pattern matches; an empty one stands for none."""

    text: str


@dataclass(frozen=True)
class ListMatch(Request):
    """The files that a pattern matches, by name, for the front end that asks."""

    text: str
    view: str


@dataclass(frozen=True)
class StopMatch(Request):
    """Stop that count."""


@dataclass(frozen=True)
class AddPattern(Request):
    """Select a pattern."""

    text: str


@dataclass(frozen=True)
class ChooseContent(Request):
    """Make, or bring up to date, the catalogue of the folder on screen, to choose its files by what is in them.

    Without a `source` it is the first that has files there which can be chosen so.
    """

    source: str | None = None


@dataclass(frozen=True)
class StopContent(Request):
    """Stop making it; what has been read is kept."""


@dataclass(frozen=True)
class LeaveContent(Request):
    """Show it no more."""


@dataclass(frozen=True)
class ChooseValue(Request):
    """Take one value of a facet into the choice, or out of it; null stands for none."""

    facet: str
    value: str | None
    on: bool


@dataclass(frozen=True)
class ChooseDays(Request):
    """Only what is from one day to another, both as 2020-01-31; an empty text is no bound."""

    since: str
    until: str


@dataclass(frozen=True)
class ChooseIds(Request):
    """Only what a CSV has ids of; an empty text is no list."""

    name: str
    text: str


@dataclass(frozen=True)
class SelectContent(Request):
    """Make the files that are chosen the selection."""


# What the page is told


@dataclass(frozen=True)
class RowsMessage(Message):
    """Rows of the folder on screen, from so many folders and objects on.

    archive  the one that the folder is in; None for none
    above    the folder to go up to; None where there is none
    rest     more rows are loaded, and come with the next message
    unnamed  rows left out because no text stands for their names
    """

    generation: int
    folder: str
    crumbs: tuple[Crumb, ...]
    above: str | None
    filter: str
    at: tuple[int, int]
    folders: tuple[str, ...]
    objects: tuple[Row, ...]
    rest: bool
    loading: bool
    failed: bool
    complete: bool
    unnamed: int
    archive: ArchiveState | None


class MatchedFile(NamedTuple):
    """A file that a pattern matches: its URI, and its stored bytes."""

    uri: str
    bytes: int


@dataclass(frozen=True)
class MatchedFilesMessage(Message):
    """The first files that a pattern matches, for one front end; whether there are `more`, and what was wrong."""

    view: str
    text: str
    files: tuple[MatchedFile, ...]
    more: bool
    error: str


@dataclass(frozen=True)
class BrowserTraits:
    """The traits that the page has."""

    path: str
    selected: tuple[str, ...]
    total: Total
    _can_undo: bool
    current: str
    height: int
    _match: Matched | Nothing
    _content: Content | Nothing
    _console: str
    _recent_folders: tuple[str, ...]
