"""The stages up to ReadAndDecompress as Beam transforms: they wire and count, other modules compute.

Elements between stages: those of `elements`; blocks of whole lines, as bytes of up to a megabyte, and a FileRecord
behind those of its file; a Part for each file written.

Beam takes the types of elements from the annotations, so they are not made strings here.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from pipeline.archives.store import store_of_archives
from pipeline.graph.archive_stages import WantedInArchives
from pipeline.graph.counters import count, count_only
from pipeline.graph.elements import RECORD, FileToRead, decode_uri, encode_uri, files_to_read
from pipeline.inputs.manifest import read_list
from pipeline.inputs.matching import list_files, literal_uri
from pipeline.inputs.selection import check_outside
from pipeline.ledger import FileRecord
from pipeline.read.file import ReadFile, ReadOptions, read_file
from pipeline.read.members import files_in
from pipeline.read.pool import ReaderPool
from pipeline.spec import JobSpec
from pipeline.storage import Store
from pipeline.target.layout import patterns_uri
from pipeline.uri import SEPARATOR, Uri

FOUND = "found"  # the tag of counts of files beyond those that were listed
PATTERNS_IN_GRAPH = 1000


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
        if len(self._patterns) <= PATTERNS_IN_GRAPH:
            return root | "Create" >> beam.Create(self._patterns)
        return (
            root
            | "Create" >> beam.Create([self._uri])
            | "ReadPatterns" >> beam.ParDo(ReadPatterns(self._store))
            | "SpreadPatterns" >> beam.Reshuffle()
        )


class ListGCSFiles(beam.DoFn):
    """A pattern -> the URIs of the objects or local files it matches, and of those with members that it matches.

    One without a wildcard was seen when the job was admitted, so it is not looked for again: if it is gone by
    now, it is a failed file with a record.
    """

    def __init__(self, store: Store, target: str) -> None:
        self._store = store
        self._target = target

    def process(self, pattern: bytes) -> Iterator[bytes]:
        text = decode_uri(pattern)
        if uri := literal_uri(text):
            yield encode_uri(str(Uri.parse(uri).file) if SEPARATOR in uri else uri)
            return
        for entry in list_files(self._store, text):
            check_outside(entry.uri, self._target)
            yield encode_uri(entry.uri)


class ReadAndDecompressGCSFile(beam.DoFn):
    """A URI -> its blocks of whole lines if the file proves good, and behind them the record of what became of it.

    Files of a bundle are read side by side, and come out one after another, in whatever order they are ready. A packet
    is its members, and a file that is an archive the files in it: under FOUND, how many more files that makes.
    """

    def __init__(self, store: Store, options: ReadOptions, wanted: WantedInArchives) -> None:
        self._store = store
        self._options = options
        self._wanted = wanted
        self._pool: ReaderPool[FileToRead] | None = None

    def start_bundle(self) -> None:
        self.teardown()  # of a bundle that failed

    def process(self, element: bytes) -> Iterator[Any]:
        if element.startswith(RECORD):
            yield from self._elements(ReadFile(FileRecord.from_line(element[len(RECORD) :])))
            return
        for item in files_to_read(element):
            if self._pool is None:
                self._pool = ReaderPool(self._read, remote=item.uri.startswith("gs://"))
            for file in self._pool.add(item):
                yield from self._expanded(file)

    def finish_bundle(self) -> Iterator[Any]:
        if self._pool is not None:
            for file in self._pool.drain():
                yield from map(in_global_window, self._expanded(file))
        self._pool = None

    def teardown(self) -> None:
        if self._pool is not None:
            self._pool.abandon()
            self._pool = None

    def _read(self, item: FileToRead) -> ReadFile:
        store = self._store if item.at_hand is None else store_of_archives(self._store).holding(item.at_hand)
        return read_file(store, item.uri, self._options)

    def _expanded(self, file: ReadFile) -> Iterator[Any]:
        """The elements of a file, or of the files in it where it is an archive, or was to be one."""
        files = 0
        for one in files_in(file, self._options, self._wanted.get()):
            files += 1
            yield from self._elements(one)
        if files != 1:
            count("list-files", files - 1)
            yield TaggedOutput(FOUND, files - 1)

    @staticmethod
    def _elements(file: ReadFile) -> Iterator[Any]:
        yield from file.blocks()
        record = file.record
        if record.status != "skipped":
            count("read-files" if record.status == "complete" else "failed-files")
        # The tally has these two already: reading adds them as it goes.
        count_only("read-bytes", record.size)
        count_only("raw-bytes", record.raw_bytes)
        yield record


def in_global_window(value: Any) -> Any:
    if isinstance(value, TaggedOutput):
        return TaggedOutput(value.tag, in_global_window(value.value))
    return WindowedValue(value, GlobalWindow().max_timestamp(), [GlobalWindow()])
