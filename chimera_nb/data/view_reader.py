"""Reads files as rows of a view, file by file; also the process that does so for another (`view_processes`).

The two speak in frames: a length in eight bytes, and that many bytes of pickle. The first frame to the process says
what is read how; each one after it has some URIs, and is answered by one frame with their rows.
"""

from __future__ import annotations

import os
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import IO, Any

import pyarrow as pa

from pipeline.read.file import ReadOptions, read_file
from pipeline.storage import Store

THREADS = 4  # of a process: a request to a bucket takes tens of milliseconds


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


def send(to: IO[bytes], value: Any) -> None:
    """Write one frame."""
    data = pickle.dumps(value)
    to.write(len(data).to_bytes(8, "big"))
    to.write(data)
    to.flush()


def receive(source: IO[bytes]) -> Any:
    """Read one frame. Raises EOFError where there is none."""
    head = source.read(8)
    if len(head) < 8:
        raise EOFError
    return pickle.loads(source.read(int.from_bytes(head, "big")))  # noqa: S301 - of the process that started this one


def main() -> None:
    """Answer until there is no more to answer."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a view prints is no answer
    asked = sys.stdin.buffer
    store, options = receive(asked)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="read-view") as pool:
        while True:
            try:
                uris = receive(asked)
            except EOFError:
                return
            try:
                send(answers, list(pool.map(partial(read_rows_of, store, options), uris)))
            except Exception as e:  # noqa: BLE001 - whoever asked raises it
                send(answers, e)
