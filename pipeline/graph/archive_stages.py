"""Archives between listing and reading: the members of those that can be read at any place are files of their own.

Beam takes the types of elements from the annotations, so they are not made strings here.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from pipeline.archives.members import Member
from pipeline.archives.packet import PACKET_BYTES, first_of_each, last_of_each, packets
from pipeline.archives.scan import Scan, scan
from pipeline.errors import BadFileError, StorageError, StoreUnavailableError
from pipeline.graph.bundle_end import in_global_window
from pipeline.graph.counters import count
from pipeline.graph.elements import (
    FILES,
    PACKET,
    RECORDS,
    UNMATCHED,
    Place,
    decode_uri,
    encode_in_order,
    encode_member,
    encode_uri,
    listed_file,
    place_of,
)
from pipeline.inputs.listing import Listings, listings
from pipeline.inputs.manifest import read_list
from pipeline.inputs.packets import Packer
from pipeline.inputs.unmatched import Unmatched
from pipeline.inputs.wanted import Wanted
from pipeline.ledger import FileRecord
from pipeline.read.members import own_record
from pipeline.storage import ReadStream, Store
from pipeline.uri import Uri

PLACED = "placed"
_HEAD_BYTES = 64 << 10
_OPENED_AT_ONCE = 16


class LookedFor:
    """What the job looks for, from the graph if it is little, else from the list at the target, on first need."""

    def __init__(self, store: Store, looked_for: Sequence[str] | None, listed_at: str) -> None:
        self._store, self._listed_at = store, listed_at
        self._texts = looked_for
        self._wanted: Wanted | None = None
        self._listings: Listings | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return LookedFor, (self._store, self._texts, self._listed_at)

    def get(self) -> Wanted:
        """What is wanted of archives."""
        if self._wanted is None:
            self._wanted = Wanted(self._read())
        return self._wanted

    def listings(self) -> Listings:
        if self._listings is None:
            self._listings = Listings(listings(self._read()))
        return self._listings

    def _read(self) -> Sequence[str]:
        return self._texts if self._texts is not None else list(read_list(self._store, self._listed_at))


class ExpandArchives(beam.DoFn):
    """A file that may be an archive -> its wanted members, where it can be read at any place; else the file.

    Many are opened at once, since each takes some requests before its members are known. The members come in packets,
    unless `names_first`: where the names of all files have to be known before one is read. Then a compressed tar is
    gone through here, and again when it is read; else what is in it is told there alone, as other files pass. Under
    RECORDS the record of an archive itself, if there is something to tell; under UNMATCHED an Unmatched of members
    of a folder that no pattern takes.
    """

    def __init__(self, store: Store, wanted: LookedFor, job_id: str, *, names_first: bool = False) -> None:
        self._store = store
        self._wanted = wanted
        self._job_id = job_id
        self._names_first = names_first
        self._pool: ThreadPoolExecutor | None = None
        self._opening: deque[Future[Iterator[Any]]] = deque()
        self._unmatched = Unmatched()

    def start_bundle(self) -> None:
        self.teardown()  # of a bundle that failed
        self._opening, self._unmatched = deque(), Unmatched()
        self._pool = ThreadPoolExecutor(_OPENED_AT_ONCE, thread_name_prefix="open-archive")

    def process(self, element: bytes) -> Iterator[Any]:
        if self._pool is not None:
            self._opening.append(self._pool.submit(self._opened, element))
        if len(self._opening) > _OPENED_AT_ONCE:
            yield from self._told(self._opening.popleft().result())

    def finish_bundle(self) -> Iterator[Any]:
        while self._opening:
            yield from map(in_global_window, self._told(self._opening.popleft().result()))
        yield from map(in_global_window, told_unmatched(self._unmatched))
        self.teardown()

    def teardown(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def _opened(self, element: bytes) -> Iterator[Any]:
        """What comes of a file: all members are found before the first one comes, so that what fails has given none."""
        expanded = self._expanded(decode_uri(element), self._wanted.get())
        first: Any = element
        try:
            first = next(expanded, element)
        except StoreUnavailableError:
            raise
        except StorageError:
            pass  # a file that cannot be read: on record as such
        return chain((first,), expanded)

    def _told(self, found: Iterator[Any]) -> Iterator[Any]:
        """Called from the bundle's own thread, whose the counters are."""
        for value in found:
            if isinstance(value, Unmatched):
                self._unmatched = self._unmatched.merge(value)
            elif isinstance(value, FileRecord):
                count("skip-files" if value.status == "skipped" else "failed-files")
                yield TaggedOutput(RECORDS, value)
            else:
                yield value

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
        unmatched = Unmatched()

        def chosen() -> Iterator[Member]:
            nonlocal unmatched
            for member in found:
                name = place.of(member.name)
                if of.takes(name) or of.holds_wanted(name):
                    missing.found(name)
                    yield member
                elif of.is_in_folder(name):
                    unmatched = unmatched.add(name, member.size)

        told = found.outline.told
        members = (first_of_each if found.is_in_order else last_of_each)(chosen(), told)
        if self._names_first:
            for member in members:
                name = place.of(member.name)
                yield encode_member(name, Place(uri, generation, found.is_in_order, member))
        else:
            for packet in packets(uri, generation, members):
                yield PACKET + packet.to_json()
        yield from map(encode_uri, missing.names())  # reading them says that they are not there
        yield unmatched
        if record := own_record(uri, found.outline, generation, self._job_id):
            yield record


def told_unmatched(some: Unmatched) -> Iterator[TaggedOutput]:
    """Of a bundle, from its own thread: counted and under UNMATCHED, if there are any."""
    if some.files:
        count("unmatched-files", some.files)
        count("unmatched-bytes", some.bytes)
        yield TaggedOutput(UNMATCHED, some)


class PacksFiles(beam.DoFn):
    """What gives files in packets; members of archives whose place is known each by itself."""

    def __init__(self) -> None:
        self._packer = Packer()

    def start_bundle(self) -> None:
        self._packer = Packer()

    def finish_bundle(self) -> Iterator[Any]:
        for packet in self._packer.rest():
            yield in_global_window(FILES + packet)

    def _given(self, element: bytes) -> Iterator[bytes]:
        """Take the element of one file."""
        if place_of(element):
            yield element
            return
        for packet in self._packer.add(listed_file(element)):
            yield FILES + packet


class SplitPlaced(beam.DoFn):
    """Packets as they are; under PLACED members, by the stretch of the archive they are in."""

    def process(self, element: bytes) -> Iterator[Any]:
        if element.startswith(FILES):
            yield element
        elif place := place_of(element):
            number = 0 if place.in_order else place.member.at // PACKET_BYTES
            stretch = f"{place.archive}\0{place.generation}\0{number}"
            yield TaggedOutput(PLACED, (encode_uri(stretch), (place.member.at, element)))
        else:
            raise ValueError(f"{element!r} is neither a packet nor a member whose place is known")


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


class PackFiles(beam.PTransform):
    """Packets of files, and members of archives each by itself -> packets of both, in any order."""

    def expand(self, files: Any) -> Any:
        split = files | "SplitPlaced" >> beam.ParDo(SplitPlaced()).with_outputs(PLACED, main="alone")
        packed = (
            split[PLACED] | "GroupMembers" >> beam.GroupByKey() | "PackMembers" >> beam.ParDo(PackMembers())
        )
        return (split["alone"], packed) | "WithPackets" >> beam.Flatten()
