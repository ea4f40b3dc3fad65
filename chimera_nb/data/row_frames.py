"""The rows that a job with a view wrote, as DataFrames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd
import pyarrow as pa

from chimera_nb.data.arrow_frames import frame_of_rows
from chimera_nb.data.query import Where, wants
from chimera_nb.data.row_output import JoinedRows
from chimera_nb.machine.memory import available_memory
from pipeline.errors import RefusedError, UnknownNameError
from pipeline.rows.memory import runs_of

FRAME_RATIO = 2  # bytes of a frame to one of Arrow's, at most, while it is made


def read_rows(
    output: JoinedRows,
    columns: Sequence[str] | None,
    where: Where | None,
    batch_rows: int | None,
    share: float,
) -> pd.DataFrame | Iterator[pd.DataFrame]:
    """What `read_output` gives for rows of a view; `share` of the memory that is available may be taken.

    Raises RefusedError where that is too little.
    """
    batches = _chosen(output, columns, where)
    if batch_rows is not None:
        return (frame_of_rows(pa.Table.from_batches(run)) for run in runs_of(batches, batch_rows))
    room = available_memory() * share
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        held.append(batch)
        size += batch.nbytes
        if size * FRAME_RATIO > room:
            raise RefusedError(
                f"a frame of what was asked for would take more than {share:.0%} of the memory that is available: "
                f"{size / 1e9:,.1f} GB of rows so far; read it in batches (batch_rows=100_000), or less of it "
                "(columns=[...], where={...})"
            )
    names = output.schema.names if columns is None else list(columns)
    schema = pa.schema([output.schema.field(name) for name in names])
    return frame_of_rows(pa.Table.from_batches(held, schema))


def _chosen(
    output: JoinedRows, columns: Sequence[str] | None, where: Where | None
) -> Iterator[pa.RecordBatch]:
    if where is None:
        return output.batches(columns)
    asked = None if callable(where) else list(where)
    wanted = None
    if columns is not None and asked is not None:
        wanted = list(dict.fromkeys([*columns, *asked]))
    return _filtered(output.batches(wanted), columns, asked, where)


def _filtered(
    batches: Iterator[pa.RecordBatch], columns: Sequence[str] | None, asked: list[str] | None, where: Where
) -> Iterator[pa.RecordBatch]:
    says_yes = wants(where)
    for batch in batches:
        if asked is not None:
            for name in asked:
                if name not in batch.schema.names:
                    raise UnknownNameError("column", name, batch.schema.names)
        looked_at = batch if asked is None else batch.select(asked)
        kept = batch.filter(pa.array([bool(says_yes(row)) for row in looked_at.to_pylist()], pa.bool_()))
        yield kept if columns is None else kept.select(list(columns))
