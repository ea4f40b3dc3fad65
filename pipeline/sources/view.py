"""What a view is: it turns the lines of one file into the rows of a table.

A source offers views of its records; jobs, previews, frames and proofs come from here alone. A view is a frozen
dataclass whose fields are its options, each with a default:

    @dataclass(frozen=True)
    class Readings(View):
        name = "readings"
        description = "one row a reading"
        schema = pa.schema([("station", pa.string()), ("celsius", pa.float64())])

        def rows(self, blocks, file): ...

    class WeatherSource(SourcePlugin):
        def views(self):
            return (Readings,)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar, Protocol

import pyarrow as pa


class ViewedFile(Protocol):
    """The file whose lines a view is given, and what the view says of it beside its rows."""

    @property
    def uri(self) -> str:
        """As it stands in the ledger."""

    def bad_line(self, number: int, reason: str) -> None:
        """A line that does not decode, counted from 1. Raises BadFileError where the file has more than it may."""

    def note(self, text: str) -> None:
        """What is worth knowing of the file, for its record; the same text counts once."""


class View(ABC):
    """One table that can be made of a source's records, file by file."""

    name: ClassVar[str]
    description: ClassVar[str]  # one line: what a row is
    schema: ClassVar[pa.Schema]
    sorted_by: ClassVar[tuple[str, ...]] = ()  # columns by which the rows of a file are sorted
    partitions: ClassVar[tuple[str, ...]] = ()  # columns by which the output may be divided into folders
    picture: ClassVar[str] = ""  # how a page may draw its rows: a name of `chimera_nb.data.pictures`

    @abstractmethod
    def rows(self, blocks: Iterable[bytes], file: ViewedFile) -> Iterator[pa.RecordBatch]:
        """The rows of a file, in batches of `schema`, in memory that does not grow with the file.

        `blocks` are its raw lines in order: each block is of whole lines, each line with its end. Raises
        BadFileError for a file that is not what the view reads.
        """
