"""The stage that passes over files whose records another file of the selection holds: it wires and counts.

    NameRecords -> GroupCopies -> ReadFullest -> GroupParts -> ReadParts

Files are grouped by what they hold, so that no worker has to know the whole selection; by a few digits of its hash, so
that a million files are thousands of packets between the stages.

Beam takes the types of elements from the annotations, so they are not made strings here.
"""

import zlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam
import msgspec
from apache_beam.pvalue import TaggedOutput

from pipeline.errors import AccessDeniedError, ObjectNotFoundError
from pipeline.graph.archive_stages import PacksFiles
from pipeline.graph.bundle_end import in_global_window
from pipeline.graph.counters import count
from pipeline.graph.elements import decode_uri, each_file, encode_uri
from pipeline.inputs.once import Copy, fullest, why_other
from pipeline.inputs.packets import UNKNOWN_SIZE
from pipeline.ledger import FileRecord
from pipeline.sources import SourcePlugin, get_source, what_it_holds
from pipeline.storage import Store

_NAMED, _PARTS, _WHOLES, _SKIPPED = "named", "parts", "wholes", "skipped"
_GROUPS = 1024
_PACKET_FILES = 256
_HELD_FILES = 1 << 17  # of a bundle, in packets that are not full


class _Named(NamedTuple):
    """A file whose name tells what it holds; names as bytes of UTF-8."""

    element: bytes
    what: bytes
    rank: int
    size: int
    whole_of: bytes  # empty for none
    why: str  # it is passed over where parts of that are selected


class _Groups:
    """Values by the group of a name, in packets: how they go from one stage to the next."""

    def __init__(self) -> None:
        self._held: dict[int, list[Any]] = {}
        self._count = 0

    def add(self, name: bytes, value: Any) -> Iterator[tuple[int, bytes]]:
        """Take a value; gives the packets that are full by now."""
        group = zlib.crc32(name) % _GROUPS
        held = self._held.setdefault(group, [])
        held.append(value)
        self._count += 1
        if len(held) == _PACKET_FILES:
            yield group, _packed(self._held.pop(group))
            self._count -= _PACKET_FILES
        elif self._count == _HELD_FILES:
            yield from self.rest()

    def rest(self) -> Iterator[tuple[int, bytes]]:
        held, self._held, self._count = self._held, {}, 0
        for group, values in held.items():
            yield group, _packed(values)


def _packed(values: list[Any]) -> bytes:
    return zlib.compress(msgspec.msgpack.encode(values), 1)


def _unpacked(packets: Iterable[bytes]) -> Iterator[Any]:
    for packet in packets:
        yield from msgspec.msgpack.decode(zlib.decompress(packet))


class NameRecords(PacksFiles):
    """Elements of files -> packets of those whose names tell nothing; of the others under _NAMED (group, _Named) by
    what each holds, and under _PARTS (group, what it is part of), all in packets.
    """

    def __init__(self, source: str) -> None:
        super().__init__()
        self._name = source
        self._source: SourcePlugin | None = None
        self._named, self._parts = _Groups(), _Groups()
        self._known: set[str] = set()  # of parts that were told

    def start_bundle(self) -> None:
        super().start_bundle()
        self._named, self._parts, self._known = _Groups(), _Groups(), set()

    def process(self, element: bytes) -> Iterator[Any]:
        if self._source is None:
            self._source = get_source(self._name)
        for alone, file in each_file(element):
            held = what_it_holds(self._source, file.uri)
            if held is None:
                yield from self._given(alone)
                continue
            what = encode_uri(held.what)
            named = _Named(alone, what, held.rank, file.size, encode_uri(held.whole_of), held.why)
            yield from _tagged(_NAMED, self._named.add(what, named))
            if held.part_of and held.part_of not in self._known:
                if len(self._known) == _HELD_FILES:
                    self._known.clear()
                self._known.add(held.part_of)
                of = encode_uri(held.part_of)
                yield from _tagged(_PARTS, self._parts.add(of, of))

    def finish_bundle(self) -> Iterator[Any]:
        yield from super().finish_bundle()
        for tag, groups in ((_NAMED, self._named), (_PARTS, self._parts)):
            yield from map(in_global_window, _tagged(tag, groups.rest()))


class ReadFullest(PacksFiles):
    """(group, packets of _Named) -> packets of one file for each that they hold, and _SKIPPED has the others; under
    _WHOLES (group, packets of _Named) of those that are read if no part of them is.
    """

    def __init__(self, store: Store, job_id: str) -> None:
        super().__init__()
        self._store = store
        self._job_id = job_id

    def process(self, group: tuple[int, Iterable[bytes]]) -> Iterator[Any]:
        by_what: dict[bytes, list[_Named]] = {}
        for values in _unpacked(group[1]):
            file = _Named(*values)
            by_what.setdefault(file.what, []).append(file)
        wholes = _Groups()
        for what, files in by_what.items():
            several = len(files) > 1
            copies = {
                file.element: Copy(
                    decode_uri(file.element),
                    file.rank,
                    _size(self._store, file.element, file.size) if several else file.size,
                )
                for file in files
            }
            read = fullest([*copies.values()])
            for file in files:
                copy = copies[file.element]
                if copy is not read:
                    why = why_other(decode_uri(what), copy, read)
                    yield TaggedOutput(_SKIPPED, _skipped(copy.uri, copy.size, why, self._job_id))
                elif file.whole_of:
                    yield from _tagged(_WHOLES, wholes.add(file.whole_of, file._replace(size=copy.size)))
                else:
                    yield from self._given(file.element)
        yield from _tagged(_WHOLES, wholes.rest())


class ReadParts(PacksFiles):
    """(group, {wholes, parts}) -> packets of the wholes of which no part is selected; _SKIPPED has the others."""

    def __init__(self, store: Store, job_id: str) -> None:
        super().__init__()
        self._store = store
        self._job_id = job_id

    def process(self, group: tuple[int, dict[str, Iterable[bytes]]]) -> Iterator[Any]:
        found = group[1]
        parts: set[bytes] | None = None
        for values in _unpacked(found[_WHOLES]):
            if parts is None:  # of most groups there are no wholes
                parts = set(_unpacked(found[_PARTS]))
            whole = _Named(*values)
            if whole.whole_of in parts:
                size = _size(self._store, whole.element, whole.size)
                uri = decode_uri(whole.element)
                yield TaggedOutput(_SKIPPED, _skipped(uri, size, whole.why, self._job_id))
            else:
                yield from self._given(whole.element)


def _tagged(tag: str, values: Iterable[Any]) -> Iterator[TaggedOutput]:
    return (TaggedOutput(tag, value) for value in values)


class ReadOnce(beam.PTransform):
    """Elements of files -> {read: packets of files, and members of archives each by itself; skipped: FileRecords of the
    files that are passed over}.
    """

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
        wholes = (
            {_WHOLES: chosen[_WHOLES], _PARTS: told[_PARTS]}
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
