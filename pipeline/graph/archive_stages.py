"""Archives between listing and reading: the members of those that can be read at any place are files of their own.

Beam takes the types of elements from the annotations, so they are not made strings here.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from pipeline.archives.members import Member
from pipeline.archives.packet import PACKET_BYTES, last_of_each, packets
from pipeline.archives.scan import Scan, scan
from pipeline.errors import BadFileError, StorageError, StoreUnavailableError
from pipeline.graph.counters import count
from pipeline.graph.elements import PACKET, UNKNOWN_SIZE, decode_uri, encode_member, encode_uri, place_of
from pipeline.inputs.manifest import read_list
from pipeline.inputs.wanted import Wanted
from pipeline.read.members import own_record
from pipeline.storage import ReadStream, Store
from pipeline.uri import Uri

RECORDS, PLACED, UNMATCHED = "records", "placed", "unmatched-members"
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

    Other files pass; what only reading in order can tell of is told there. Under RECORDS the record of an archive
    itself, if there is something to tell; under UNMATCHED (URI, size) of members of a folder that no pattern takes.
    """

    def __init__(self, store: Store, wanted: WantedInArchives, job_id: str) -> None:
        self._store = store
        self._wanted = wanted
        self._job_id = job_id

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
            if found is None or found.is_in_order:
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

        for member in last_of_each(chosen(), found.outline.told):
            yield encode_member(str(place.of(member.name)), uri, generation, member), member.size
        for name in missing.names():  # reading them says that they are not there
            yield encode_uri(name), UNKNOWN_SIZE
        for other, size in unmatched:
            count("unmatched-files")
            count("unmatched-bytes", size)
            yield TaggedOutput(UNMATCHED, (other, size))
        if record := own_record(uri, found.outline, generation, self._job_id):
            count("skip-files" if record.status == "skipped" else "failed-files")
            yield TaggedOutput(RECORDS, record)


class SplitPlaced(beam.DoFn):
    """Elements of files -> under PLACED those of members, by the stretch of the archive that they are in."""

    def process(self, element: bytes) -> Iterator[Any]:
        if place := place_of(element):
            archive, generation, member = place
            stretch = f"{archive}\0{generation}\0{member.at // PACKET_BYTES}"
            yield TaggedOutput(PLACED, (encode_uri(stretch), (member.at, element)))
        else:
            yield element


class PackMembers(beam.DoFn):
    """(a stretch of an archive, the wanted members in it) -> packets of those that lie side by side."""

    def process(self, group: tuple[bytes, Iterable[tuple[int, bytes]]]) -> Iterator[bytes]:
        placed = [place for _, element in sorted(group[1]) if (place := place_of(element))]
        archive, generation, _ = placed[0]
        for packet in packets(archive, generation, (member for _, _, member in placed)):
            yield PACKET + packet.to_json()


class PackPlaced(beam.PTransform):
    """Elements of files -> the same, with the members of archives in packets, in any order."""

    def expand(self, files: Any) -> Any:
        split = files | "SplitPlaced" >> beam.ParDo(SplitPlaced()).with_outputs(PLACED, main="alone")
        packed = (
            split[PLACED] | "GroupMembers" >> beam.GroupByKey() | "PackMembers" >> beam.ParDo(PackMembers())
        )
        return (split["alone"], packed) | "WithPackets" >> beam.Flatten()
