"""ArchiveStore: a store in which archives are folders, and their members files.

The store around which it stands is asked nothing of archives, and refuses what is in them: members are only read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pipeline.archives.index import Index, Key, shared_index
from pipeline.archives.listing import level
from pipeline.archives.members import Member
from pipeline.archives.names import DEEPEST
from pipeline.archives.packet import MembersAtHand
from pipeline.archives.scan import ZIP, scan
from pipeline.archives.streams import RangeReader, StreamedReader, ZipReader
from pipeline.errors import BadFileError, ObjectNotFoundError
from pipeline.storage import Entry, ListingPage, ReadStream, Store
from pipeline.storage.around import StoreAround
from pipeline.storage.entries import in_pages
from pipeline.storage.name_ranges import Share
from pipeline.uri import Uri

_HEAD_BYTES = 64 << 10


@dataclass(frozen=True)
class ArchiveStore(StoreAround):
    """A Store that asks another, and reads what is in archives.

    indexes   a folder of this machine that keeps what archives hold; it does not go along to other processes
    at_hand   members whose place is known
    """

    indexes: str | None = None
    at_hand: MembersAtHand | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return ArchiveStore, (self.store,)

    def holding(self, at_hand: MembersAtHand) -> ArchiveStore:
        """The same store, to read members whose place is known."""
        return ArchiveStore(self.store, self.indexes, at_hand)  # `replace` takes ten times as long

    def is_archive(self, uri: str) -> bool:
        place = Uri.parse(uri)
        if place.member == "":
            place = place.archive
        return self._index(place).kind is not None

    def index(self, uri: str) -> Index:
        """What an archive holds; `uri` is the archive, or it as a folder."""
        place = Uri.parse(uri)
        return self._index(place.archive if place.member == "" else place)

    # Reading

    def stat(self, uri: str) -> Entry:
        place = Uri.parse(uri)
        if not place.members:
            return self.store.stat(place)
        found = self.store.stat(place.file)
        return _entry(place, self._member(place), found)

    def open_read(
        self, uri: str, *, first_bytes: int | None = None, generation: int | None = None
    ) -> ReadStream:
        place = Uri.parse(uri)
        if self.at_hand is not None and (opened := self.at_hand.open(self, place)):
            return opened
        if place.members:
            return self._open_member(place, first_bytes)
        return self.store.open_read(place.file, first_bytes=first_bytes, generation=generation)

    def read_range(self, uri: str, start: int, end: int) -> bytes:
        place = Uri.parse(uri)
        if not place.members:
            return self.store.read_range(place.file, start, end)
        with self._open_member(place) as stream:
            return stream.read_at(start, end - start)

    def check_gives(self, uri: str) -> None:
        self.store.check_gives(Uri.parse(uri).file)

    # Listing

    def list_objects(self, prefix: str, *, recursive: bool = True) -> Iterator[Entry]:
        place = Uri.parse(prefix)
        if place.members:
            return self._members(place, recursive=recursive)
        return self.store.list_objects(place, recursive=recursive)

    def list_pages(self, prefix: str, share: Share | None = None) -> Iterator[Sequence[Entry]]:
        place = Uri.parse(prefix)
        if place.members:
            return in_pages(self._members(place, recursive=True))
        return self.store.list_pages(place, share)

    def list_folder(self, folder: str, *, page_size: int = 1000) -> Iterator[ListingPage]:
        place = Uri.parse(folder)
        if place.members:
            return self._level(place, page_size)
        return self.store.list_folder(place, page_size=page_size)

    def linked_folders(self, folder: str) -> Iterator[str]:
        place = Uri.parse(folder)
        return iter(()) if place.members else self.store.linked_folders(place)

    # Members

    def _index(self, archive: Uri) -> Index:
        """What an archive holds. Raises StorageError, and BadFileError for an archive that is not looked into."""
        with self._open(archive) as stream:
            return self._indexed(archive, stream)

    def _indexed(self, archive: Uri, stream: ReadStream) -> Index:
        """The same, of the version of which the stream is."""
        if len(archive.members) >= DEEPEST:
            raise BadFileError(
                "is within two archives, and no deeper is looked; unpack one and upload what is in it",
                of_the_file=True,
            )
        key = self._version(archive, stream)
        return shared_index(str(self.cloud.endpoint), key, self.indexes, stream.again, archive.written_path)

    def _version(self, archive: Uri, stream: ReadStream) -> Key:
        if stream.generation is not None:
            return (archive, str(stream.generation))
        found = self.store.stat(archive.file)
        return (archive, str(found.size), str(found.updated))

    def _open(self, place: Uri) -> ReadStream:
        if place.members:
            return self._open_member(place)
        return self.store.open_read(place.file, first_bytes=_HEAD_BYTES)

    def _open_member(self, place: Uri, first_bytes: int | None = None) -> ReadStream:
        if not place.member:
            raise ObjectNotFoundError(place, "is an archive as a folder, not a file")
        archive = self._open(place.archive)
        try:
            index = self._indexed(place.archive, archive)
            if index.is_in_order:
                return self._streamed(place, archive)
            member = _found(place, index, index.find(place.member))
            if index.kind == ZIP:
                return ZipReader(place, member, archive)
            first = {} if first_bytes is None else {"first_bytes": first_bytes}
            return RangeReader(place, member, archive, **first)
        except BaseException:
            archive.close()
            raise

    def _streamed(self, place: Uri, archive: ReadStream) -> ReadStream:
        """A member of a compressed tar, which is read up to it."""
        found = scan(archive, archive, place.archive.written_path)
        again = archive.again
        for member in found or ():
            if found and member.name == place.member:
                reopen = partial(self._reopened, place, again)
                return StreamedReader(place, member, archive, found, reopen)
        fault = f", which {found.outline.fault}" if found and found.outline.fault else ""
        raise ObjectNotFoundError(place, f"there is no such file in the archive{fault}")

    def _reopened(self, place: Uri, archive: Callable[[], ReadStream]) -> ReadStream:
        return self._streamed(place, archive())

    def _member(self, place: Uri) -> Member:
        index = self._index(place.archive)
        return _found(place, index, index.find(place.member or ""))

    def _members(self, place: Uri, *, recursive: bool) -> Iterator[Entry]:
        index, found = self._looked_into(place)
        start = place.member or ""
        for member in index:
            if member.name.startswith(start) and (recursive or "/" not in member.name[len(start) :]):
                yield _entry(place.archive.of(member.name), member, found)

    def _level(self, place: Uri, page_size: int) -> Iterator[ListingPage]:
        index, found = self._looked_into(place)
        for folders, members in level(index, place.member or "", page_size):
            yield ListingPage(
                tuple(place.archive.of(folder) for folder in folders),
                tuple(_entry(place.archive.of(member.name), member, found) for member in members),
            )

    def _looked_into(self, place: Uri) -> tuple[Index, Entry]:
        index = self._index(place.archive)
        if index.kind is None:
            raise ObjectNotFoundError(
                place, f"{place.archive} is no archive, so that nothing is in it ({index.why_none})"
            )
        return index, self.store.stat(place.file)


def store_of_archives(store: Store, indexes: str | None = None) -> ArchiveStore:
    """The store, with what is in archives; itself, where it has that. `indexes` keeps what they hold."""
    return store if isinstance(store, ArchiveStore) else ArchiveStore(store, indexes)


def _found(place: Uri, index: Index, member: Member | None) -> Member:
    if index.kind is None:
        raise ObjectNotFoundError(place, f"{place.archive} is no archive ({index.why_none})")
    if member is None:
        fault = f", which {index.outline.fault}" if index.outline.fault else ""
        raise ObjectNotFoundError(place, f"there is no such file in the archive{fault}")
    return member


def _entry(place: Uri, member: Member, archive: Entry) -> Entry:
    return Entry(place, member.size, archive.generation, None, archive.updated)
