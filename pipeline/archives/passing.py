"""Compressed tars gone through once, for somebody who reads many of their members one by one.

By itself each opening of such a member reads the archive up to it: all of them together in time that grows with the
square of their number.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, cast

from pipeline.archives.members import Member
from pipeline.archives.scan import Scan, scan
from pipeline.archives.streams import MemberReader, Reopen, StreamedReader
from pipeline.closes import Closes
from pipeline.errors import BadFileError, StorageError
from pipeline.storage import ReadStream
from pipeline.uri import Uri

if TYPE_CHECKING:
    from pipeline.archives.index import Index
    from pipeline.archives.store import ArchiveStore

_SMALL_BYTES = 1 << 20  # a member that is read at once, so that the archive waits for nobody
_KEPT_BYTES = (
    32 << 20
)  # of members that were passed, and may be asked for yet: threads ask in about the order


class PassingScans(Closes):
    """For `ArchiveStore.holding`: members of compressed tars, out of one scan of each while they come in its order.

    Used from several threads. A member larger than a megabyte holds its archive until it is closed, so that a thread
    may have one member open at a time.
    """

    def __init__(self) -> None:
        self._archives: dict[str, _Passing] = {}
        self._lock = threading.Lock()

    def open(self, store: ArchiveStore, uri: Uri) -> ReadStream | None:
        if len(uri.members) != 1 or not uri.member:
            return None
        return self._of(uri).open(store, uri)

    def in_order(self, store: ArchiveStore, uris: Iterable[str]) -> list[str]:
        """The URIs, those of one archive together and in its order. Raises nothing: opening tells what is wrong."""

        def key(uri: str) -> tuple[str, int, str]:
            place = Uri.parse(uri)
            if len(place.members) != 1 or not place.member:
                return uri, 0, ""
            at = self._of(place).place(store, place)
            return place.archive, at, uri

        return sorted(uris, key=key)

    def close(self) -> None:
        for archive in self._archives.values():
            archive.close()

    def _of(self, place: Uri) -> _Passing:
        with self._lock:
            return self._archives.setdefault(place.archive, _Passing(place.archive))


class _Passing:
    """One archive. The lock is held by whoever reads from the scan."""

    def __init__(self, archive: Uri) -> None:
        self._archive = archive
        self._lock = threading.Lock()
        self._index: Index | None = None
        self._stream: ReadStream | None = None
        self._scan: Scan | None = None
        self._reached = -1  # where the member begins at which the scan stands
        self._size = 0  # its bytes
        self._kept: OrderedDict[int, bytes] = OrderedDict()  # by where they begin
        self._kept_bytes = 0

    def place(self, store: ArchiveStore, place: Uri) -> int:
        """Where a member begins; 0 where the archive, or the member, is none that is read in order."""
        with self._lock, suppress(BadFileError, StorageError):
            member = self._member(store, place)
            return member.at if member else 0
        return 0

    def open(self, store: ArchiveStore, place: Uri) -> ReadStream | None:
        self._lock.acquire()
        release = True
        try:
            member = self._member(store, place)
            if member is None or member.problem:
                return None
            reopen = _reopen(store, place)
            data = self._taken(member.at)
            if data is None:
                self._go_to(store, member)
                if self._scan is None or self._stream is None:
                    return None
                if member.size > _SMALL_BYTES:
                    release = False
                    return _Passed(place, member, (self._stream, self._scan), reopen, self._released)
                data = self._read()
            return HeldReader(place, member, cast("ReadStream", self._stream), data, reopen)
        except BadFileError:
            self._end()
            return None  # opened by itself it says what is wrong
        except BaseException:
            self._end()
            raise
        finally:
            if release:
                self._lock.release()

    def _released(self, *, good: bool) -> None:
        if not good:
            self._end()
        self._lock.release()

    def close(self) -> None:
        with self._lock:
            self._end()

    def _member(self, store: ArchiveStore, place: Uri) -> Member | None:
        if self._index is None:
            self._index = store.index(self._archive)
        return self._index.find(place.member or "") if self._index.is_in_order else None

    def _go_to(self, store: ArchiveStore, member: Member) -> None:
        """Have the scan stand at a member; no scan where it is not there."""
        if self._reached >= member.at:
            self._end()
        if self._scan is None:
            self._stream = store.store.open_read(self._archive.file)
            self._scan = scan(self._stream, self._stream, self._archive.written_path)
        for found in self._scan or ():
            self._reached = found.at
            self._size = found.size
            if found.at == member.at and found.name == member.name:
                return
            if found.size <= _SMALL_BYTES and not found.problem:
                self._keep(found.at, self._read())
        self._end()

    def _read(self) -> bytes:
        """The small member at which the scan stands."""
        forward = self._scan.forward if self._scan else None
        pieces, left = [], self._size
        while forward and left and (piece := forward.read_some(left)):
            pieces.append(piece)
            left -= len(piece)
        if left:
            raise BadFileError("is cut off", of_the_file=True)
        return b"".join(pieces)

    def _keep(self, at: int, data: bytes) -> None:
        self._kept[at] = data
        self._kept_bytes += len(data)
        while self._kept_bytes > _KEPT_BYTES:
            self._kept_bytes -= len(self._kept.popitem(last=False)[1])

    def _taken(self, at: int) -> bytes | None:
        data = self._kept.pop(at, None)
        self._kept_bytes -= len(data or b"")
        return data

    def _end(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream = self._scan = None
        self._reached, self._kept_bytes = -1, 0
        self._kept.clear()


class _Release(Protocol):
    def __call__(self, *, good: bool) -> None: ...


class _Passed(StreamedReader):
    """A large member: the archive is free again once it is closed."""

    def __init__(
        self,
        uri: Uri,
        member: Member,
        source: tuple[ReadStream, Scan],
        reopen: Reopen,
        release: _Release,
    ) -> None:
        super().__init__(uri, member, *source, reopen, owned=False)
        self._release: _Release | None = release
        self._good = True

    def prove(self) -> None:
        """The archive is read to its end by itself, and proves all of it."""
        with self.again() as stream:
            stream.prove()

    def close(self) -> None:
        super().close()
        release, self._release = self._release, None
        if release:
            release(good=self._good)

    def _next(self, size: int) -> bytes:
        try:
            return super()._next(size)
        except BaseException:
            self._good = False  # there is no going on with a scan that failed
            raise


class HeldReader(MemberReader):
    """A member of a compressed tar whose bytes are at hand."""

    def __init__(self, uri: Uri, member: Member, archive: ReadStream, data: bytes, reopen: Reopen) -> None:
        super().__init__(uri, member, archive)
        self._data, self._reopen = data, reopen

    def stored_bytes(self) -> int:
        return self._archive.length()  # there is no telling which of them are the member's

    def read_at(self, start: int, size: int) -> bytes:
        return self._data[start : start + max(0, size)]

    def again(self) -> ReadStream:
        return self._reopen()

    def prove(self) -> None:
        with self.again() as stream:
            stream.prove()

    def close(self) -> None:
        """The archive is that of all members."""

    def _expected(self) -> tuple[int | None, str | None]:
        return self._member.size, None

    def _next(self, size: int) -> bytes:
        return self._data[self.size : self.size + size]


def _reopen(store: ArchiveStore, place: Uri) -> Reopen:
    """The member by itself, without what is at hand here."""
    return lambda: replace(store, at_hand=None).open_read(place)
