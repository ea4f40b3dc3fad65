"""How many files a job has, by what was listed and found: the number with which its ledger is reconciled.

Beam takes the types of elements from the annotations, so they are not made strings here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import apache_beam as beam

from pipeline.errors import RefusedError, StorageError
from pipeline.graph.counters import count
from pipeline.graph.elements import UNKNOWN_SIZE, count_files, decode_uri, packet_bytes
from pipeline.storage import Store

_ASKED = 100  # files whose size nobody has told yet, of those that one instance counts


class CountListed(beam.DoFn):
    """Counts the files of a job, each once, also archives that have a record of their own; and their bytes.

    A few that were named and not listed are asked for their size: few files may be large, and progress is by bytes. Of
    many the number tells enough; those without a size are counted as such.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._asked = 0

    def process(self, file: Any) -> Iterator[int]:
        if not isinstance(file, tuple):
            count("list-files")
            yield 1
            return
        element, size = file
        files = count_files(element)
        count("list-files", files)
        known = self._size(element, size)
        if known is None:
            count("unsized-files", files)
        else:
            count("list-bytes", known)
        yield files

    def _size(self, element: bytes, size: int) -> int | None:
        if size != UNKNOWN_SIZE:
            return size
        if (packed := packet_bytes(element)) is not None:
            return packed
        self._asked += 1
        if self._asked > _ASKED:
            return None
        try:
            return self._store.stat(decode_uri(element)).size
        except (StorageError, RefusedError):
            return None


class CountFiles(beam.PTransform):
    """{listed, archives, found} -> the one sum.

    `listed` and `archives` have an element a file, `found` how many more there are of files that proved to be archives.
    """

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    def expand(self, given: Mapping[str, Any]) -> Any:
        counts = (
            given["listed"] | "CountListed" >> beam.ParDo(CountListed(self._store)),
            given["archives"] | "CountArchives" >> beam.ParDo(CountListed(self._store)),
            given["found"],
        )
        return counts | "AllCounts" >> beam.Flatten() | "SumListed" >> beam.CombineGlobally(sum)
