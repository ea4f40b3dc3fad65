"""What rows that wait take of memory, and batches of another size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

_FEW_BYTES = 16 << 10
_COLUMN_BYTES = 1024  # measured: 900 of a column's objects and buffers, however few its rows


def batch_bytes(batch: pa.RecordBatch) -> int:
    """About what a batch takes: of a batch of few rows most is not its values."""
    size = batch.get_total_buffer_size()
    if size > _FEW_BYTES:  # it may be a slice of more; what is its own takes forty times as long to find
        size = batch.nbytes
    return int(size) + _COLUMN_BYTES * batch.num_columns


def as_one(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """The rows of batches of one schema, of which there are some, as one batch."""
    if len(batches) == 1:
        return batches[0]
    (batch,) = pa.Table.from_batches(batches).combine_chunks().to_batches()
    return batch


def runs_of(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[list[pa.RecordBatch]]:
    """The batches cut and put together, so that each run of them has so many rows, and the last one what is left."""
    run: list[pa.RecordBatch] = []
    lacking = rows
    for batch in batches:
        at = 0
        while at < batch.num_rows:
            run.append(piece := batch.slice(at, lacking))
            at, lacking = at + piece.num_rows, lacking - piece.num_rows
            if not lacking:
                yield run
                run, lacking = [], rows
    if run:
        yield run
