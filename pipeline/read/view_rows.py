"""A file's raw bytes -> the rows of a view: each batch is of its schema, sorted as it says, and each fault is named.

Rows of a view that sorts are sorted in runs of RUN_ROWS, counted from the file's first row: so memory does not grow
with the file, and the order is the same whenever it is read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pyarrow as pa

from pipeline.errors import BadFileError, ChimeraError, StorageError, StoreUnavailableError
from pipeline.read.lines import whole_lines
from pipeline.rows.memory import runs_of
from pipeline.sources.view import View

RUN_ROWS = (
    131_072  # measured: half of a row group at the most, so that Parquet's groups have 128 to 256 thousand
)
_FEW_ROWS = 64
_COMPARED = (pa.string(), pa.int32(), pa.int64(), pa.float64())  # in Python as in Arrow; a nan is in no order
_LINE_END = ord("\n")
_SHOWN = 5  # bad lines that are named


@dataclass
class LookedAt:
    """The file as its view sees it, and what the view said of it; `number` and `reason` of the first bad lines."""

    uri: str
    max_bad_lines: int = 0
    bad_lines: int = 0
    notes: dict[str, None] = field(default_factory=dict)
    _named: list[str] = field(default_factory=list)

    def bad_line(self, number: int, reason: str) -> None:
        """See `ViewedFile`."""
        self.bad_lines += 1
        if len(self._named) < _SHOWN:
            self._named.append(f"line {number:,} ({reason})")
        if self.bad_lines > self.max_bad_lines:
            raise BadFileError(
                f"holds {'a line' if self.bad_lines == 1 else f'{self.bad_lines:,} lines or more'} that "
                f"{'does' if self.bad_lines == 1 else 'do'} not decode: {', '.join(self._named)}; to pass over "
                f"some, allow more with max-bad-lines ({self.max_bad_lines:,} now)",
                of_the_file=True,
            )

    def note(self, text: str) -> None:
        """See `ViewedFile`."""
        self.notes[text] = None

    def told(self) -> list[str]:
        """The notes of the file's record."""
        if not self.bad_lines:
            return list(self.notes)
        more = f" and {self.bad_lines - len(self._named):,} more" if self.bad_lines > len(self._named) else ""
        lines = "1 line does" if self.bad_lines == 1 else f"{self.bad_lines:,} lines do"
        return [f"{lines} not decode: {', '.join(self._named)}{more}", *self.notes]


def view_rows(
    view: View,
    chunks: Iterable[bytes],
    file: LookedAt,
    *,
    keep_partial: bool = False,
    in_order: bool = True,
) -> Iterator[pa.RecordBatch]:
    """The rows that a view makes of a file's raw bytes, as they are written, or as it makes them if not `in_order`.

    Raises BadFileError for a file that the view refuses, and for what the view itself does wrong, with the lines at
    which it did; an error of `chunks` passes through. With `keep_partial` the view has its end at such a fault, which
    is raised behind the rows.
    """
    lines = _Lines(chunks, keep_partial=keep_partial)
    rows = _checked(view, lines, file)
    if view.sorted_by and in_order:
        rows = (_sorted(run, view) for run in runs_of(rows, RUN_ROWS))
    yield from rows
    for _ in lines:  # what a view leaves unread has to prove good as well
        pass
    if lines.fault is not None:
        raise lines.fault


class _Lines:
    """Blocks of whole lines, counted as they are taken."""

    def __init__(self, chunks: Iterable[bytes], *, keep_partial: bool) -> None:
        self.fault: BadFileError | StorageError | None = None
        self.before = self.taken = 0  # lines up to the last block, and with it
        self._blocks = self._counted(chunks, keep_partial=keep_partial)

    def __iter__(self) -> Iterator[bytes]:
        return self._blocks

    def _counted(self, chunks: Iterable[bytes], *, keep_partial: bool) -> Iterator[bytes]:
        try:
            for block in whole_lines(chunks):
                self.before = self.taken
                # By numpy it takes a quarter of the time of bytes.count.
                self.taken += int(np.count_nonzero(np.frombuffer(block, np.uint8) == _LINE_END))
                yield block
        except StoreUnavailableError:
            raise
        except (BadFileError, StorageError) as e:
            if not keep_partial:
                raise
            self.fault = e


def _checked(view: View, lines: _Lines, file: LookedAt) -> Iterator[pa.RecordBatch]:
    try:
        for batch in view.rows(iter(lines), file):
            _check_schema(batch, view)
            if batch.num_rows:
                yield batch
    except (ChimeraError, MemoryError):
        raise
    except Exception as e:  # a third party's code may raise anything
        where = f"lines {lines.before + 1:,} to {lines.taken:,}" if lines.taken else "its beginning"
        raise BadFileError(f"view {view.name} failed at {where} ({type(e).__name__}: {e})") from e


def _check_schema(batch: object, view: View) -> None:
    if isinstance(batch, pa.RecordBatch) and batch.schema.equals(view.schema):
        return
    found = batch.schema.to_string() if isinstance(batch, pa.RecordBatch) else type(batch).__name__
    raise BadFileError(
        f"view {view.name} gave rows that are not of its schema ({' '.join(found.split())}): a fault of its source's "
        "package"
    )


def _sorted(batches: list[pa.RecordBatch], view: View) -> pa.RecordBatch:
    """One batch of these; equal rows keep their order."""
    if len(batches) == 1 and _is_sorted(batches[0], view):
        return batches[0]
    table = pa.Table.from_batches(batches, view.schema).combine_chunks()
    table = table.sort_by([(name, "ascending") for name in view.sorted_by])
    (batch,) = table.combine_chunks().to_batches()
    return batch


def _is_sorted(batch: pa.RecordBatch, view: View) -> bool:
    """Whether few rows are seen to be in order: to sort them costs as much as to make them."""
    if batch.num_rows > _FEW_ROWS:
        return False
    columns = [batch.column(name) for name in view.sorted_by]
    if any(column.null_count or column.type not in _COMPARED for column in columns):
        return False
    keys = zip(*[column.to_pylist() for column in columns], strict=True)
    return all(one <= other for one, other in pairwise(keys))
