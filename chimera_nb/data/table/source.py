"""Where a table's records come from: what is in memory, or the output of a job, as a stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chimera_nb.data.output_lines import check_numbers, output_blocks, output_shards_of
from chimera_nb.data.records import RecordReader, Row, collector_paused
from pipeline.errors import RefusedError
from pipeline.storage import Store
from pipeline.target.lifecycle import read_summary
from pipeline.target.results import check_summary_of

_LINES_AT_ONCE = 2000
_DIGITS = 15  # decimal ones, that a float has


class Source(Protocol):
    """Records in their order.

    Attributes: total (how many, None where it is not known), columns (all that rows have, where that is known without
    reading them), size (bytes that are read for all of them).
    """

    @property
    def total(self) -> int | None: ...

    @property
    def columns(self) -> tuple[str, ...]: ...

    @property
    def size(self) -> int: ...

    def batches(self) -> Iterator[Sequence[Row]]:
        """All records, from the first on. Raises StorageError and RefusedError."""


@dataclass(frozen=True)
class HeldRecords:
    """Records in memory; `total` is None where they are only the first."""

    records: Sequence[Row]
    total: int | None = None
    columns: tuple[str, ...] = ()
    size: int = 0

    def batches(self) -> Iterator[Sequence[Row]]:
        yield self.records


class OutputRecords:
    """The output of a job: its records, or with a view its rows, with times as texts.

    Raises RefusedError where the target holds no output, that of another job, or a workbook, and StorageError.
    """

    def __init__(self, store: Store, target: str, job_id: str) -> None:
        summary = read_summary(store, target)
        if summary is None:
            raise RefusedError(f"{target} holds no complete output any more; run the job again")
        check_summary_of(summary, target, job_id)
        check_numbers(summary, target)
        self._store, self._target, self._summary = store, target, summary
        self._rows = _rows_of_view(store, target, summary)
        self.total: int | None = summary["lines"]
        self.size: int = summary["outputBytes"]
        self.columns = _plain_columns(self._rows)

    def batches(self) -> Iterator[Sequence[Row]]:
        for lines in self._lines():
            for begin in range(0, len(lines), _LINES_AT_ONCE):
                with collector_paused():
                    rows = RecordReader().read(lines[begin : begin + _LINES_AT_ONCE])
                yield rows

    def _lines(self) -> Iterator[list[bytes]]:
        if self._rows is not None:
            from pipeline.rows.text import ndjson_blocks

            for batch in self._rows.batches():
                for block in ndjson_blocks(_with_numbers(batch)):
                    yield block.splitlines()
            return
        if not self.total:
            return
        shards = output_shards_of(self._store, self._target, self._summary)
        for block in output_blocks(self._store, shards, self.total, self._target):
            yield block[:-1].split(b"\n")


def _rows_of_view(store: Store, target: str, summary: Mapping[str, Any]) -> Any:
    """The rows of a view (a RowOutput); None for lines."""
    if summary.get("view") is None:
        return None
    if summary.get("format") == "xlsx":
        raise RefusedError("the output is a workbook, which a spreadsheet opens: see its file below")
    from chimera_nb.data.row_output import RowOutput

    return RowOutput(store, target, summary)


def _with_numbers(batch: Any) -> Any:
    """The rows with decimals as the numbers that they are, where a float has all of their digits."""
    import pyarrow as pa

    fields = [
        field.with_type(pa.float64())
        if pa.types.is_decimal(field.type) and field.type.precision <= _DIGITS
        else field
        for field in batch.schema
    ]
    return batch.cast(pa.schema(fields))


def _plain_columns(rows: Any) -> tuple[str, ...]:
    """The columns of a view; none where one of them is nested, of which each row tells what is in it."""
    if rows is None:
        return ()
    from pyarrow import types

    nested = rows.rows and any(types.is_nested(field.type) for field in rows.schema)
    return () if nested else tuple(rows.schema.names)
