"""The last stage, WriteOutput: it wires and counts, other modules compute.

Beam takes the types of elements from the annotations, so they are not made strings here.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsList, AsSingleton
from apache_beam.utils.windowed_value import WindowedValue

from pipeline.counters import count
from pipeline.layout import parts_folder
from pipeline.ledger import FileRecord, Part, Totals
from pipeline.parts import PartWriter
from pipeline.publish import PATTERNS_SHOWN, finish_job
from pipeline.repartition import Cut, CutAt, Shard, locate, plan_cuts, plan_shards, write_shard
from pipeline.spec import JobSpec
from pipeline.storage import Store
from pipeline.transforms import in_global_window

_LEDGER_BYTES = 256 * 1024  # records are written so many bytes at a time


class CountListed(beam.DoFn):
    """Counts the files of a job, each once."""

    def process(self, uri: bytes) -> Iterator[bytes]:
        count("list-files")
        yield uri


class WriteParts(beam.DoFn):
    """Blocks -> files under temporary names, and a Part for each that is complete."""

    def __init__(self, store: Store, folder: str, owner: str) -> None:
        self._store = store
        self._folder = folder
        self._owner = owner
        self._writer: PartWriter | None = None

    def start_bundle(self) -> None:
        self.teardown()  # of a bundle that failed
        self._writer = PartWriter(self._store, self._folder, owner=self._owner)

    def process(self, block: bytes) -> Iterator[Part]:
        if self._writer is not None:
            yield from self._writer.write(block)
        count("write-bytes", len(block))
        count("write-lines", block.count(b"\n"))

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


class Repartition(beam.PTransform):
    """Parts -> as many Parts as shards are wanted, of the same lines."""

    def __init__(self, store: Store, spec: JobSpec, shards: int) -> None:
        super().__init__()
        self._shards = shards
        folder = parts_folder(spec.target, spec.job_id, "shards")
        self._locate = partial(locate, store)
        self._write = partial(write_shard, store, folder=folder, owner=spec.job_id)

    def expand(self, parts: Any) -> Any:
        once = parts.pipeline | "Once" >> beam.Create([None])
        cuts = (
            once
            | "PlanCuts" >> beam.FlatMap(_plan_cuts, AsList(parts), self._shards)
            | "SpreadCuts" >> beam.Reshuffle()
            | "LocateCuts" >> beam.Map(self._locate)
        )
        return (
            once
            | "PlanShards" >> beam.FlatMap(_plan_shards, AsList(parts), AsList(cuts), self._shards)
            | "SpreadShards" >> beam.Reshuffle()
            | "WriteShards" >> beam.Map(self._write)
        )


class WriteOutput(beam.PTransform):
    """{listed, blocks, records} -> shards, ledger and summary.json at the target; gives the summary.

    `listed` holds the URIs of all files: what is written is reconciled with it.
    """

    def __init__(self, store: Store, spec: JobSpec, patterns: Sequence[str], started_at: str) -> None:
        super().__init__()
        self._store = store
        self._spec = spec
        # Not all of them: the graph has to fit a request.
        shown = [*patterns[:PATTERNS_SHOWN]]
        about = {"startedAt": started_at, "patterns": shown, "patternsTotal": len(patterns)}
        self._finish = partial(_finish, store=store, spec=spec, about=about)

    def expand(self, read: Any) -> Any:
        store, spec = self._store, self._spec
        parts = read["blocks"] | "WriteParts" >> beam.ParDo(
            WriteParts(store, parts_folder(spec.target, spec.job_id, "output"), spec.job_id)
        )
        records = read["records"]
        ledger = records | "WriteLedger" >> beam.ParDo(
            WriteRecords(store, parts_folder(spec.target, spec.job_id, "ledger"), spec.job_id)
        )
        totals = records | "SumRecords" >> beam.CombineGlobally(SumTotals())
        listed = (
            read["listed"]
            | "CountListed" >> beam.ParDo(CountListed())
            | "SumListed" >> beam.combiners.Count.Globally()
        )
        if spec.shards:
            parts |= Repartition(store, spec, spec.shards)
        return (
            records.pipeline
            | "Once" >> beam.Create([None])
            | "Publish"
            >> beam.Map(self._finish, AsSingleton(listed), AsSingleton(totals), AsList(parts), AsList(ledger))
        )


def _finish(
    _: None,
    listed: int,
    totals: Totals,
    output: list[Part],
    ledger: list[Part],
    *,
    store: Store,
    spec: JobSpec,
    about: dict[str, Any],
) -> dict[str, Any]:
    return finish_job(store, spec, about, listed=listed, totals=totals, output=output, ledger=ledger)


def _plan_cuts(_: None, parts: list[Part], shards: int) -> list[Cut]:
    return plan_cuts(sorted(parts), shards)


def _plan_shards(_: None, parts: list[Part], cuts: list[CutAt], shards: int) -> list[Shard]:
    return plan_shards(sorted(parts), {cut.uri: cut.offsets for cut in cuts}, shards)
