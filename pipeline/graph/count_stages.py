"""How many files a job has, by what was listed and found: the number with which its ledger is reconciled.

Beam takes the types of elements from the annotations, so they are not made strings here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import apache_beam as beam

from pipeline.graph.counters import count
from pipeline.graph.elements import count_files


class CountListed(beam.DoFn):
    """Counts the files of a job, each once, also archives that have a record of their own."""

    def process(self, file: Any) -> Iterator[int]:
        files = count_files(file) if isinstance(file, bytes) else 1
        count("list-files", files)
        yield files


class CountFiles(beam.PTransform):
    """{listed, archives, found} -> the one sum.

    `listed` has elements of files, `archives` a record a file, `found` how many more there are of files that proved to
    be archives.
    """

    def expand(self, given: Mapping[str, Any]) -> Any:
        counts = (
            given["listed"] | "CountListed" >> beam.ParDo(CountListed()),
            given["archives"] | "CountArchives" >> beam.ParDo(CountListed()),
            given["found"],
        )
        return counts | "AllCounts" >> beam.Flatten() | "SumListed" >> beam.CombineGlobally(sum)
