"""The same records once: of the files that hold them, which one is read, and what is said of the others.

A source tells by a file's name what is in it (`pipeline.sources.holds`). That is compared over the whole selection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Copy(NamedTuple):
    """One of the files that hold the same."""

    uri: str
    rank: int
    size: int  # bytes, as listed


def fullest(copies: Sequence[Copy]) -> Copy:
    """The one to be read, in whatever order they come."""
    return min(copies, key=lambda copy: (-copy.rank, -copy.size, copy.uri))


def why_other(what: str, other: Copy, read: Copy) -> str:
    """The reason for passing over another one."""
    much = "which is fuller" if (read.rank, read.size) > (other.rank, other.size) else "which holds as much"
    return f"{what} is read from {read.uri}, {much}"
