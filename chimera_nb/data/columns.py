"""Values -> a column of the dtype that they call for, packed batch by batch so that numbers take eight bytes.

    only true and false           boolean
    only whole numbers            Int64; object if one has more than 64 bits with its sign
    other numbers                 float64; "NaN", "Infinity" and "-Infinity" among numbers are what they say
    only text                     string; no text is taken for a number or a time
    objects, lists, a mixture     object: the Python values, as json gives them

What is missing or null is NA (NaN among floats).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

_EXACT = 1 << 53  # whole numbers beyond it are not all floats
_INT64 = 1 << 63
_WORDS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_PRIMITIVES: dict[type, str] = {bool: "boolean", int: "Int64", float: "float64", str: "string"}
_PACKED: dict[type, Any] = {bool: np.bool_, int: np.int64, float: np.float64}
_NONE = type(None)

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Some of a column's values: a list, or an array of one kind with the rows that hold nothing."""

    kinds: frozenset[type]
    held: list[Any] | Array
    missing: Array | None  # None where nothing is

    def unpacked(self) -> list[Any]:
        values = self.held if isinstance(self.held, list) else self.held.tolist()
        if self.missing is not None:
            for row in np.flatnonzero(self.missing).tolist():
                values[row] = None
        return values


class Column:
    """Grows by values and by rows that hold nothing."""

    def __init__(self) -> None:
        self._chunks: list[_Chunk] = []
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def add(self, values: list[Any]) -> None:
        self._length += len(values)
        self._chunks.append(_pack(values))

    def pad(self, length: int) -> None:
        """Have nothing in the rows up to that length."""
        if length > self._length:
            self.add([None] * (length - self._length))

    def series(self) -> pd.Series[Any]:
        kinds = {kind for chunk in self._chunks for kind in chunk.kinds}
        packed = all(isinstance(chunk.held, np.ndarray) or not chunk.kinds for chunk in self._chunks)
        if packed and kinds in ({bool}, {int}, {float}):
            (kind,) = kinds
            return self._numbers(kind)
        if packed and kinds == {int, float} and all(map(_is_exact, self._chunks)):
            return self._numbers(float)
        return _series([value for chunk in self._chunks for value in chunk.unpacked()], kinds)

    def _numbers(self, kind: type) -> pd.Series[Any]:
        values = np.zeros(self._length, _PACKED[kind])
        missing = np.zeros(self._length, np.bool_)
        at = 0
        for chunk in self._chunks:
            rows = slice(at, at := at + len(chunk.held))
            if chunk.kinds:
                values[rows] = chunk.held
            if chunk.missing is not None:
                missing[rows] = chunk.missing
        if kind is float:
            values[missing] = np.nan
            return pd.Series(values)
        array = pd.arrays.IntegerArray if kind is int else pd.arrays.BooleanArray
        return pd.Series(array(values, missing))


def _pack(values: list[Any]) -> _Chunk:
    found = set(map(type, values))
    kinds = frozenset(found - {_NONE})
    missing = (
        np.fromiter((value is None for value in values), np.bool_, len(values)) if _NONE in found else None
    )
    if not kinds:
        return _Chunk(kinds, np.zeros(len(values), np.bool_), missing)
    if len(kinds) > 1 or not kinds <= _PACKED.keys():
        return _Chunk(kinds, values, None)
    (kind,) = kinds
    filled = values if missing is None else [kind() if value is None else value for value in values]
    try:
        return _Chunk(kinds, np.array(filled, _PACKED[kind]), missing)
    except OverflowError:
        return _Chunk(kinds, values, None)


def _is_exact(chunk: _Chunk) -> bool:
    """Whether its numbers are the same as floats."""
    if int not in chunk.kinds:
        return True
    return bool(((chunk.held >= -_EXACT) & (chunk.held <= _EXACT)).all())  # type: ignore[operator]


def _series(values: list[Any], kinds: set[type]) -> pd.Series[Any]:
    if kinds & {int, float} and kinds <= {int, float, str}:
        if str in kinds and {v for v in values if type(v) is str} <= _WORDS.keys():
            values = [_WORDS[value] if type(value) is str else value for value in values]
            kinds = {int, float}
        if kinds == {int, float} and all(abs(v) <= _EXACT for v in values if type(v) is int):
            kinds = {float}
    dtype = _PRIMITIVES[next(iter(kinds))] if len(kinds) == 1 and kinds <= _PRIMITIVES.keys() else "object"
    if kinds == {int} and not all(v is None or -_INT64 <= v < _INT64 for v in values):
        dtype = "object"
    return pd.Series(values, dtype=dtype)
