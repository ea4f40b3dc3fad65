"""The stage that passes over files whose records another file of the selection holds: it wires and counts.

Files are grouped by what they hold, so that no worker has to know the whole selection.

Beam takes the types of elements from the annotations, so they are not made strings here.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from pipeline.errors import AccessDeniedError, ObjectNotFoundError
from pipeline.graph.counters import count
from pipeline.graph.elements import decode_uri, each_file, encode_uri, listed_file
from pipeline.inputs.once import Copy, fullest, why_other
from pipeline.inputs.packets import UNKNOWN_SIZE, ListedFile
from pipeline.ledger import FileRecord
from pipeline.sources import SourcePlugin, get_source, what_it_holds
from pipeline.storage import Store

_NAMED, _PARTS, _WHOLES, _SKIPPED = "named", "parts", "wholes", "skipped"
_Whole = tuple[bytes, int, str]  # URI, size, why it is passed over where its parts are selected


class NameRecords(beam.DoFn):
    """Files -> under _NAMED by what each holds, under _PARTS what it is part of; else the element of it alone."""

    def __init__(self, source: str) -> None:
        self._name = source
        self._source: SourcePlugin | None = None

    def process(self, element: bytes) -> Iterator[Any]:
        if self._source is None:
            self._source = get_source(self._name)
        for uri in each_file(element):
            yield from self._named(self._source, uri, listed_file(uri))

    @staticmethod
    def _named(source: SourcePlugin, uri: bytes, file: ListedFile) -> Iterator[Any]:
        size, held = file.size, what_it_holds(source, file.uri)
        if held is None:
            yield uri
            return
        whole = (encode_uri(held.whole_of), held.why) if held.whole_of else None
        yield TaggedOutput(_NAMED, (encode_uri(held.what), (uri, held.rank, size, whole)))
        if held.part_of:
            yield TaggedOutput(_PARTS, encode_uri(held.part_of))


class ReadFullest(beam.DoFn):
    """(what, the files that hold it) -> the URI of one, under _WHOLES if it may be a whole; _SKIPPED has the others."""

    def __init__(self, store: Store, job_id: str) -> None:
        self._store = store
        self._job_id = job_id

    def process(self, group: tuple[bytes, Iterable[Any]]) -> Iterator[Any]:
        what, files = group[0], list(group[1])  # as many as a selection has of one market
        copies = {
            uri: Copy(decode_uri(uri), rank, _size(self._store, uri, size) if len(files) > 1 else size)
            for uri, rank, size, _ in files
        }
        read = fullest([*copies.values()])
        for uri, _, _, whole in files:
            copy = copies[uri]
            if copy is not read:
                why = why_other(decode_uri(what), copy, read)
                yield TaggedOutput(_SKIPPED, _skipped(copy.uri, copy.size, why, self._job_id))
            elif whole:
                yield TaggedOutput(_WHOLES, (whole[0], (uri, copy.size, whole[1])))
            else:
                yield uri


class ReadParts(beam.DoFn):
    """(what, {wholes, parts} of it) -> the URIs of wholes of which no part is selected; _SKIPPED has the others."""

    def __init__(self, store: Store, job_id: str) -> None:
        self._store = store
        self._job_id = job_id

    def process(self, group: tuple[bytes, dict[str, Iterable[Any]]]) -> Iterator[Any]:
        found = group[1]
        in_parts = any(True for _ in found[_PARTS])
        whole: _Whole
        for whole in found[_WHOLES]:
            uri, size, why = whole
            if in_parts:
                size = _size(self._store, uri, size)
                yield TaggedOutput(_SKIPPED, _skipped(decode_uri(uri), size, why, self._job_id))
            else:
                yield uri


class ReadOnce(beam.PTransform):
    """Elements of files -> {read: URIs, skipped: FileRecords of the files that are passed over}."""

    def __init__(self, store: Store, source: str, job_id: str) -> None:
        super().__init__()
        self._source = source
        self._fullest, self._parts = ReadFullest(store, job_id), ReadParts(store, job_id)

    def expand(self, files: Any) -> Any:
        told = files | "NameRecords" >> beam.ParDo(NameRecords(self._source)).with_outputs(
            _NAMED, _PARTS, main="alone"
        )
        chosen = (
            told[_NAMED]
            | "GroupCopies" >> beam.GroupByKey()
            | "ReadFullest" >> beam.ParDo(self._fullest).with_outputs(_WHOLES, _SKIPPED, main="read")
        )
        parts = told[_PARTS] | "EachOnce" >> beam.Distinct() | "ByWhole" >> beam.Map(lambda of: (of, None))
        wholes = (
            {_WHOLES: chosen[_WHOLES], _PARTS: parts}
            | "GroupParts" >> beam.CoGroupByKey()
            | "ReadParts" >> beam.ParDo(self._parts).with_outputs(_SKIPPED, main="read")
        )
        read = (told["alone"], chosen["read"], wholes["read"]) | "Read" >> beam.Flatten()
        skipped = (chosen[_SKIPPED], wholes[_SKIPPED]) | "Skipped" >> beam.Flatten()
        return {"read": read, "skipped": skipped}


def _size(store: Store, uri: bytes, size: int) -> int:
    """Its bytes, also where it was not listed; 0 for a file that is gone or refused."""
    if size != UNKNOWN_SIZE:
        return size
    try:
        return store.stat(decode_uri(uri)).size
    except (ObjectNotFoundError, AccessDeniedError):
        return 0


def _skipped(uri: str, size: int, why: str, job_id: str) -> FileRecord:
    count("skip-files")
    count("skip-bytes", size)
    return FileRecord(uri, "skipped", size=size, note=why, job_id=job_id)
