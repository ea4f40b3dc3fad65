"""Rows -> folders by the values of some columns: `event_type_id=7/date=2020-01-31/`, as Hive and its readers have it.

The columns stand in the folders' names and not in the files. Null is `__HIVE_DEFAULT_PARTITION__`; signs that have a
meaning in a path are escaped as in a URL.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_NULL = "__HIVE_DEFAULT_PARTITION__"


def split(batch: pa.RecordBatch, columns: Sequence[str]) -> Iterator[tuple[str, pa.RecordBatch]]:
    """(folder, its rows in their order, without these columns); the folder ends in "/", and is "" for no columns."""
    if not columns:
        yield "", batch
        return
    if not batch.num_rows:
        return
    rest = batch.drop_columns(list(columns))
    encoded = [_encoded(batch.column(name)) for name in columns]
    codes = np.zeros(batch.num_rows, np.int64)
    for array in encoded:
        codes = codes * len(array.dictionary) + array.indices.to_numpy()
    order = np.argsort(codes, kind="stable")
    begins = np.flatnonzero(np.diff(codes[order], prepend=-1))
    ends = [*begins[1:], batch.num_rows]
    for begin, end in zip(begins, ends, strict=True):
        first = int(order[begin])
        values = [array.dictionary[array.indices[first].as_py()].as_py() for array in encoded]
        # Taken, and not a slice of all: that would keep all of them in memory for as long as these wait.
        rows = rest if len(begins) == 1 else rest.take(pa.array(order[begin:end]))
        yield folder_of(dict(zip(columns, values, strict=True))), rows


def folder_of(values: Mapping[str, Any]) -> str:
    """The folder of such values."""
    return "".join(f"{quote(name, safe='')}={_text(value)}/" for name, value in values.items())


def values_of(folder: str) -> dict[str, str | None]:
    """The inverse, as texts."""
    found: dict[str, str | None] = {}
    for level in filter(None, folder.split("/")):
        name, _, text = level.partition("=")
        found[unquote(name)] = None if text == _NULL else unquote(text)
    return found


def with_values(table: pa.Table, folder: str, schema: pa.Schema) -> pa.Table:
    """The rows of a folder with all columns of `schema`: those that stand in the folder's name too."""
    known = values_of(folder)
    arrays = []
    for field in schema:
        if field.name in known:
            one = pa.array([known[field.name]], pa.string()).cast(field.type)
            arrays.append(pc.take(one, pa.array(np.zeros(table.num_rows, np.int64))))
        else:
            arrays.append(table.column(field.name))
    return pa.Table.from_arrays(arrays, schema=schema)


def stored(schema: pa.Schema, columns: Sequence[str]) -> pa.Schema:
    """The schema of what the files hold."""
    return pa.schema([field for field in schema if field.name not in columns], schema.metadata)


def _encoded(column: pa.Array) -> pa.DictionaryArray:
    return pc.dictionary_encode(column, null_encoding="encode")


def _text(value: Any) -> str:
    if value is None:
        return _NULL
    text = quote(str(value), safe="")
    # No object may be named so, and an empty value would be none to many readers.
    return text.replace(".", "%2E") if text in ("", ".", "..") else text
