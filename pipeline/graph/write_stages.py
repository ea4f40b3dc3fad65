"""The last stage, WriteOutput: it wires and counts, other modules compute.

Beam takes the types of elements from the annotations, so they are not made strings here.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import apache_beam as beam
from apache_beam.pvalue import AsList, TaggedOutput
from apache_beam.utils.windowed_value import WindowedValue

from pipeline.graph.bundle_end import in_global_window
from pipeline.graph.count_stages import CountFiles
from pipeline.graph.counters import count
from pipeline.graph.elements import RECORDS
from pipeline.graph.publish_stages import GroupParts, PlaceRecords, Publish
from pipeline.graph.shard_stages import Repartition, places_in_workbook, places_of_shards
from pipeline.ledger import FileRecord, Part, Totals
from pipeline.sources.views import partition_columns
from pipeline.spec import JobSpec
from pipeline.storage import Store
from pipeline.target.layout import parts_folder
from pipeline.write.line_offsets import PartNumbers
from pipeline.write.parts import FileWriter, PartWriter
from pipeline.write.publish import PATTERNS_SHOWN

if TYPE_CHECKING:
    from pipeline.sources.view import View

_LEDGER_BYTES = 256 * 1024  # records are written so many bytes at a time


class WriteParts(beam.DoFn):
    """Files' blocks, each file's with its record behind them -> a Part for each temporary file that is complete.

    Under RECORDS the records come on, with the place of their lines.
    """

    def __init__(self, store: Store, folder: str, job_id: str) -> None:
        self._store = store
        self._folder = folder
        self._job_id = job_id
        self._writer: FileWriter | None = None

    def start_bundle(self) -> None:
        self.teardown()  # of a bundle that failed
        self._writer = FileWriter(PartWriter(self._store, self._folder, owner=self._job_id), self._job_id)

    def process(self, element: bytes | FileRecord) -> Iterator[Any]:
        if self._writer is None:
            return
        if isinstance(element, FileRecord):
            record, parts = self._writer.end_file(element)
            yield TaggedOutput(RECORDS, record)
            yield from parts
            return
        yield from self._writer.write(element)
        count("write-bytes", len(element))
        count("write-lines", element.count(b"\n"))

    def finish_bundle(self) -> Iterator[WindowedValue]:
        if self._writer is not None:
            yield from map(in_global_window, self._writer.finish())
        self._writer = None

    def teardown(self) -> None:
        if self._writer is not None:
            self._writer.abort()
            self._writer = None


class WriteRecords(beam.DoFn):
    """FileRecords -> ledger files under temporary names, and a Part for each that is complete."""

    def __init__(self, store: Store, folder: str, owner: str) -> None:
        self._store = store
        self._folder = folder
        self._owner = owner
        self._lines: list[bytes] = []
        self._held = 0
        self._writer: PartWriter | None = None

    def start_bundle(self) -> None:
        self.teardown()
        self._lines, self._held = [], 0
        self._writer = PartWriter(self._store, self._folder, owner=self._owner)

    def process(self, record: FileRecord) -> Iterator[Part]:
        line = record.to_line()
        self._lines.append(line)
        self._held += len(line)
        if self._held >= _LEDGER_BYTES:
            yield from self._flush()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        if self._writer is not None:
            for part in (*self._flush(), *self._writer.finish()):
                yield in_global_window(part)
        self._writer = None

    def teardown(self) -> None:
        if self._writer is not None:
            self._writer.abort()
            self._writer = None

    def _flush(self) -> list[Part]:
        lines, self._lines, self._held = self._lines, [], 0
        return list(self._writer.write(b"".join(lines))) if self._writer is not None and lines else []


class SumTotals(beam.CombineFn):
    """FileRecords -> their Totals."""

    def create_accumulator(self) -> Totals:
        return Totals()

    def add_input(self, totals: Totals, record: FileRecord) -> Totals:
        return totals.add(record)

    def merge_accumulators(self, several: Iterable[Totals]) -> Totals:
        merged = Totals()
        for totals in several:
            merged = merged.merge(totals)
        return merged

    def extract_output(self, totals: Totals) -> Totals:
        return totals


class MergeTotals(SumTotals):
    """Totals -> their sum."""

    def add_input(self, totals: Totals, more: Any) -> Totals:
        return totals.merge(more)


class WriteRecordsAndSum(beam.PTransform):
    """FileRecords by where they come from -> {ledgers, totals}: Parts of ledger files; and the one sum of all.

    Each kind is written where it comes from, and only Parts and sums go on: a runner on one machine holds in memory
    what waits between two stages, of a record some 3 kB.
    """

    def __init__(self, store: Store, spec: JobSpec) -> None:
        super().__init__()
        self._write = WriteRecords(store, parts_folder(spec.target, spec.job_id, "records"), spec.job_id)

    def expand(self, records: Any) -> Any:
        ledgers = [some | f"WriteLedger {kind}" >> beam.ParDo(self._write) for kind, some in records.items()]
        sums = [
            some | f"Sum {kind}" >> beam.CombineGlobally(SumTotals()).without_defaults()
            for kind, some in records.items()
        ]
        totals = sums | "AllSums" >> beam.Flatten() | "SumAll" >> beam.CombineGlobally(MergeTotals())
        return {"ledgers": ledgers | "AllLedgers" >> beam.Flatten(), "totals": totals}


class WriteOutput(beam.PTransform):
    """{listed, found, archives, read, skipped, large, large_parts, unmatched} -> shards, ledger and summary.json.

    It gives the summary. `listed` holds all files with their sizes, with which what is written is reconciled; `read`
    the blocks, or with a view the batches of rows, and the records of those that were read; `skipped` the records of
    the others, where there can be any; `large` those of files that were taken apart, and `large_parts` what was written
    of them, where that is done; `unmatched` one Unmatched.
    """

    def __init__(
        self,
        store: Store,
        spec: JobSpec,
        patterns: Sequence[str],
        started_at: str,
        view: "View | None" = None,
    ) -> None:
        super().__init__()
        self._store = store
        self._spec = spec
        self._view = view
        shown = [*patterns[:PATTERNS_SHOWN]]  # not all of them: the graph has to fit a request
        about = {"startedAt": started_at, "patterns": shown, "patternsTotal": len(patterns)}
        if view:
            from pipeline.rows.schema import (
                schema_to_json,  # with Arrow, as all of a view is: lines do without
            )

            about |= schema_to_json(view.schema)
        self._about = about

    def expand(self, given: Any) -> Any:
        store, spec = self._store, self._spec
        folder = partial(parts_folder, spec.target, spec.job_id)
        view, label = self._view, "WriteParts"
        write: Any = WriteParts(store, folder("output"), spec.job_id)
        if view:
            from pipeline.graph.row_stages import WriteRows, WriteWorkbook

            label, write = "WriteRows", WriteRows(store, spec, view.schema, partition_columns(spec))
        written = given["read"] | label >> beam.ParDo(write).with_outputs(RECORDS, main="parts")
        records, parts = written[RECORDS], written["parts"]
        kinds = {name: given[name] for name in ("archives", "skipped", "large") if name in given}
        told = {"read": records, **kinds} | "Records" >> WriteRecordsAndSum(store, spec)
        if "large_parts" in given:
            parts = (parts, given["large_parts"]) | "AllParts" >> beam.Flatten()
        once = parts.pipeline | "Once" >> beam.Create([None])
        kind, output = "output", parts | "GroupParts" >> GroupParts(spec, "output")
        places: Any = PartNumbers
        layout = output["indexes"]
        if spec.shards:
            shards = output["indexes"] | Repartition(store, spec, spec.shards)
            places, layout = partial(places_of_shards, folder("output")), shards["layout"]
            kind, output = "shards", shards["written"] | "GroupShards" >> GroupParts(spec, "shards")
        elif view and spec.format == "xlsx":
            places = partial(places_in_workbook, folder("output"))
            book = WriteWorkbook(store, spec, view.schema)
            written_book = once | "WriteWorkbook" >> beam.ParDo(book, AsList(layout))
            kind, output = "workbook", written_book | "GroupBooks" >> GroupParts(spec, "workbook")
        ledger = told["ledgers"] | "PlaceRecords" >> beam.ParDo(
            PlaceRecords(store, spec, places), AsList(layout)
        )
        results = {
            "output": output,
            "ledger": ledger | "GroupLedger" >> GroupParts(spec, "ledger"),
            "records": told["ledgers"],
            "listed": given | "CountFiles" >> CountFiles(store),
            "totals": told["totals"],
            "unmatched": given["unmatched"],
            **({"inventory": given["inventory"]} if "inventory" in given else {}),
        }
        return results | "End" >> Publish(store, spec, self._about, kind)
