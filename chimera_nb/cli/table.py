"""Rows for a terminal, or for whatever reads a pipe. A value is never cut.

On a terminal the columns are aligned; the last one is as long as it is, and the terminal wraps it. Where the others
leave it too little room, those that may go are left out, and named. In a pipe a row is one line of whole values,
separated by tabs.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

_GAP = "  "
_LAST_CELLS = 24  # that the last column has at least, before others are left out for it


@dataclass(frozen=True)
class Column:
    """A column. `leaves` is its turn, from 1 on, to be left out where there is no room; 0 is never."""

    name: str
    right: bool = False
    leaves: int = 0


def print_table(
    out: Console, err: Console, columns: Sequence[Column], rows: Sequence[Sequence[Text]], *, header: bool
) -> None:
    """Print rows of as many cells as there are columns; what had to be left out is said on `err`."""
    if not out.is_terminal:
        head = ["\t".join(column.name for column in columns)] if header else []
        lines = [*head, *("\t".join(cell.plain for cell in row) for row in rows)]
        out.file.write("".join(f"{line}\n" for line in lines))  # as they are: rich makes spaces of tabs
        return
    heads = [[Text(column.name, style="bold") for column in columns]] if header else []
    shown_rows = [*heads, *rows]
    widths = [max((cell_len(row[n].plain) for row in shown_rows), default=0) for n in range(len(columns))]
    shown = _shown(columns, widths, out.width)
    for row in shown_rows:
        out.print(_aligned([(row[n], widths[n], columns[n].right) for n in shown]))
    if left_out := [column.name for n, column in enumerate(columns) if n not in shown]:
        says = f"left out at {out.width} columns: {', '.join(left_out)} (--json has them)"
        err.print(Text(says))


def print_hanging(out: Console, head: Text, said: str, indent: int) -> None:
    """Print a head and what it says; on a terminal that goes on below where it began, broken between words only."""
    lines = [said]
    if out.is_terminal and indent + cell_len(said) > out.width:
        room = max(_LAST_CELLS, out.width - indent)
        lines = textwrap.wrap(said, room, break_long_words=False, break_on_hyphens=False) or [said]
    out.print(Text.assemble(head, lines[0]))
    for line in lines[1:]:
        out.print(Text(" " * indent + line))


def _shown(columns: Sequence[Column], widths: Sequence[int], room: int) -> list[int]:
    """The numbers of the columns that there is room for."""
    shown = list(range(len(columns)))
    for turn in sorted(column.leaves for column in columns if column.leaves):
        before_last = sum(widths[n] + len(_GAP) for n in shown[:-1])
        if before_last + min(widths[shown[-1]], _LAST_CELLS) <= room:
            break
        shown = [n for n in shown if columns[n].leaves != turn]
    return shown


def _aligned(cells: Sequence[tuple[Text, int, bool]]) -> Text:
    line = Text()
    for n, (cell, width, right) in enumerate(cells):
        padding = " " * (width - cell_len(cell.plain))
        last = n == len(cells) - 1
        if right:
            line.append(padding)
        line.append_text(cell)
        if not last:
            line.append(_GAP if right else padding + _GAP)
    return line
