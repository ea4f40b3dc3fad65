"""Archives between listing and reading: the members of those that can be read at any place are files of their own.

Beam takes the types of elements from the annotations, so they are not made strings here.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from pipeline.archives.members import Member
from pipeline.archives.packet import PACKET_BYTES, first_of_each, last_of_each, packets
from pipeline.archives.scan import Scan, scan
from pipeline.errors import BadFileError, StorageError, StoreUnavailableError
from pipeline.graph.counters import count
from pipeline.graph.elements import (
    PACKET,
    RECORDS,
    UNKNOWN_SIZE,
    Place,
    decode_uri,
    encode_in_order,
    encode_member,
    encode_uri,
    place_of,
)
from pipeline.inputs.manifest import read_list
from pipeline.inputs.wanted import Wanted
from pipeline.read.members import own_record
from pipeline.storage import ReadStream, Store
from pipeline.uri import Uri

PLACED, UNMATCHED = "placed", "unmatched-members"
_HEAD_BYTES = 64 << 10
_File = tuple[bytes, int]  # its element, and its size


class WantedInArchives:
    """What the job looks for, from the graph if it is little, else from the list at the target, on first need."""

    def __init__(self, store: Store, looked_for: Sequence[str] | None, listed_at: str) -> None:
        self._store, self._listed_at = store, listed_at
        self._wanted = None if looked_for is None else Wanted(looked_for)

    def get(self) -> Wanted:
        if self._wanted is None:
            self._wanted = Wanted(read_list(self._store, self._listed_at))
        return self._wanted


class ExpandArchives(beam.DoFn):
    """(URI, size) of a file -> the same of its wanted members, where it is an archive that can be read at any place.

    They come in packets, unless `names_first`: where the names of all files have to be known before one is read. Then a
    compressed tar is gone through here, and again when it is read; else what is in it is told there alone, as other
    files pass. Under RECORDS the record of an archive itself, if there is something to tell; under UNMATCHED (URI,
    size) of members of a folder that no pattern takes.
    """

    def __init__(
        self, store: Store, wanted: WantedInArchives, job_id: str, *, names_first: bool = False
    ) -> None:
        self._store = store
        self._wanted = wanted
        self._job_id = job_id
        self._names_first = names_first

    def process(self, file: _File) -> Iterator[Any]:
        uri = decode_uri(file[0])
        wanted = self._wanted.get()
        if not wanted.holds_wanted(uri):
            yield file
            return
        # All members are found before the first one comes, so that what fails has given nothing.
        expanded = self._expanded(uri, wanted)
        first: Any = file
        try:
            first = next(expanded, file)
        except StoreUnavailableError:
            raise
        except StorageError:
            pass  # a file that cannot be read: on record as such
        yield first
        yield from expanded

    def _expanded(self, uri: str, wanted: Wanted) -> Iterator[Any]:
        with self._store.open_read(uri, first_bytes=_HEAD_BYTES) as stream:
            try:
                found = scan(stream, stream, Uri.parse(uri).written_path)
            except BadFileError:
                return  # compressed, and at fault: reading says how
            if found is None or (found.is_in_order and not self._names_first):
                return
            yield from self._members(uri, found, stream, wanted)

    def _members(self, uri: str, found: Scan, stream: ReadStream, wanted: Wanted) -> Iterator[Any]:
        of, place, generation = wanted.of(uri), Uri.parse(uri), stream.generation
        missing = of.missing()
        unmatched: list[_File] = []

        def chosen() -> Iterator[Member]:
            for member in found:
                name = str(place.of(member.name))
                if of.takes(name) or of.holds_wanted(name):
                    missing.found(name)
                    yield member
                elif of.is_in_folder(name):
                    unmatched.append((encode_uri(name), member.size))

        told = found.outline.told
        members = (first_of_each if found.is_in_order else last_of_each)(chosen(), told)
        if self._names_first:
            for member in members:
                name = str(place.of(member.name))
                yield encode_member(name, Place(uri, generation, found.is_in_order, member)), member.size
        else:
            for packet in packets(uri, generation, members):
                yield PACKET + packet.to_json(), UNKNOWN_SIZE
        for name in missing.names():  # reading them says that they are not there
            yield encode_uri(name), UNKNOWN_SIZE
        yield from map(_unmatched, unmatched)
        if record := own_record(uri, found.outline, generation, self._job_id):
            count("skip-files" if record.status == "skipped" else "failed-files")
            yield TaggedOutput(RECORDS, record)


def _unmatched(file: _File) -> TaggedOutput:
    count("unmatched-files")
    count("unmatched-bytes", file[1])
    return TaggedOutput(UNMATCHED, file)


class SplitPlaced(beam.DoFn):
    """Elements of files -> under PLACED those of members, by the stretch of the archive that they are in."""

    def process(self, element: bytes) -> Iterator[Any]:
        if not element.startswith(PACKET) and (place := place_of(element)):
            number = 0 if place.in_order else place.member.at // PACKET_BYTES
            stretch = f"{place.archive}\0{place.generation}\0{number}"
            yield TaggedOutput(PLACED, (encode_uri(stretch), (place.member.at, element)))
        else:
            yield element


class PackMembers(beam.DoFn):
    """(a stretch of an archive, the wanted members in it) -> packets of those that lie side by side.

    Of an archive that is read in order, one element of all.
    """

    def process(self, group: tuple[bytes, Iterable[tuple[int, bytes]]]) -> Iterator[bytes]:
        elements = [element for _, element in sorted(group[1])]
        placed = [place for element in elements if (place := place_of(element))]
        archive, generation, in_order, _ = placed[0]
        if in_order:
            yield encode_in_order(archive, generation, [*map(decode_uri, elements)])
            return
        for packet in packets(archive, generation, (place.member for place in placed)):
            yield PACKET + packet.to_json()


class PackPlaced(beam.PTransform):
    """Elements of files -> the same, with the members of archives in packets, in any order."""

    def expand(self, files: Any) -> Any:
        split = files | "SplitPlaced" >> beam.ParDo(SplitPlaced()).with_outputs(PLACED, main="alone")
        packed = (
            split[PLACED] | "GroupMembers" >> beam.GroupByKey() | "PackMembers" >> beam.ParDo(PackMembers())
        )
        return (split["alone"], packed) | "WithPackets" >> beam.Flatten()
