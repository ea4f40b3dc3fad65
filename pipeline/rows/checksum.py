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

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.storage.checksum import Crc32c


class RowsChecksum:
    """Grows by batches of one schema. Its text is base64, as everywhere."""

    def __init__(self) -> None:
        self.rows = 0
        self._columns: list[list[Crc32c]] = []

    def update(self, batch: pa.RecordBatch) -> None:
        """Take in the next rows."""
        if not batch.num_rows:
            return
        self.rows += batch.num_rows
        for at, column in enumerate(batch.columns):
            if at == len(self._columns):
                self._columns.append([])
            of = self._columns[at]
            for number, stream in enumerate(_streams(column)):
                if number == len(of):
                    of.append(Crc32c())
                of[number].update(stream)

    def __str__(self) -> str:
        whole = Crc32c()
        for of in self._columns:
            column = Crc32c()
            for stream in of:
                column.update(str(stream).encode())
            whole.update(str(column).encode())
        return str(whole)


def _streams(array: pa.Array) -> Iterator[bytes]:
    """The streams of a column; as many for every array of a type."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = array.type
    yield _present(array)
    if pa.types.is_null(kind):
        return
    if pa.types.is_struct(kind):
        for at in range(kind.num_fields):
            yield from _streams(pc.struct_field(array, [at]))
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        yield _lengths(pc.list_value_length(array))
        yield from _streams(array.flatten())
    elif _is_varied(kind):
        yield _lengths(pc.binary_length(array))
        yield _data(array)
    else:
        yield _values(array)


def _is_varied(kind: pa.DataType) -> bool:
    large = pa.types.is_large_string(kind) or pa.types.is_large_binary(kind)
    return bool(pa.types.is_string(kind) or pa.types.is_binary(kind) or large)


def _present(array: pa.Array) -> bytes:
    if not array.null_count:
        return b"\1" * len(array)
    return _bytes_of(array.is_valid().cast(pa.uint8()))


def _lengths(lengths: pa.Array) -> bytes:
    filled = lengths.cast(pa.int64())
    return _bytes_of(filled.fill_null(0) if filled.null_count else filled)


def _data(array: pa.Array) -> bytes:
    """Texts end to end, without what a null may hide."""
    whole = array.drop_null() if array.null_count else array
    if not len(whole):
        return b""
    wide = pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type)
    width = np.int64 if wide else np.int32
    _, offsets, data = whole.buffers()
    ends = np.frombuffer(offsets, width, len(whole) + 1, whole.offset * np.dtype(width).itemsize)
    return data[int(ends[0]) : int(ends[-1])].to_pybytes() if data is not None else b""


def _values(array: pa.Array) -> bytes:
    if pa.types.is_boolean(array.type):
        filled = array.fill_null(False) if array.null_count else array
        return _bytes_of(filled.cast(pa.uint8()))
    width = array.type.bit_width // 8
    found: Any = np.frombuffer(array.buffers()[1], np.uint8, len(array) * width, array.offset * width)
    if array.null_count:
        present = np.frombuffer(_present(array), np.uint8)
        found = found.reshape(len(array), width) * present[:, None]
    return bytes(found.tobytes())


def _bytes_of(array: pa.Array) -> bytes:
    width = array.type.bit_width // 8
    return bytes(array.buffers()[1][array.offset * width : (array.offset + len(array)) * width].to_pybytes())
