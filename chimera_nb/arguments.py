"""What people pass to the toolkit's functions: a path as text or as a Path, a number as a whole one."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable
from typing import Any

from pipeline.errors import RefusedError

AnyPath = str | os.PathLike[str]


def path_text(path: AnyPath) -> str:
    """A URI or a local path as text. Raises RefusedError for what is neither."""
    try:
        text = os.fspath(path)
    except TypeError as e:
        raise RefusedError(
            f"{path!r} is no path; give a gs:// URI or a local path, as text or as a Path"
        ) from e
    if not isinstance(text, str):
        raise RefusedError(f"{path!r} is bytes; give a path as text: os.fsdecode makes it")
    if not isinstance(path, str) and text.startswith("gs:/"):
        raise RefusedError(f"{text} is a Path made of a gs:// URI; give the URI as text: a Path has no //")
    return text


def path_texts(paths: AnyPath | Iterable[AnyPath]) -> list[str]:
    """The same of one path or of several. Raises RefusedError."""
    if isinstance(paths, str | bytes | os.PathLike):
        return [path_text(paths)]
    try:
        return [path_text(path) for path in paths]
    except TypeError as e:
        raise RefusedError(f"{paths!r} is no path and no list of paths") from e


def whole_number(value: Any, name: str, least: int) -> int:
    """A count as an int; 1e3 and numpy's numbers do too. Raises RefusedError for less than `least`, and for others."""
    number = None
    if isinstance(value, float) and value.is_integer():
        number = int(value)
    elif not isinstance(value, bool):
        try:
            number = operator.index(value)
        except TypeError:
            number = None
    if number is None or number < least:
        raise RefusedError(f"{name} is {value!r}; give a whole number, {least} or more")
    return number
