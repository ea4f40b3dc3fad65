"""What the traits of BucketBrowser hold: what the selection and a pattern come to, and what is in a folder's files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from chimera_nb.widgets.base.messages import State


@dataclass(frozen=True)
class Total(State):
    """What the selection comes to: files, stored bytes; `more` when there are others; whether it is being counted."""

    files: int
    bytes: int
    more: bool
    counting: bool


@dataclass(frozen=True)
class Matched(State):
    """What a pattern matches so far; `error` why it does not do, "" where it does."""

    text: str
    error: str = ""
    example: str = ""
    active: bool = False
    files: int = 0
    bytes: int = 0
    more: bool = False


class FacetValue(NamedTuple):
    """A value of a facet, what it is called, how many have it, and whether it is chosen."""

    value: str | None
    name: str
    rows: int
    chosen: bool


@dataclass(frozen=True)
class Facet(State):
    """By what files are chosen; of many values the first, and how many more there are."""

    name: str
    label: str
    values: tuple[FacetValue, ...]
    more: int


@dataclass(frozen=True)
class Content(State):
    """What is in the files of a folder, and what of it is chosen.

    running   whether the catalogue is being made; `progress` says how far it is
    rows      that are chosen, in `matching` files of so many bytes, out of all `files`
    failed    files that could not be read
    ids       what is said of the list of ids; "" where there is none
    """

    folder: str
    running: bool = False
    progress: str = ""
    error: str = ""
    files: int = 0
    failed: int = 0
    rows: int = 0
    matching: int = 0
    bytes: int = 0
    facets: tuple[Facet, ...] = ()
    has_days: bool = False
    since: str = ""
    until: str = ""
    ids: str = ""
