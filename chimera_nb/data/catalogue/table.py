"""The table that a catalogue is: a row for each row of its view, and one for each file that has none.

file          the file's URI, as bytes: local names may be no UTF-8
file_generation, file_size, file_updated
              the version of it that was read, as it was listed
error         why there are no rows of the file; null where there are
may_pass      whether that is the store's fault and not the file's, so that it is read again
...           the view's columns `kept`
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pyarrow as pa

from pipeline.sources.view import View
from pipeline.storage import Entry

FILE = pa.schema(
    [
        ("file", pa.binary()),
        ("file_generation", pa.int64()),
        ("file_size", pa.int64()),
        ("file_updated", pa.string()),
        ("error", pa.string()),
        ("may_pass", pa.bool_()),
    ]
)


class FileRows(NamedTuple):
    """What was found in a file: rows, or why there are none."""

    entry: Entry
    rows: list[Mapping[str, Any]]
    error: str | None = None
    may_pass: bool = False


def schema_of(view: View) -> pa.Schema:
    """The columns of the view's catalogue."""
    wanted = (view.key, *view.facets, *view.kept) if view.kept else view.schema.names
    names = [name for name in dict.fromkeys(wanted) if name not in FILE.names]
    return pa.schema([*FILE, *(view.schema.field(name).remove_metadata() for name in names)])


def table_of(found: Iterable[FileRows], schema: pa.Schema) -> pa.Table:
    """The rows of some files."""
    rows: list[dict[str, Any]] = []
    for entry, of_file, error, may_pass in found:
        file = {
            "file": encoded(entry.uri),
            "file_generation": entry.generation,
            "file_size": entry.size,
            "file_updated": entry.updated,
            "error": error,
            "may_pass": may_pass,
        }
        rows += [{**row, **file} for row in of_file] or [file]
    return pa.Table.from_pylist(rows, schema=schema)


def encoded(uri: str) -> bytes:
    return uri.encode("utf-8", "surrogateescape")


def decoded(uri: bytes) -> str:
    return uri.decode("utf-8", "surrogateescape")
