"""The CRC-32C of rows: of what they hold, whatever batches they came in and however a file packs them.

It is that of one text, the checksums of the columns in the order of the schema, each as base64 of four bytes. A
column's is that of its streams one after another, each stream by its own checksum as well:

    present  a byte a row: 1 where there is a value, 0 where it is null
    then     numbers, true and false, times and decimals: the values as Arrow has them, little-endian, null as zeros
             (true and false in a byte each)
             texts and bytes: the length of each in eight bytes (null: 0), then all of them end to end
             lists: the number of entries of each in eight bytes (null: 0), then the streams of the entries
             structs: the streams of each field
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from google_crc32c import extend
from numpy.typing import NDArray

from pipeline.storage.checksum import as_base64

Array = NDArray[Any]
_WIDTHS: dict[int, Any] = {  # of the offsets of texts and bytes
    pa.lib.Type_STRING: np.int32,
    pa.lib.Type_BINARY: np.int32,
    pa.lib.Type_LARGE_STRING: np.int64,
    pa.lib.Type_LARGE_BINARY: np.int64,
}


class RowsChecksum:
    """Grows by batches of one schema. Its text is base64, as everywhere."""

    def __init__(self) -> None:
        self.rows = 0
        self._columns: list[list[int]] = []  # the checksum of each stream

    def update(self, batch: pa.RecordBatch) -> None:
        """Take in the next rows."""
        if not batch.num_rows:
            return
        self.rows += batch.num_rows
        for at, column in enumerate(batch.columns):
            streams = _streams(column)
            if at == len(self._columns):
                self._columns.append([0] * len(streams))
            self._columns[at] = list(map(extend, self._columns[at], streams))

    def __str__(self) -> str:
        columns = (as_base64(extend(0, b"".join(map(as_base64, of)))) for of in self._columns)
        return as_base64(extend(0, b"".join(columns))).decode("ascii")


def _streams(array: pa.Array) -> list[bytes]:
    """The streams of a column; as many for every array of a type."""
    kind = array.type
    if kind.id == pa.lib.Type_DICTIONARY:
        array = array.dictionary_decode()
        kind = array.type
    rows, nulls = len(array), array.null_count
    if kind.id == pa.lib.Type_NA:
        return [b"\0" * rows]
    present = _bits(array, 0) if 0 < nulls < rows else None
    streams = [(b"\0" if nulls else b"\1") * rows if present is None else present.tobytes()]
    if kind.id in _WIDTHS:
        return streams + (_texts(array, present) if nulls < rows else [b"\0" * 8 * rows, b""])
    if kind.id == pa.lib.Type_STRUCT:
        for at in range(kind.num_fields):
            streams += _streams(pc.struct_field(array, [at]))
    elif kind.id in (pa.lib.Type_LIST, pa.lib.Type_LARGE_LIST):
        lengths = pc.list_value_length(array).cast(pa.int64())
        filled = lengths.fill_null(0) if lengths.null_count else lengths
        streams.append(filled.buffers()[1][filled.offset * 8 : (filled.offset + rows) * 8].to_pybytes())
        streams += _streams(array.flatten())
    else:
        streams.append(_values(array, present))
    return streams


def _bits(array: pa.Array, buffer: int) -> Array:
    """One of its buffers that has a bit a row, as a byte a row."""
    begin = array.offset // 8
    skipped = array.offset - begin * 8
    held = np.frombuffer(array.buffers()[buffer], np.uint8, (skipped + len(array) + 7) // 8, begin)
    return np.unpackbits(held, count=skipped + len(array), bitorder="little")[skipped:]


def _texts(array: pa.Array, present: Array | None) -> list[bytes]:
    """The lengths, and the texts end to end, without what a null may hide."""
    width = _WIDTHS[array.type.id]
    if not len(array):
        return [b"", b""]
    _, offsets, data = array.buffers()
    ends = np.frombuffer(offsets, width, len(array) + 1, array.offset * np.dtype(width).itemsize)
    lengths = np.diff(ends).astype(np.int64)
    if present is not None and lengths[present == 0].any():
        return [(lengths * present).tobytes(), _texts(array.drop_null(), None)[1]]
    begin, end = int(ends[0]), int(ends[-1])
    return [lengths.tobytes(), data[begin:end].to_pybytes() if end > begin else b""]


def _values(array: pa.Array, present: Array | None) -> bytes:
    """The values as they are, those of nulls as zeros; `present` where there are both."""
    nulls, rows = array.null_count, len(array)
    if array.type.id == pa.lib.Type_BOOL:
        bits = b"\0" * rows if nulls == rows else _bits(array, 1)
        return bytes(bits if present is None else bits & present)
    width = array.type.bit_width // 8
    if nulls == rows:
        return b"\0" * (rows * width)
    values = array.buffers()[1][array.offset * width : (array.offset + rows) * width]
    if present is None:
        return bytes(values.to_pybytes())
    return bytes((np.frombuffer(values, np.uint8).reshape(rows, width) * present[:, None]).tobytes())
