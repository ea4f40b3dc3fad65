"""The stages as Beam transforms: they wire and count, other modules compute.

Elements between stages: a file's URI, as the bytes of its UTF-8 (a local name may be no text at all); blocks
of whole lines, as bytes of up to a megabyte; a FileRecord for each file; a Part for each file written.

Counters, under the namespace "chimera": list-files, read-files, failed-files, read-bytes (compressed),
raw-bytes, write-lines, write-bytes.

Beam takes the types of elements from the annotations, so they are not made strings here.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import apache_beam as beam
from apache_beam.metrics import Metrics
from apache_beam.pvalue import AsList, AsSingleton, TaggedOutput
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from pipeline.ledger import FileRecord, Part, Totals
from pipeline.parts import PartWriter
from pipeline.progress import tally
from pipeline.publish import finish_job
from pipeline.reader_pool import ReaderPool
from pipeline.reading import ReadFile, read_file
from pipeline.repartition import Cut, CutAt, Shard, locate, plan_cuts, plan_shards, write_shard
from pipeline.selection import list_matches
from pipeline.spec import JobSpec
from pipeline.target import parts_folder

RECORDS = "records"  # the tag of FileRecords beside the blocks
_LEDGER_BYTES = 256 * 1024  # records are written so many bytes at a time

_COUNTERS = {
    name: Metrics.counter("chimera", name)
    for name in (
        "list-files",
        "read-files",
        "failed-files",
        "read-bytes",
        "raw-bytes",
        "write-lines",
        "write-bytes",
    )
}


def encode_uri(uri: str) -> bytes:
    return uri.encode("utf-8", "surrogateescape")


def decode_uri(element: bytes) -> str:
    return element.decode("utf-8", "surrogateescape")


class ListGCSFiles(beam.DoFn):
    """A pattern -> the URIs of the files it matches."""

    def process(self, pattern: bytes) -> Iterator[bytes]:
        for entry in list_matches(decode_uri(pattern)):
            yield encode_uri(entry.uri)


class CountListed(beam.DoFn):
    """Counts the files of a job, each once."""

    def process(self, uri: bytes) -> Iterator[bytes]:
        _count("list-files")
        yield uri


class ReadAndDecompressGCSFile(beam.DoFn):
    """A URI -> its blocks of whole lines if the file proves good, and under RECORDS what became of it.

    Files of a bundle are read side by side; their blocks come out in whatever order they are ready.
    """

    def __init__(self, codec: str, *, keep_partial: bool) -> None:
        self._codec = codec
        self._keep_partial = keep_partial
        self._pool: ReaderPool | None = None

    def start_bundle(self) -> None:
        self.teardown()  # of a bundle that failed

    def process(self, uri: bytes) -> Iterator[Any]:
        path = decode_uri(uri)
        if self._pool is None:
            read = partial(read_file, codec=self._codec, keep_partial=self._keep_partial)
            self._pool = ReaderPool(read, remote=path.startswith("gs://"))
        for file in self._pool.add(path):
            yield from self._elements(file)

    def finish_bundle(self) -> Iterator[Any]:
        if self._pool is not None:
            for file in self._pool.drain():
                for element in self._elements(file):
                    if isinstance(element, TaggedOutput):
                        yield TaggedOutput(element.tag, _in_global_window(element.value))
                    else:
                        yield _in_global_window(element)
        self._pool = None

    def teardown(self) -> None:
        if self._pool is not None:
            self._pool.abandon()
            self._pool = None

    @staticmethod
    def _elements(file: ReadFile) -> Iterator[Any]:
        yield from file.lines.blocks()
        record = file.record
        _count("read-files" if record.status == "complete" else "failed-files")
        # The tally has these two already: reading adds them as it goes.
        _COUNTERS["read-bytes"].inc(record.size)
        _COUNTERS["raw-bytes"].inc(record.raw_bytes)
        yield TaggedOutput(RECORDS, record)


class WriteParts(beam.DoFn):
    """Blocks -> files under temporary names, and a Part for each that is complete."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._writer: PartWriter | None = None

    def start_bundle(self) -> None:
        self.teardown()  # of a bundle that failed
        self._writer = PartWriter(self._folder)

    def process(self, block: bytes) -> Iterator[Part]:
        if self._writer is not None:
            yield from self._writer.write(block)
        _count("write-bytes", len(block))
        _count("write-lines", block.count(b"\n"))

    def finish_bundle(self) -> Iterator[WindowedValue]:
        if self._writer is not None:
            yield from map(_in_global_window, self._writer.finish())
        self._writer = None

    def teardown(self) -> None:
        if self._writer is not None:
            self._writer.abort()
            self._writer = None


