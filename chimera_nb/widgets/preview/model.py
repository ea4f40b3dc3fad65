"""What FilePreview shows of a file: its first lines, one of them as a tree, all of them as a table. No notebook.

Each is bounded, in lines, nodes, cells and characters, so that no file can flood a browser or this process. pandas
is not imported for it: `chimera_nb.data.frames` makes the same columns for an analysis.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from chimera_nb.data.json_tree import Node, json_tree
from chimera_nb.data.nested import exploded, opened
from chimera_nb.data.records import NoRecord, Record, RecordReader
from chimera_nb.jobs.limits import storable
from chimera_nb.widgets.preview.messages import Column, Facts, Records, ShownLine, TreeNode

if TYPE_CHECKING:
    from chimera_nb.data.preview import Preview

MAX_LINES = 200
MAX_BYTES = 1_000_000  # of all lines that are kept
LINE_CHARS = 320  # of a line, until all of it is asked for
MAX_NODES = 3000
MAX_ROWS, MAX_COLUMNS = 100, 30
CELL_CHARS = 200


class Line(NamedTuple):
    """A line of the file. `size` is its length in bytes; `data` may be only its beginning."""

    data: bytes
    size: int

    @property
    def text(self) -> str:
        return self.data.rstrip(b"\r").decode("utf-8-sig", "backslashreplace")

    @property
    def is_cut(self) -> bool:
        """Whether only its beginning is kept."""
        return len(self.data) < self.size

    @property
    def is_long(self) -> bool:
        return self.is_cut or len(self.text) > LINE_CHARS


@dataclass(frozen=True)
class Inside:
    """What is kept of a preview: its facts, for the front end, and its first lines."""

    facts: Facts
    lines: tuple[Line, ...]


def inside(found: Preview) -> Inside:
    """The part of a preview that is shown. In its facts a line is its first characters, whether there are more of
    them, and whether it is JSON.
    """
    lines = tuple(_kept(found.lines))
    facts = Facts(
        size=found.size,
        codec=found.codec,
        read_bytes=found.read_bytes,
        raw_bytes=found.raw_bytes,
        estimated_raw_bytes=found.estimated_raw_bytes,
        estimated_lines=found.estimated_lines,
        complete=found.complete,
        problem=storable(found.problem_sentence or ""),
        note=storable(found.note or ""),
        lines_read=len(found.lines),
        lines=tuple(ShownLine(line.text[:LINE_CHARS], line.is_long, _is_json(line.data)) for line in lines),
    )
    return Inside(facts, lines)


def _kept(lines: Sequence[bytes]) -> Iterator[Line]:
    left = MAX_BYTES
    for at, line in enumerate(islice(lines, MAX_LINES)):
        if len(line) > left and at:
            return
        yield Line(line[:left], len(line))
        left -= min(left, len(line))


def _is_json(line: bytes) -> bool:
    """Whether it is an object or a list, which a tree can show."""
    if not line.lstrip(b"\xef\xbb\xbf \t").startswith((b"{", b"[")):
        return False
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


# The tree


def tree(line: bytes) -> tuple[tuple[TreeNode, ...], int]:
    """The nodes of one line, in order, and how many are left out. Without nodes the line is no JSON."""
    root = json_tree(line)
    if root is None:
        return (), 0
    rows, total = [], 0
    waiting: list[tuple[int, Node]] = [(0, child) for child in reversed(root.children or (root,))]
    while waiting:  # no recursion: a message that is nested deep could not be sent
        depth, node = waiting.pop()
        total += 1
        if total <= MAX_NODES:
            rows.append(TreeNode(depth, _cut(node.label), _cut(node.text), len(node.children)))
        waiting += [(depth + 1, child) for child in reversed(node.children)]
    return tuple(rows), total - len(rows)


# The table


def table(lines: Sequence[Line], explode: str = "") -> Records:
    """Lines -> rows of text under columns, nested objects as columns of their own: `marketDefinition.eventId`.

    `explode` is a column of lists, each of whose items gets a row; `lists` has the ones there are. A column that
    holds numbers alone is `numeric`. Lines that are no JSON objects are only counted (`others`).
    """
    rows_read = RecordReader().read([line.data for line in lines])
    records = [row for row in rows_read if not isinstance(row, NoRecord)]
    lists = dict.fromkeys(
        name
        for record in records
        for name, value in record.items()
        if isinstance(value, list) and any(isinstance(item, dict) for item in value)
    )
    explode = explode if explode in lists else ""
    return _table(
        records,
        explode,
        others=len(rows_read) - len(records),
        lists=tuple(name for name in lists if storable(name) == name),
    )


def table_of_view(records: Sequence[Record], problem: str) -> Records:
    """The same of the rows of a view, and what is wrong with the file."""
    return _table(records, "", problem=storable(problem))


def _table(
    records: Sequence[Record],
    explode: str,
    *,
    others: int = 0,
    lists: tuple[str, ...] = (),
    problem: str = "",
) -> Records:
    parts = (part for record in records for part in exploded(record, explode or None))
    rows = [dict(opened(record)) for record in islice(parts, MAX_ROWS)]
    names = list(dict.fromkeys(name for row in rows for name in row))
    shown = names[:MAX_COLUMNS]
    return Records(
        columns=tuple(Column(_cut(name), _is_numeric([row.get(name) for row in rows])) for name in shown),
        rows=tuple(tuple(_cell(row[name]) if name in row else "" for name in shown) for row in rows),
        more_rows=next(parts, None) is not None,
        more_columns=len(names) - len(shown),
        others=others,
        lists=lists,
        explode=explode,
        problem=problem,
    )


def _is_numeric(values: list[Any]) -> bool:
    kinds = {type(value) for value in values if value is not None}
    return bool(kinds) and kinds <= {int, float}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    try:
        return _cut(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    except (RecursionError, ValueError):
        return "(nested too deep to show)"


def _cut(text: str) -> str:
    return storable(text if len(text) <= CELL_CHARS else f"{text[:CELL_CHARS]}…")
