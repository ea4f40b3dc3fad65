"""What people pass to the toolkit's functions: a path as text or as a Path, a number as a whole one."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable
from typing import Any

from pipeline.errors import InvalidUriError, RefusedError
from pipeline.folders import home_expanded

AnyPath = str | os.PathLike[str]


def path_text(path: AnyPath) -> str:
    """A URI as text, or a local path with its `~` replaced. Raises RefusedError for what is neither."""
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
    if not text or "\0" in text:
        raise InvalidUriError(f"{text!r} is not a path; give gs://bucket/path or a local path")
    return home_expanded(text)


def path_texts(paths: AnyPath | Iterable[AnyPath]) -> list[str]:
    """The same of one path or of several. Raises RefusedError."""
    if isinstance(paths, str | bytes | os.PathLike):
        return [path_text(paths)]
    try:
        return [path_text(path) for path in paths]
    except TypeError as e:
        raise RefusedError(f"{paths!r} is no path and no list of paths") from e


def texts(values: Any, name: str) -> tuple[str, ...]:
    """Names as a tuple of texts, of any collection of them. Raises RefusedError for one text, and for others."""
    if isinstance(values, str):
        raise RefusedError(f"{name} is the text {values!r}; give a list of names: [{values!r}]")
    try:
        found = tuple(values)
    except TypeError as e:
        raise RefusedError(f"{name} is {values!r}; give a list of names") from e
    for value in found:
        if not isinstance(value, str):
            raise RefusedError(f"{name} has {value!r} in it; names are texts")
    return found


def whole_number(value: Any, name: str, least: int | None = None) -> int:
    """A count as an int; 1e3 and numpy's numbers do too. Raises RefusedError for less than `least`, and for others."""
    number = None
    if isinstance(value, float) and value.is_integer():
        number = int(value)
    elif not isinstance(value, bool):
        try:
            number = operator.index(value)
        except TypeError:
            number = None
    if number is None or (least is not None and number < least):
        bound = "" if least is None else f", {least} or more"
        raise RefusedError(f"{name} is {value!r}; give a whole number{bound}")
    return number
