"""Archives between listing and reading: those that can be read at any place become packets of members.

Beam takes the types of elements from the annotations, so they are not made strings here.
"""

from collections.abc import Iterator, Sequence

import apache_beam as beam

from pipeline.archives.members import Member
from pipeline.archives.packet import last_of_each, packets
from pipeline.archives.scan import Scan, scan
from pipeline.errors import BadFileError, StorageError, StoreUnavailableError
from pipeline.graph.elements import PACKET, RECORD, decode_uri, encode_uri
from pipeline.inputs.manifest import read_list
from pipeline.inputs.wanted import Wanted
from pipeline.read.members import own_record
from pipeline.storage import ReadStream, Store
from pipeline.uri import Uri

_HEAD_BYTES = 64 << 10


class WantedInArchives:
    """The job's patterns, from the graph if they are few, else from the list at the target; read on first need."""

    def __init__(self, store: Store, patterns: Sequence[str] | None, listed_at: str) -> None:
        self._store, self._listed_at = store, listed_at
        self._wanted = None if patterns is None else Wanted(patterns)

    def get(self) -> Wanted:
        if self._wanted is None:
            self._wanted = Wanted(read_list(self._store, self._listed_at))
        return self._wanted


class ExpandArchives(beam.DoFn):
    """A file's URI -> the packets of its wanted members, where it is an archive that can be read at any place.

    Other files pass; what only reading in order can tell of is told there.
    """

    def __init__(self, store: Store, wanted: WantedInArchives) -> None:
        self._store = store
        self._wanted = wanted

    def process(self, element: bytes) -> Iterator[bytes]:
        uri = decode_uri(element)
        wanted = self._wanted.get()
        if not wanted.holds_wanted(uri):
            yield element
            return
        # All members are found before the first packet comes, so that what fails has given nothing.
        expanded = self._expanded(uri, wanted)
        try:
            first = next(expanded, element)
        except StoreUnavailableError:
            raise
        except StorageError:
            first = element  # a file that cannot be read: on record as such
        yield first
        yield from expanded

    def _expanded(self, uri: str, wanted: Wanted) -> Iterator[bytes]:
        with self._store.open_read(uri, first_bytes=_HEAD_BYTES) as stream:
            try:
                found = scan(stream, stream, Uri.parse(uri).written_path)
            except BadFileError:
                return  # compressed, and at fault: reading says how
            if found is None or found.is_in_order:
                return
            yield from self._packets(uri, found, stream, wanted)

    def _packets(self, uri: str, found: Scan, stream: ReadStream, wanted: Wanted) -> Iterator[bytes]:
        of = wanted.of(uri)
        place = Uri.parse(uri)
        missing = of.missing()

        def chosen() -> Iterator[Member]:
            for member in found:
                name = str(place.of(member.name))
                if of.takes(name) or of.holds_wanted(name):
                    missing.found(name)
                    yield member

        last = last_of_each(chosen(), found.outline.told)
        for packet in packets(uri, stream.generation, last):
            yield PACKET + packet.to_json()
        yield from map(encode_uri, missing.names())  # reading them says that they are not there
        if record := own_record(uri, found.outline, stream.generation):
            yield RECORD + record.to_line()