class WriteRecords(beam.DoFn):
    """FileRecords -> ledger files under temporary names, and a Part for each that is complete."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._lines: list[bytes] = []
        self._held = 0
        self._writer: PartWriter | None = None

    def start_bundle(self) -> None:
        self.teardown()
        self._lines, self._held = [], 0
        self._writer = PartWriter(self._folder)

    def process(self, record: FileRecord) -> Iterator[Part]:
        line = record.to_line()
        self._lines.append(line)
        self._held += len(line)
        if self._held >= _LEDGER_BYTES:
            yield from self._flush()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        if self._writer is not None:
            for part in (*self._flush(), *self._writer.finish()):
                yield _in_global_window(part)
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

    def __init__(self, shards: int, folder: str) -> None:
        super().__init__()
        self._shards = shards
        self._folder = folder

    def expand(self, parts: Any) -> Any:
        once = parts.pipeline | "Once" >> beam.Create([None])
        cuts = (
            once
            | "PlanCuts" >> beam.FlatMap(_plan_cuts, AsList(parts), self._shards)
            | "SpreadCuts" >> beam.Reshuffle()
            | "LocateCuts" >> beam.Map(locate)
        )
        return (
            once
            | "PlanShards" >> beam.FlatMap(_plan_shards, AsList(parts), AsList(cuts), self._shards)
            | "SpreadShards" >> beam.Reshuffle()
            | "WriteShards" >> beam.Map(write_shard, self._folder)
        )


class WriteOutput(beam.PTransform):
    """{listed, blocks, records} -> shards, ledger and summary.json at the target; gives the summary.

    `listed` holds the URIs of all files: what is written is reconciled with it.
    """

    def __init__(self, spec: JobSpec, patterns: Sequence[str], started_at: str) -> None:
        super().__init__()
        self._spec = spec
        self._finish = partial(_finish, spec=spec, patterns=tuple(patterns), started_at=started_at)

    def expand(self, read: Any) -> Any:
        spec = self._spec
        parts = read["blocks"] | "WriteParts" >> beam.ParDo(
            WriteParts(parts_folder(spec.target, spec.job_id, "output"))
        )
        records = read["records"]
        ledger = records | "WriteLedger" >> beam.ParDo(
            WriteRecords(parts_folder(spec.target, spec.job_id, "ledger"))
        )
        totals = records | "SumRecords" >> beam.CombineGlobally(SumTotals())
        listed = (
            read["listed"]
            | "CountListed" >> beam.ParDo(CountListed())
            | "SumListed" >> beam.combiners.Count.Globally()
        )
        if spec.shards:
            parts |= Repartition(spec.shards, parts_folder(spec.target, spec.job_id, "shards"))
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
    spec: JobSpec,
    patterns: Sequence[str],
    started_at: str,
) -> dict[str, Any]:
    return finish_job(spec, patterns, started_at, listed=listed, totals=totals, output=output, ledger=ledger)


def _plan_cuts(_: None, parts: list[Part], shards: int) -> list[Cut]:
    return plan_cuts(sorted(parts), shards)


def _plan_shards(_: None, parts: list[Part], cuts: list[CutAt], shards: int) -> list[Shard]:
    return plan_shards(sorted(parts), {cut.uri: cut.offsets for cut in cuts}, shards)


def _count(name: str, amount: int = 1) -> None:
    _COUNTERS[name].inc(amount)
    tally(name, amount)


def _in_global_window(value: Any) -> WindowedValue:
    return WindowedValue(value, GlobalWindow().max_timestamp(), [GlobalWindow()])
