"""What the traits of JobMonitor hold: the job on screen, and what each of its tabs shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from chimera_nb.widgets.base.messages import State


class StageState(NamedTuple):
    """A stage and where it stands."""

    name: str  # read, decompress, write
    state: str


@dataclass(frozen=True)
class Job(State):
    """The job on screen. Numbers are numbers, and None for what is not known; sizes in bytes, times in seconds."""

    id: str
    status: str
    final: bool
    shade: str  # what the status looks like: itself, or "partial" for complete but for files that failed
    word: str
    name: str
    note: str
    tags: tuple[str, ...]
    error: str | None
    source: str
    runner: str
    created_at: str
    created_by: str | None
    finished_at: str | None
    inputs: tuple[str, ...]
    inputs_total: int
    target: str
    dataflow_url: str | None
    stages: tuple[StageState, ...]
    listed: float
    complete: float
    failed: float
    skipped: float  # for others that hold the same records
    skipped_bytes: float
    unmatched: float  # in selected folders, and taken by no pattern
    unmatched_bytes: float
    unmatched_first: tuple[str, ...]
    fraction: float | None
    read_bytes: float | None
    raw_bytes: float | None
    bytes_listed: float | None  # of all files as stored; None where not all are known
    lines: float | None
    unit: str  # what `lines` counts: line, or row
    output_bytes: float | None
    workers: float | None
    machine_hours: (
        float | None
    )  # of all machines together, and below what those cost; None where nothing is paid
    cost: float | None
    currency: str
    seconds: float | None
    speed: float | None
    average_speed: float | None
    seconds_left: float | None


@dataclass(frozen=True)
class Loading(State):
    """It is being read."""

    state: Literal["loading"] = "loading"


@dataclass(frozen=True)
class Failed(State):
    """It could not be read."""

    error: str
    state: Literal["failed"] = "failed"


@dataclass(frozen=True)
class Cause(State):
    """One way to fail: in words, how many files did, and one of them."""

    text: str
    files: int
    first: str


@dataclass(frozen=True)
class Failures(State):
    """The files that failed by cause; `kept` is how many can be asked for.

    can, outlook   how many a retry can succeed with, and what it would come to in words ("" until it is known)
    """

    causes: tuple[Cause, ...]
    total: int
    kept: int
    can: int
    outlook: str
    state: Literal["ready"] = "ready"


@dataclass(frozen=True)
class ShownShard(State):
    """A file of the output; size None when it is gone, link None where no browser can fetch it."""

    name: str
    size: int | None
    link: str | None


class Point(NamedTuple):
    """A point of a plot."""

    x: float
    y: float


@dataclass(frozen=True)
class Series(State):
    """One line of a plot."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Axis(State):
    """What x is; whether it is a time in milliseconds."""

    name: str
    time: bool


@dataclass(frozen=True)
class Plot(State):
    """What there is to plot, the series that tells the most first."""

    x: Axis
    series: tuple[Series, ...]


@dataclass(frozen=True)
class Result(State):
    """What a job left at its target. Of shards the first ones are listed."""

    path: str
    shards: tuple[ShownShard, ...]
    shards_total: int
    bytes: int
    missing: int
    rows_read: int  # for the plot
    plot: Plot
    picture: str  # of what a picture can be drawn, such as "market"; "" for nothing
    state: Literal["ready"] = "ready"


class SlowFileRow(NamedTuple):
    """A file, its seconds, their share of those of all files (0 to 1), and its stored bytes."""

    uri: str
    seconds: float
    share: float
    size: float


@dataclass(frozen=True)
class TimeSpent(State):
    """Where a job's time went: lines of a name and a text, and the slowest files; nothing where no file was read."""

    lines: tuple[tuple[str, str], ...]
    rows: tuple[SlowFileRow, ...]
    state: Literal["ready"] = "ready"


@dataclass(frozen=True)
class Again(State):
    """The job that would run: lines of a name and a text."""

    job: str  # that it repeats
    lines: tuple[tuple[str, str], ...]
