"""A record as a tree, for whoever shows it: plain data, with no widget in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

_encoded = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps would make an encoder for each value


class Node(NamedTuple):
    """A value under its name; `text` is the value, or how many there are below it.

    The children of an object are in its order, those of a list are named by their index.
    """

    label: str
    text: str
    children: tuple[Node, ...] = ()


def json_tree(line: bytes) -> Node | None:
    """The tree of one line; None when it is no JSON."""
    try:
        return _node("", json.loads(line))
    except (ValueError, RecursionError):
        return None


def outline(node: Node) -> str:
    """The tree as indented text, a line for each node below the first."""
    return "\n".join(_lines(node.children, 0))


def _node(label: str, value: Any) -> Node:
    if isinstance(value, dict):
        fields = "field" if len(value) == 1 else "fields"
        return Node(label, f"{len(value):,} {fields}", tuple(_node(k, v) for k, v in value.items()))
    if isinstance(value, list):
        items = "item" if len(value) == 1 else "items"
        return Node(label, f"{len(value):,} {items}", tuple(_node(str(i), v) for i, v in enumerate(value)))
    return Node(label, str(value) if type(value) is int else _encoded(value))


def _lines(nodes: tuple[Node, ...], depth: int) -> Iterator[str]:
    for node in nodes:
        yield f"{'  ' * depth}{node.label}: {node.text}"
        yield from _lines(node.children, depth + 1)
