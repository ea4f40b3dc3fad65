"""What the dashboard's header and its front end say to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chimera_nb.widgets.base.messages import Message, Nothing, Request, State

# What the page asks for


@dataclass(frozen=True)
class Undo(Request):
    """Take the last change of the selection back."""


@dataclass(frozen=True)
class Example(Request):
    """Open the example: its folder, with some of its files selected and one looked into."""


# What the page is told


@dataclass(frozen=True)
class LookAtMessage(Message):
    """Bring a part of the page into sight."""

    part: Literal["browse", "preview", "launch", "jobs"]


@dataclass(frozen=True)
class Chosen(State):
    """What is selected in the browser: how many URIs, and what they come to as `Total` has it."""

    selected: int
    files: int
    bytes: int
    more: bool
    counting: bool
    can_undo: bool


@dataclass(frozen=True)
class Where(State):
    """Who one is and where one is; `example`: whether there are files to show how it is done."""

    who: str
    place: Literal["local", "cloud"]
    project: str
    example: bool


@dataclass(frozen=True)
class StepsTraits:
    """The traits that the page has."""

    page: Literal["new", "jobs"]
    job_id: str
    _chosen: Chosen
    _where: Where | Nothing
