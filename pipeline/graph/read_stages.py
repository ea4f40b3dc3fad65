"""The stages up to ReadAndDecompress as Beam transforms: they wire and count, other modules compute.

Elements between stages: a file's URI, as the bytes of its UTF-8 (a local name may be no text at all); blocks
of whole lines, as bytes of up to a megabyte, and a FileRecord behind those of its file; a Part for each file written.

Beam takes the types of elements from the annotations, so they are not made strings here.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from pipeline.graph.counters import count, count_only
from pipeline.inputs.manifest import read_list
from pipeline.inputs.selection import check_outside, list_matches, literal_uri
from pipeline.read.file import ReadFile, ReadOptions, read_file
from pipeline.read.pool import ReaderPool
from pipeline.spec import JobSpec
from pipeline.storage import Store
from pipeline.target.layout import patterns_uri

_PATTERNS_IN_GRAPH = 1000


def encode_uri(uri: str) -> bytes:
    return uri.encode("utf-8", "surrogateescape")


def decode_uri(element: bytes) -> str:
    return element.decode("utf-8", "surrogateescape")


class ReadPatterns(beam.DoFn):
    """The URI of a list of patterns -> the patterns."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def process(self, uri: bytes) -> Iterator[bytes]:
        yield from map(encode_uri, read_list(self._store, decode_uri(uri)))


class CreatePatterns(beam.PTransform):
    """The job's patterns: from the graph if they are few, else from the list at the target."""

    def __init__(self, store: Store, spec: JobSpec, patterns: Sequence[str]) -> None:
        super().__init__()
        self._store = store
        self._patterns = [encode_uri(pattern) for pattern in patterns]
        self._uri = encode_uri(patterns_uri(spec.target, spec.job_id))

    def expand(self, root: Any) -> Any:
        if len(self._patterns) <= _PATTERNS_IN_GRAPH:
            return root | "Create" >> beam.Create(self._patterns)
        return (
            root
            | "Create" >> beam.Create([self._uri])
            | "ReadPatterns" >> beam.ParDo(ReadPatterns(self._store))
            | "SpreadPatterns" >> beam.Reshuffle()
        )


class ListGCSFiles(beam.DoFn):
    """A pattern -> the URIs of the files it matches.

    One without a wildcard was seen when the job was admitted, so it is not looked for again: if it is gone by
    now, it is a failed file with a record.
    """

    def __init__(self, store: Store, target: str) -> None:
        self._store = store
        self._target = target

    def process(self, pattern: bytes) -> Iterator[bytes]:
        text = decode_uri(pattern)
        if uri := literal_uri(text):
            yield encode_uri(uri)
            return
        for entry in list_matches(self._store, text):
            check_outside(entry.uri, self._target)
            yield encode_uri(entry.uri)


class ReadAndDecompressGCSFile(beam.DoFn):
    """A URI -> its blocks of whole lines if the file proves good, or a view's batches of rows, and behind them the
    record of what became of it.

    Files of a bundle are read side by side, and come out one after another, in whatever order they are ready.
    """

    def __init__(self, store: Store, options: ReadOptions) -> None:
        self._store = store
        self._options = options
        self._pool: ReaderPool | None = None

    def start_bundle(self) -> None:
        self.teardown()  # of a bundle that failed

    def process(self, uri: bytes) -> Iterator[Any]:
        path = decode_uri(uri)
        if self._pool is None:
            read = partial(read_file, self._store, options=self._options)
            self._pool = ReaderPool(read, remote=path.startswith("gs://"))
        for file in self._pool.add(path):
            yield from self._elements(file)

    def finish_bundle(self) -> Iterator[Any]:
        if self._pool is not None:
            for file in self._pool.drain():
                yield from map(in_global_window, self._elements(file))
        self._pool = None

    def teardown(self) -> None:
        if self._pool is not None:
            self._pool.abandon()
            self._pool = None

    @staticmethod
    def _elements(file: ReadFile) -> Iterator[Any]:
        yield from file.blocks()
        record = file.record
        count("read-files" if record.status == "complete" else "failed-files")
        # The tally has these two already: reading adds them as it goes.
        count_only("read-bytes", record.size)
        count_only("raw-bytes", record.raw_bytes)
        yield record


def in_global_window(value: Any) -> WindowedValue:
    return WindowedValue(value, GlobalWindow().max_timestamp(), [GlobalWindow()])
