"""What FilePreview shows of a file: its first lines, one of them as a tree, all of them as a table. No notebook.

Each is bounded, in lines, nodes, rows and characters, so that no file can flood a browser or this process.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from chimera_nb.data.json_tree import Node, json_tree
from chimera_nb.data.records import RecordReader
from chimera_nb.data.table.source import HeldRecords
from chimera_nb.jobs.limits import storable
from chimera_nb.widgets.preview.messages import Facts, ShownLine, TreeNode

if TYPE_CHECKING:
    from chimera_nb.data.preview import Preview

MAX_LINES = 200
MAX_BYTES = 1_000_000  # of all lines that are kept
LINE_CHARS = 320  # of a line, until all of it is asked for
MAX_NODES = 3000
TEXT_CHARS = 200  # of a name or a value in the tree
VIEW_ROWS = 1000  # of a view, made of the file's beginning


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


def rows_of(inside: Inside) -> HeldRecords:
    """The lines as records of a table, all there are or only the first."""
    records = RecordReader().read([line.data for line in inside.lines])
    is_whole = inside.facts.complete and len(inside.lines) == inside.facts.lines_read
    return HeldRecords(records, len(records) if is_whole else None)


def _cut(text: str) -> str:
    return storable(text if len(text) <= TEXT_CHARS else f"{text[:TEXT_CHARS]}…")
