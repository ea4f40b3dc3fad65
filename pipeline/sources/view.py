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
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, Self

import pyarrow as pa

_NO_WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType({})


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
    """One table that can be made of a source's records, file by file.

    By a view that has `facets` files are chosen by what is in them: a catalogue keeps its rows, of all files of a
    folder, with the columns `kept`.
    """

    name: ClassVar[str]
    description: ClassVar[str]  # one line: what a row is
    schema: ClassVar[pa.Schema]
    sorted_by: ClassVar[tuple[str, ...]] = ()  # columns by which the rows of a file are sorted
    partitions: ClassVar[tuple[str, ...]] = ()  # columns by which the output may be divided into folders
    facets: ClassVar[tuple[str, ...]] = ()  # columns by whose values files are chosen: texts, numbers, days
    key: ClassVar[str] = ""  # with facets: the column of texts that names what a row is of
    kept: ClassVar[tuple[str, ...]] = ()  # with facets: the columns of a catalogue, with these two
    words: ClassVar[Mapping[str, Mapping[str, str]]] = _NO_WORDS  # by facet: what a value is called
    picture: ClassVar[str] = ""  # how a page may draw its rows: a name of `chimera_nb.data.pictures`

    @abstractmethod
    def rows(self, blocks: Iterable[bytes], file: ViewedFile) -> Iterator[pa.RecordBatch]:
        """The rows of a file, in batches of `schema`, in memory that does not grow with the file.

        `blocks` are its raw lines in order: each block is of whole lines, each line with its end. Raises
        BadFileError for a file that is not what the view reads.
        """

    @classmethod
    def for_catalogue(cls) -> Self:
        """The view with the options that give the columns `kept` in the least time."""
        return cls()

    def row_of_end(self, lines: bytes, uri: str) -> Mapping[str, Any] | None:
        """The columns `kept` of a file's one row, by its last whole lines alone.

        None where they do not tell, and the file is read whole. Raises nothing.
        """
        del lines, uri
        return None
