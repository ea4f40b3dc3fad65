"""What rows that wait take of memory, and many small batches as one."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

_COLUMN_BYTES = 1024  # measured: 900 of a column's objects and buffers, however few its rows


def batch_bytes(batch: pa.RecordBatch) -> int:
    """About what a batch takes: of a batch of few rows most is not its values."""
    return int(batch.nbytes) + _COLUMN_BYTES * batch.num_columns


def as_one(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """The rows of batches of one schema, of which there are some, as one batch."""
    if len(batches) == 1:
        return batches[0]
    (batch,) = pa.Table.from_batches(batches).combine_chunks().to_batches()
    return batch
