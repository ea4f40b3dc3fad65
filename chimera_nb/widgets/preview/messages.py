"""What FilePreview and its front end say to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from chimera_nb.widgets.base.messages import Message, Request, State
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
class Retry(Request):
    """Read the file again that could not be read."""


@dataclass(frozen=True)
class Line(Request):
    """All that is kept of a line, by its index from 0."""

    generation: int
    n: int


@dataclass(frozen=True)
class Tree(Request):
    """A line as a tree."""

    generation: int
    n: int


@dataclass(frozen=True)
class SaveFile(Request):
    """The file as it is stored, for the front end that asks."""

    view: str
    saving: int
    subject: str


# What the page is told


class ShownLine(NamedTuple):
    """The first characters of a line; whether there are more, and whether it is JSON that a tree can show."""

    text: str
    is_long: bool
    is_json: bool


@dataclass(frozen=True)
class Facts(State):
    """What is known of a file; sizes in bytes, None where they are not known; `problem` a sentence, or ""."""

    size: int
    codec: str | None
    read_bytes: int
    raw_bytes: int
    estimated_raw_bytes: int | None
    estimated_lines: int | None
    complete: bool
    problem: str
    note: str
    lines_read: int
    lines: tuple[ShownLine, ...]


class FileView(NamedTuple):
    """A view of a source that takes files of such a name."""

    source: str
    view: str


@dataclass(frozen=True)
class FileMessage(Message):
    """The file that is shown, and how far that has come."""

    generation: int
    uri: str
    state: Literal["empty", "reading", "shown", "failed"]
    facts: Facts | None
    views: tuple[FileView, ...]


@dataclass(frozen=True)
class LineMessage(Message):
    """A line; `cut` when only its first part is kept."""

    generation: int
    n: int
    text: str
    size: int
    cut: bool


class TreeNode(NamedTuple):
    """A node of a tree; `children` is how many are right below it."""

    depth: int
    label: str
    text: str
    children: int


@dataclass(frozen=True)
class TreeMessage(Message):
    """The nodes of line `n` in order; without any the line is no JSON."""

    generation: int
    n: int
    nodes: tuple[TreeNode, ...]
    left_out: int


@dataclass(frozen=True)
class PreviewTraits:
    """The traits that the page has."""

    height: int
