"""ReadAndDecompress as a Beam transform: it wires and counts, other modules compute.

Elements between stages: those of `elements`; blocks of whole lines, as bytes of up to a megabyte, and a
FileRecord behind those of its file; a Part for each file written.

Beam takes the types of elements from the annotations, so they are not made strings here.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from pipeline.archives.store import store_of_archives
from pipeline.graph.archive_stages import LookedFor, told_unmatched
from pipeline.graph.bundle_end import in_global_window
from pipeline.graph.counters import count, count_only, count_reading
from pipeline.graph.elements import (
    IN_ORDER,
    FileToRead,
    decode_in_order,
    files_to_read,
)
from pipeline.inputs.unmatched import Unmatched
from pipeline.read.file import ReadFile, ReadOptions, read_file
from pipeline.read.members import files_in, read_named
from pipeline.read.pool import ReaderPool
from pipeline.read.so_far import ReadSoFar
from pipeline.storage import Store

_COUNTED = {"complete": "read-files", "failed": "failed-files", "skipped": "skip-files"}
FOUND = "found"  # the tag of counts of files beyond those that were listed
LARGE = "large"  # and of files that are decoded by ranges


class SumUnmatched(beam.CombineFn):
    """Unmatched -> their sum."""

    def create_accumulator(self) -> Unmatched:
        return Unmatched()

    def add_input(self, told: Unmatched, some: Unmatched) -> Unmatched:
        return told.merge(some)

    def merge_accumulators(self, several: Iterable[Unmatched]) -> Unmatched:
        merged = Unmatched()
        for told in several:
            merged = merged.merge(told)
        return merged

    def extract_output(self, told: Unmatched) -> Unmatched:
        return told


class ReadAndDecompressGCSFile(beam.DoFn):
    """A URI -> its blocks of whole lines if the file proves good, or a view's batches of rows, and behind them the
    record of what became of it.

    Files of a bundle are read side by side, and come out one after another, in whatever order they are ready. A packet
    is its members, and a file that is an archive the files in it: under FOUND, how many more files that makes, under
    UNMATCHED what of it no pattern takes. One that can be decoded by ranges comes under LARGE, unread.
    """

    def __init__(self, store: Store, options: ReadOptions, wanted: LookedFor) -> None:
        self._store = store
        self._options = options
        self._wanted = wanted
        self._pool: ReaderPool[FileToRead] | None = None
        self._so_far: ReadSoFar | None = None

    def start_bundle(self) -> None:
        self.teardown()  # of a bundle that failed

    def process(self, element: bytes) -> Iterator[Any]:
        if element.startswith(IN_ORDER):
            archive, generation, uris = decode_in_order(element)
            wanted = self._wanted.get()
            files = read_named(self._store, (archive, generation), uris, self._options, wanted)
            yield from self._counted(files, listed=len(uris))
            return
        for item in files_to_read(element):
            if self._pool is None:
                self._so_far = ReadSoFar()
                self._pool = ReaderPool(
                    self._read, remote=item.listed.uri.startswith("gs://"), while_waiting=self._tell
                )
            for file in self._pool.add(item):
                yield from self._expanded(file)

    def finish_bundle(self) -> Iterator[Any]:
        if self._pool is not None:
            for file in self._pool.drain():
                yield from map(in_global_window, self._expanded(file))
            self._tell()
        self._pool = None

    def teardown(self) -> None:
        if self._pool is not None:
            self._pool.abandon()
            self._pool = None

    def _read(self, item: FileToRead) -> ReadFile:
        store = self._store if item.at_hand is None else store_of_archives(self._store).holding(item.at_hand)
        listed = item.listed
        return read_file(
            store,
            listed.uri,
            self._options,
            generation=listed.generation,
            size=listed.size,
            so_far=self._so_far,
        )

    def _tell(self) -> None:
        """Count what was read so far of files that are not through: a bundle's counters are its own thread's."""
        if self._so_far is not None:
            count_reading(*self._so_far.take())

    def _expanded(self, file: ReadFile) -> Iterator[Any]:
        """The elements of a file, or of the files in it where it is an archive, or was to be one."""
        if file.large:
            yield TaggedOutput(LARGE, file.large)
            return
        unmatched = Unmatched()

        def tell(uri: str, size: int) -> None:
            nonlocal unmatched
            unmatched = unmatched.add(uri, size)

        yield from self._counted(files_in(file, self._options, self._wanted.get(), tell), listed=1)
        yield from told_unmatched(unmatched)

    def _counted(self, files: Iterator[ReadFile], *, listed: int) -> Iterator[Any]:
        more = -listed
        for file in files:
            more += 1
            yield from self._elements(file)
        if more:
            count("list-files", more)
            yield TaggedOutput(FOUND, more)

    @staticmethod
    def _elements(file: ReadFile) -> Iterator[Any]:
        yield from file.blocks()
        record = file.record
        count(_COUNTED[record.status])
        # The tally has these two already: reading adds them as it goes.
        count_only("read-bytes", record.size)
        count_only("raw-bytes", record.raw_bytes)
        yield record
