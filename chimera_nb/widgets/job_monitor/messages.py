"""What JobMonitor and its front end say to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from chimera_nb.jobs.log_line import LogLine
from chimera_nb.widgets.base.messages import Message, Nothing, Request
from chimera_nb.widgets.job_monitor.states import (
    Again,
    Failed,
    Failures,
    Job,
    Loading,
    Point,
    Result,
    TimeSpent,
)
from chimera_nb.widgets.table.requests import (  # noqa: F401 - they are this page's too
    ChunkMessage,
    Look,
    MoreRows,
    NextChunk,
    SaveTable,
    SavingMessage,
    StopLook,
    StopSaving,
    TableMessage,
)

# What the page asks for


@dataclass(frozen=True)
class Cancel(Request):
    """End the job that was on screen then."""

    job: str


@dataclass(frozen=True)
class Retry(Request):
    """Submit a job over the files that failed: all, or those of them that can succeed now, if there are any."""

    job: str
    all: bool


@dataclass(frozen=True)
class Clone(Request):
    """Show what would run, were the job to run again."""

    job: str


@dataclass(frozen=True)
class RunAgain(Request):
    """Submit what was shown to run again."""

    job: str


@dataclass(frozen=True)
class LeaveAgain(Request):
    """Submit nothing."""

    job: str


@dataclass(frozen=True)
class Describe(Request):
    """Name a job, note something of it, tag it."""

    job: str
    name: str
    note: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class FailedFiles(Request):
    """Files that failed, of the cause with that index (-1 for all) and with this text in them, from `begin` on."""

    view: str
    job: str
    cause: int
    text: str
    begin: int


@dataclass(frozen=True)
class SaveFailures(Request):
    """All files that failed, with their reasons, as a list for a spreadsheet."""

    view: str
    saving: int
    job: str


@dataclass(frozen=True)
class Inside(Request):
    """Look inside a file that failed."""

    job: str
    uri: str


@dataclass(frozen=True)
class Anew(Request):
    """Try again what failed."""


@dataclass(frozen=True)
class Draw(Request):
    """A picture of the rows of that name, or of the first one, for the front end that asks; sizes in CSS pixels."""

    job: str
    view: str
    name: str
    width: int
    height: int
    ratio: float  # device pixels to one
    dark: bool


# What the page is told


@dataclass(frozen=True)
class LogMessage(Message):
    """What changes in the log: lines that go from its front, lines at its end; `begin` sends all of it anew."""

    begin: bool
    drop: int
    lines: tuple[LogLine, ...]
    left_out: int


@dataclass(frozen=True)
class PictureMessage(Message):
    """A picture (PNG, in base64; "" where there is none), what it is of, what else there is, and what to say of it."""

    job: str
    view: str
    name: str
    names: tuple[str, ...]
    png: str
    told: str


class Failure(NamedTuple):
    """A file that failed, and why."""

    uri: str
    reason: str


@dataclass(frozen=True)
class FailedFilesMessage(Message):
    """The answer to a question of that kind: so many match, and these are the ones from `begin` on."""

    view: str
    cause: int
    text: str
    begin: int
    rows: tuple[Failure, ...]
    matched: int


@dataclass(frozen=True)
class MonitorTraits:
    """The traits that the page has."""

    job_id: str
    status: str
    _job: Job | Nothing
    _points: tuple[Point, ...]
    _failures: Failures | Loading | Failed | Nothing
    _result: Result | Loading | Failed | Nothing
    _inside: str  # the widget that looks inside a file, "" for none
    _time: TimeSpent | Loading | Failed | Nothing
    _again: Again | Nothing
    _busy: Literal["", "cancel", "retry", "clone", "again", "describe"]
