"""WriteRows, in place of WriteParts where a view is asked for: it wires and counts, other modules compute.

Beam takes the types of elements from the annotations, so they are not made strings here.
"""

from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import TaggedOutput
from apache_beam.utils.windowed_value import WindowedValue

from pipeline.graph.bundle_end import in_global_window
from pipeline.graph.counters import count
from pipeline.graph.elements import RECORDS
from pipeline.ledger import FileRecord, Part
from pipeline.spec import JobSpec
from pipeline.storage import Store
from pipeline.target.layout import parts_folder
from pipeline.write.groups import GroupIndex
from pipeline.write.parts_in_order import PartsInOrder
from pipeline.write.rows.row_parts import RowWriter
from pipeline.write.rows.workbook import write_workbook


class WriteRows(beam.DoFn):
    """Files' batches of rows, each file's with its record behind them -> a Part for each temporary file.

    Under RECORDS the records come on, with the places of their rows.
    """

    def __init__(self, store: Store, spec: JobSpec, schema: pa.Schema, partition_by: tuple[str, ...]) -> None:
        self._store, self._schema = store, schema
        self._folder = parts_folder(spec.target, spec.job_id, "output")
        self._form, self._owner, self._partition_by = spec.format, spec.job_id, partition_by
        self._writer: RowWriter | None = None

    def start_bundle(self) -> None:
        self.teardown()  # of a bundle that failed
        self._writer = RowWriter(
            self._store,
            self._folder,
            self._schema,
            self._form,
            owner=self._owner,
            partition_by=self._partition_by,
        )

    def process(self, element: pa.RecordBatch | FileRecord) -> Iterator[Any]:
        if self._writer is None:
            return
        if isinstance(element, FileRecord):
            yield TaggedOutput(RECORDS, self._writer.end_file(element))
        else:
            self._writer.write(element)
            count("write-lines", element.num_rows)
        yield from self._counted(self._writer.take())

    def finish_bundle(self) -> Iterator[WindowedValue]:
        if self._writer is not None:
            yield from map(in_global_window, self._counted(self._writer.finish()))
        self._writer = None

    def teardown(self) -> None:
        if self._writer is not None:
            self._writer.abort()
            self._writer = None

    @staticmethod
    def _counted(parts: Iterator[Part]) -> Iterator[Part]:
        for part in parts:
            count("write-bytes", part.size)
            yield part


class WriteWorkbook(beam.DoFn):
    """Nothing, beside the indexes of all parts -> the Part that is the workbook of them, if they have rows."""

    def __init__(self, store: Store, spec: JobSpec, schema: pa.Schema) -> None:
        self._store, self._schema, self._owner = store, schema, spec.job_id
        self._of, self._folder = (
            parts_folder(spec.target, spec.job_id, kind) for kind in ("output", "workbook")
        )

    def process(self, _: None, indexes: list[GroupIndex]) -> Iterator[Part]:
        parts = PartsInOrder(indexes, self._of)
        yield from write_workbook(self._store, parts, self._schema, self._folder, self._owner)
