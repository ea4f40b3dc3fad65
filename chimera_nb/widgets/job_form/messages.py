"""What JobForm and its front end say to each other. Fields of the form have the names of the options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from chimera_nb.widgets.base.messages import Nothing, Request, State

# What the page asks for


@dataclass(frozen=True)
class Retry(Request):
    """Ask again for what failed."""


@dataclass(frozen=True)
class Edit(Request):
    """A field has another value; each front end numbers its edits, so that it knows which one an answer is to."""

    field: str
    value: str | bool
    view: str
    number: int


@dataclass(frozen=True)
class Pick(Request):
    """Fill in the selection of a job of before, or the `whole` form."""

    job: str
    whole: bool


@dataclass(frozen=True)
class Count(Request):
    """Count what is selected, or stop."""

    on: bool


@dataclass(frozen=True)
class Another(Request):
    """Set up another job beside the one that was launched."""


@dataclass(frozen=True)
class Launch(Request):
    """Launch the job; a token is good for one."""

    token: str


# What the page is told


class Edited(NamedTuple):
    """The last edit: of which front end, and its number there; none where the kernel itself filled in the form."""

    view: str
    number: int


@dataclass(frozen=True)
class Box(State):
    """An option that the form has a box for: a text, a number, or one to tick; and where it stands."""

    name: str
    kind: Literal["text", "number", "tick"]
    label: str
    placeholder: str
    part: Literal["read", "write", "run", "more"]
    dataflow: bool


@dataclass(frozen=True)
class FormFields(State):
    """What stands in the form; `carried` are options of a job of before that have no field."""

    values: Mapping[str, str | bool]
    carried: tuple[str, ...]
    edited: Edited


@dataclass(frozen=True)
class Hint(State):
    """What is said under a field, and whether it is a problem."""

    text: str
    bad: bool = False


@dataclass(frozen=True)
class Selected(State):
    """The first of what is selected, of so many."""

    inputs: tuple[str, ...]
    total: int


class UnreadFile(NamedTuple):
    """A file of the selection that the job will not read, and why."""

    uri: str
    why: str


@dataclass(frozen=True)
class Unread(State):
    """What of the selection will not be read: in a sentence, which is empty where all of it is, and the first files.

    `every` says whether the job reads every file because that was asked for.
    """

    text: str
    files: tuple[UnreadFile, ...]
    total: int
    every: bool


@dataclass(frozen=True)
class PlanFigures(State):
    """What the job comes to, as `Plan` has it; whether that is being counted, and files are being looked into."""

    files: int
    bytes: int
    more: bool
    raw_bytes: int | None
    minutes: float | None
    worker_hours: float | None
    assumes: str
    counting: bool
    looking: bool
    unread: Unread


@dataclass(frozen=True)
class Code(State):
    """The job as a notebook cell and as a command, or why there is none."""

    cell: str = ""
    command: str = ""
    says: str = ""


@dataclass(frozen=True)
class LaunchButton(State):
    """The one that launches; `says` is the line beside it, `job` the id of the one that was launched last.

    `edited` is the last edit that is looked at: a button that knows of fewer than were made is not to be pressed.
    """

    state: Literal["problem", "checking", "ready", "launching", "launched"]
    label: str
    says: str
    alive: bool
    token: str
    job: str
    edited: Edited


class Choice(NamedTuple):
    """One of a list to choose from."""

    value: str
    label: str


@dataclass(frozen=True)
class Choices(State):
    """What there is to choose from: `views` by source, and `settings` for fields that are left open."""

    sources: tuple[Choice, ...]
    views: Mapping[str, tuple[Choice, ...]]
    formats: tuple[str, ...]
    buckets: tuple[str, ...]
    configurations: tuple[Choice, ...]
    selections: tuple[Choice, ...]
    settings: Mapping[str, str]


@dataclass(frozen=True)
class FormTraits:
    """The traits that the page has."""

    _boxes: tuple[Box, ...]
    _fields: FormFields
    _hints: Mapping[str, Hint]
    _selected: Selected
    _plan: PlanFigures | Nothing
    _code: Code
    _go: LaunchButton
    _choices: Choices | Nothing
