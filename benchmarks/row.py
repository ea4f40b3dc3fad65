"""A line of the result: what was measured, for us and for the peer, and whether the goal is met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any


class BenchmarkError(Exception):
    """The measurement itself came to nothing, so there is no result to judge."""


class MissingPeerError(BenchmarkError):
    """A peer is not installed."""


@dataclass(frozen=True)
class Context:
    """What a benchmark is given."""

    data_dir: Path  # holds what is made once and kept
    work: Path  # empty, on the same disk, and removed at the end
    quick: bool  # a smoke test: little data, once, and no goal is judged
    root: Path  # the repository


@dataclass(frozen=True)
class Goal:
    """A bound on the ratio ("at least") or on our own figure ("under")."""

    at_least: float | None = None
    under: float | None = None

    def __str__(self) -> str:
        return f">= {self.at_least:g}" if self.at_least is not None else f"< {self.under:g}"


@dataclass(frozen=True)
class Row:
    """`ratio` is how many times as good we are as the peer; it and `peer` are None where there is no peer."""

    what: str
    ours: float
    unit: str
    goal: Goal
    peer_name: str | None = None
    peer: float | None = None
    ratio: float | None = None

    @property
    def ok(self) -> bool:
        if self.goal.at_least is not None:
            return self.ratio is not None and self.ratio >= self.goal.at_least
        return self.goal.under is not None and self.ours < self.goal.under

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "ok": self.ok}


def slope(raw_once: int, once: float, raw_twice: int, twice: float) -> float:
    """MB of raw data a second, of the second half alone: what is paid once, like start-up, cancels out.

    Raises BenchmarkError when twice the data took no longer, which on a quiet machine cannot be.
    """
    if twice <= once:
        raise BenchmarkError(
            f"twice the data took {twice:.2f} s and once {once:.2f} s: the machine is too busy to measure on"
        )
    return (raw_twice - raw_once) / (twice - once) / 1e6


def median_ratio(ours: Sequence[float], peers: Sequence[float]) -> float:
    """The median of ours to theirs, pair by pair: a pair ran side by side, so the machine's mood cancels out."""
    return median(one / other for one, other in zip(ours, peers, strict=True))


def table(rows: Sequence[Row], *, judged: bool) -> str:
    """The rows as aligned text; without `judged` the last column says nothing."""
    lines = [("what", "ours", "peer", "ratio", "goal", "ok"), *(cells(row, judged=judged) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def cells(row: Row, *, judged: bool) -> tuple[str, ...]:
    """A row as texts: what, ours, peer, ratio, goal, whether it is met."""
    return (
        row.what,
        f"{row.ours:.0f} {row.unit}",
        "-" if row.peer is None else f"{row.peer_name} {row.peer:.0f} {row.unit}",
        "-" if row.ratio is None else f"{row.ratio:.2f}",
        str(row.goal) if row.goal.at_least is not None else f"{row.goal} {row.unit}",
        ("yes" if row.ok else "NO") if judged else "-",
    )
