"""A Parquet file of a store, read by rows; what is read at once is a row group."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import StorageError
from pipeline.storage import Store

_AHEAD = 1 << 20  # bytes asked for at least: a file has many small columns
BATCH_ROWS = 16_384


class StoredFile(io.RawIOBase):
    """An object of known size as a file that can be read anywhere, with one request for each stretch."""

    def __init__(self, store: Store, uri: str, size: int) -> None:
        self._store, self._uri, self._size = store, uri, size
        self._at = self._from = 0
        self._window = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read(self, size: int | None = -1, /) -> bytes:
        end = self._size if size is None or size < 0 else min(self._at + size, self._size)
        if end <= self._at:
            return b""
        if not self._from <= self._at or end > self._from + len(self._window):
            self._window = self._store.read_range(
                self._uri, self._at, min(self._size, max(end, self._at + _AHEAD))
            )
            self._from = self._at
        data = self._window[self._at - self._from : end - self._from]
        self._at += len(data)
        return data


@contextmanager
def open_parquet(store: Store, uri: str, size: int) -> Iterator[pq.ParquetFile]:
    """The file. Raises StorageError for one that cannot be read."""
    try:
        with pq.ParquetFile(StoredFile(store, uri, size), page_checksum_verification=True) as file:
            yield file
    except (pa.ArrowException, OSError) as e:
        if isinstance(e, StorageError):
            raise
        raise StorageError(uri, f"is not the Parquet that was written ({e})") from e


def parquet_batches(
    store: Store, uri: str, size: int, columns: Sequence[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """The rows of a file, with these columns or with all. Raises StorageError."""
    with open_parquet(store, uri, size) as file:
        yield from file.iter_batches(BATCH_ROWS, columns=columns)


def parquet_rows(store: Store, uri: str, size: int, start: int, end: int) -> Iterator[pa.RecordBatch]:
    """The rows [start, end) of a file; no more row groups are read than have some. Raises StorageError."""
    with open_parquet(store, uri, size) as file:
        wanted, before, first = [], 0, None
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if before < end and before + rows > start:
                wanted.append(group)
                first = before if first is None else first
            before += rows
        at = first or 0
        for batch in file.iter_batches(BATCH_ROWS, row_groups=wanted):
            piece = batch.slice(max(0, start - at), max(0, min(end, at + batch.num_rows) - max(start, at)))
            at += batch.num_rows
            if piece.num_rows:
                yield piece
