"""One part of rows, as it is written: NDJSON, CSV or Parquet.

A part's `position` is what the ledger says of a file's place in it: bytes in NDJSON and CSV, rows in Parquet.
"""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.ledger import Part
from pipeline.rows.memory import as_one, batch_bytes
from pipeline.rows.text import csv_blocks, csv_header, ndjson_blocks
from pipeline.storage import WriteStream

GROUP_ROWS = 131_072  # of a row group, at least; a run of a file (`pipeline.read.view_rows`) may come on top
_TOGETHER = 128  # batches: so many that wait become one, since of a small one most is not its values
_LEVEL = 3  # of zstd


class RowPart(ABC):
    """A part that is being written to a stream. `rows` counts what was written."""

    header = 0

    def __init__(self, stream: WriteStream, folder: str) -> None:
        self.stream, self.folder = stream, folder
        self.rows = 0

    @property
    @abstractmethod
    def position(self) -> int:
        """Where the next row goes."""

    @property
    def held(self) -> int:
        """Bytes that wait in memory to be written."""
        return 0

    def write(self, batch: pa.RecordBatch) -> bytes | None:
        """Append rows; their bytes, where they have bytes of their own."""
        written = self._write(batch)
        self.rows += batch.num_rows
        return written

    @abstractmethod
    def _write(self, batch: pa.RecordBatch) -> bytes | None: ...

    @abstractmethod
    def flush(self) -> None:
        """Write what waits."""

    @abstractmethod
    def _end(self) -> None:
        """Write what comes last."""

    def finish(self) -> Part:
        """Complete the part."""
        self.flush()
        self._end()
        stream = self.stream
        stream.close()
        return Part(
            stream.uri, stream.size, self.rows, stream.crc32c, stream.generation, self.folder, self.header
        )

    def abort(self) -> None:
        """Leave nothing of it."""
        self.stream.abort()


class _TextPart(RowPart):
    """Rows as lines, behind a header if there is one."""

    def __init__(
        self,
        stream: WriteStream,
        folder: str,
        blocks: Callable[[pa.RecordBatch], Iterator[bytes]],
        header: bytes = b"",
    ) -> None:
        super().__init__(stream, folder)
        self._blocks = blocks
        self.header = len(header)
        if header:
            stream.write(header)

    @property
    def position(self) -> int:
        return self.stream.size

    def _write(self, batch: pa.RecordBatch) -> bytes | None:
        data = b"".join(self._blocks(batch))
        self.stream.write(data)
        return data

    def flush(self) -> None:
        pass

    def _end(self) -> None:
        pass


class _ParquetPart(RowPart):
    """Rows in row groups, of which one waits in memory until it has GROUP_ROWS."""

    def __init__(self, stream: WriteStream, folder: str, schema: pa.Schema) -> None:
        super().__init__(stream, folder)
        self._schema = schema
        self._sink = _Sink(stream)
        self._writer = pq.ParquetWriter(
            pa.PythonFile(self._sink, mode="w"),
            schema,
            compression="zstd",
            compression_level=_LEVEL,
            write_page_checksum=True,
        )
        self._waiting: list[pa.RecordBatch] = []
        self._single: list[pa.RecordBatch] = []  # behind these, as they came
        self._waiting_rows = self._held = self._held_single = 0

    @property
    def position(self) -> int:
        return self.rows

    @property
    def held(self) -> int:
        return self._held

    def _write(self, batch: pa.RecordBatch) -> bytes | None:
        self._single.append(batch)
        self._waiting_rows += batch.num_rows
        size = batch_bytes(batch)
        self._held += size
        self._held_single += size
        if len(self._single) == _TOGETHER:
            self._put_together()
        if self._waiting_rows >= GROUP_ROWS:
            self.flush()
        return None

    def _put_together(self) -> None:
        one = as_one(self._single)
        self._held += batch_bytes(one) - self._held_single
        self._waiting.append(one)
        self._single, self._held_single = [], 0

    def flush(self) -> None:
        if self._waiting_rows:
            table = pa.Table.from_batches([*self._waiting, *self._single], self._schema)
            self._waiting, self._single, self._held = [], [], 0
            self._held_single = 0
            self._writer.write_table(table, row_group_size=self._waiting_rows)
            self._waiting_rows = 0

    def _end(self) -> None:
        self._writer.close()

    def abort(self) -> None:
        self._sink.goes_nowhere = True  # a writer that is not closed writes its end when it is collected
        self._writer.close()
        super().abort()


class _Sink(io.RawIOBase):
    """A store's stream as the file that Arrow writes to. `goes_nowhere`: what comes now is not wanted."""

    def __init__(self, stream: WriteStream) -> None:
        self._stream = stream
        self.goes_nowhere = False

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._stream.size

    def write(self, data: Any, /) -> int:
        if not self.goes_nowhere:
            self._stream.write(bytes(data))
        return len(data)


def open_part(name: str, stream: WriteStream, folder: str, schema: pa.Schema) -> RowPart:
    """A part in the format of that name; a workbook is made of parts in Parquet."""
    if name == "ndjson":
        return _TextPart(stream, folder, ndjson_blocks)
    if name == "csv":
        return _TextPart(stream, folder, csv_blocks, csv_header(schema))
    return _ParquetPart(stream, folder, schema)


def part_suffix(name: str) -> str:
    """What the names of a format's parts end in."""
    return name if name in ("ndjson", "csv") else "parquet"
