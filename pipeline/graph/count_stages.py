"""How many files a job has, by what was listed and found: the number with which its ledger is reconciled.

Beam takes the types of elements from the annotations, so they are not made strings here.
"""

from collections.abc import Iterator
from typing import Any

import apache_beam as beam

from pipeline.errors import RefusedError, StorageError
from pipeline.graph.counters import count
from pipeline.graph.elements import listed_files
from pipeline.inputs.packets import UNKNOWN_SIZE, ListedFile
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
        sizes = [self._size(one) for one in listed_files(file)] if isinstance(file, bytes) else [0]
        count("list-files", len(sizes))
        if unsized := sizes.count(UNKNOWN_SIZE):
            count("unsized-files", unsized)
        count("list-bytes", sum(size for size in sizes if size != UNKNOWN_SIZE))
        yield len(sizes)

    def _size(self, file: ListedFile) -> int:
        if file.size != UNKNOWN_SIZE or self._asked == _ASKED:
            return file.size
        self._asked += 1
        try:
            return self._store.stat(file.uri).size
        except (StorageError, RefusedError):
            return UNKNOWN_SIZE


class CountFiles(beam.PTransform):
    """{listed, archives, found} -> the one sum.

    `listed` has elements of files, `archives` a record a file, `found` how many more there are of files that proved to
    be archives.
    """

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    def expand(self, given: Any) -> Any:  # of another type Beam would warn
        counts = (
            given["listed"] | "CountListed" >> beam.ParDo(CountListed(self._store)),
            given["archives"] | "CountArchives" >> beam.ParDo(CountListed(self._store)),
            given["found"],
        )
        return counts | "AllCounts" >> beam.Flatten() | "SumListed" >> beam.CombineGlobally(sum)
