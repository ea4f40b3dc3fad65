"""What JobHistory and its front end say to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from chimera_nb.widgets.base.messages import Message, Request, State

# What the page asks for


@dataclass(frozen=True)
class FilterRequest(Request):
    """Which jobs to show; "" leaves a bound open. Times are RFC 3339."""

    statuses: tuple[str, ...] = ()
    text: str = ""
    since: str = ""
    until: str = ""
    mine: bool = False  # only those that whoever looks has made


@dataclass(frozen=True)
class More(Request):
    """Load another page, or so many rows (`to`) and a page beyond; a search goes on."""

    generation: int
    to: int = 0


@dataclass(frozen=True)
class Stop(Request):
    """Let a search wait."""


@dataclass(frozen=True)
class Retry(Request):
    """Ask again for what failed."""


@dataclass(frozen=True)
class Open(Request):
    """Open a job of the list."""

    id: str


@dataclass(frozen=True)
class Compare(Request):
    """Two jobs of the list side by side, for the front end that asks."""

    one: str
    other: str
    view: str


# What the page is told


@dataclass(frozen=True)
class JobRow(State):
    """A job as the list shows it: what is small of its record. Numbers are None where they are not known.

    The status of a record that cannot be read is "unreadable", and its error says why.
    """

    id: str
    status: str
    shade: str  # what the status looks like: itself, or "partial" for complete but for files that failed
    word: str  # for a person: "cancelling" between the request and the end
    created: str
    error: str = ""
    source: str = ""
    runner: str = ""
    reads: str = ""  # the first input
    others: int = 0  # inputs beside it
    target: str = ""
    by: str = ""
    started: str | None = None
    finished: str | None = None
    updated: str = ""
    seconds: float | None = None
    name: str = ""
    tags: tuple[str, ...] = ()
    listed: int | None = None
    done: int | None = None  # files that have their record: read, failed or skipped
    failed: int | None = None
    skipped: int | None = None
    fraction: float | None = None
    lines: int | None = None
    unit: str = "line"
    raw: int | None = None


class ComparedLine(NamedTuple):
    """Something of both jobs, in words, and whether they differ in it."""

    name: str
    one: str
    other: str
    differs: bool


@dataclass(frozen=True)
class ComparedMessage(Message):
    """Two jobs side by side, for one front end; `error` says why they are not."""

    view: str
    one: str  # what each is called
    other: str
    lines: tuple[ComparedLine, ...]
    error: str


@dataclass(frozen=True)
class RowsMessage(Message):
    """Rows that are new or changed, and ids of those that are gone; `whole` means that there are no others.

    parts    more rows of the same news follow in the next message
    total    how many jobs the log has that pass the filter, where it could be counted
    looked   how many pages of jobs were looked at, back to the moment `back_to`
    paused   a search waits for a word
    """

    generation: int
    whole: bool
    parts: bool
    rows: tuple[JobRow, ...]
    gone: tuple[str, ...]
    total: int | None
    complete: bool
    loading: bool
    failed: bool
    paused: bool
    looked: int
    back_to: str | None
    filtered: bool
    searching: bool


@dataclass(frozen=True)
class HistoryTraits:
    """The traits that the page has."""

    job_id: str
    height: int
