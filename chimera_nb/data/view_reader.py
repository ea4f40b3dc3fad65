"""Reads files as rows of a view, file by file, several at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from pipeline.read.file import ReadOptions, read_file
from pipeline.storage import Store

_THREADS = 4  # of a process: a request to a bucket takes tens of milliseconds


@dataclass(frozen=True)
class FileRows:
    """The rows of one file, as Arrow's stream of bytes; `error` is why there are none, `note` what is worth knowing."""

    uri: str
    rows: bytes
    error: str | None
    note: str | None

    def table(self, schema: pa.Schema) -> pa.Table:
        """The rows."""
        if not self.rows:
            return schema.empty_table()
        with pa.ipc.open_stream(self.rows) as stream:
            return stream.read_all()


@dataclass(frozen=True)
class ViewReader:
    """URIs -> the rows of each file, by this process or another."""

    store: Store
    options: ReadOptions

    def __call__(self, uris: list[str]) -> list[FileRows]:
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="read-view") as pool:
            return list(pool.map(partial(read_rows_of, self.store, self.options), uris))


def read_rows_of(store: Store, options: ReadOptions, uri: str) -> FileRows:
    """Read one file whole. What is wrong with it is said; raises StoreUnavailableError."""
    view = options.view
    found = read_file(store, uri, options)
    sink = pa.BufferOutputStream()
    if view is not None and found.record.lines:
        with pa.ipc.new_stream(sink, view.schema) as stream:
            for batch in found.blocks():
                stream.write_batch(batch)
    return FileRows(uri, sink.getvalue().to_pybytes(), found.record.error, found.record.note)
