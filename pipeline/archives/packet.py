"""Packets: members of one archive that are read together, with one request for those that lie side by side."""

from __future__ import annotations

import json
import tempfile
import threading
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Protocol

from pipeline.archives.members import AGAIN, AGAIN_LATER, Member, Told
from pipeline.archives.streams import Ahead, RangeReader, ZipReader
from pipeline.archives.tar_files import read_stretch
from pipeline.errors import ObjectChangedError
from pipeline.storage import ReadStream, Store
from pipeline.uri import Uri

if TYPE_CHECKING:
    from pipeline.archives.store import ArchiveStore

PACKET_BYTES = 8 << 20
_MEMBERS = 256  # as of files; a packet is soon done, so that no worker waits long for the last one
_IN_MEMORY = 50_000  # members: some 15 MB
_SPOOL_BYTES = 1 << 20  # of those after them; no file is made for fewer
_GAP_BYTES = 64 << 10  # between members, that is read and not wanted
_ZIP_HEADER_BYTES = 512  # of a local header; what one has more of is asked for by itself


@dataclass(frozen=True)
class Packet:
    """Members of one archive: `archive` as it is written, `generation` the version they were found in."""

    archive: str
    generation: int | None
    members: tuple[Member, ...]

    def to_json(self) -> bytes:
        document = [self.archive, self.generation, [member.to_json() for member in self.members]]
        return json.dumps(document, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Packet:
        archive, generation, members = json.loads(data)
        return cls(archive, generation, tuple(map(Member.from_json, members)))

    def uris(self) -> list[Uri]:
        place = Uri.parse(self.archive)
        return [place.of(member.name) for member in self.members]


def last_of_each(members: Iterable[Member], told: Told) -> Iterator[Member]:
    """The members, of several of one name the last, as tar and unzip have it; `told` has the names of the others.

    Only the end tells. Where they are many, those after the first wait on the temporary disk, and of each a number
    stays in memory.
    """
    seen: set[int] = set()
    left: dict[str, int] = {}

    def counted() -> Iterator[Member]:
        for member in members:
            if (number := hash(member.name)) in seen:
                left[member.name] = left.get(member.name, 0) + 1
            seen.add(number)
            yield member

    found = counted()
    first = list(islice(found, _IN_MEMORY))
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES, prefix="chimera-") as spool:
        for member in found:
            spool.write(json.dumps(member.to_json()).encode() + b"\n")
        spool.seek(0)
        for member in chain(first, map(Member.from_json, map(json.loads, spool))):
            if left.get(member.name):
                left[member.name] -= 1
                told.pass_over(AGAIN, member.name)
            else:
                yield member


def first_of_each(members: Iterable[Member], told: Told) -> Iterator[Member]:
    """The members, of several of one name the first, as a stream is read; `told` has the names of the others.

    All are found before the first is given.
    """
    seen: dict[str, Member] = {}
    for member in members:
        if seen.setdefault(member.name, member) is not member:
            told.pass_over(AGAIN_LATER, member.name)
    yield from seen.values()


def packets(archive: str, generation: int | None, members: Iterable[Member]) -> Iterator[Packet]:
    """Members in packets, in their order: neighbours together, up to PACKET_BYTES; a larger one by itself."""
    held: list[Member] = []
    for member in members:
        if held and not _go_together(held, member):
            yield Packet(archive, generation, tuple(held))
            held = []
        held.append(member)
    if held:
        yield Packet(archive, generation, tuple(held))


def _go_together(held: list[Member], member: Member) -> bool:
    gap = member.at - _end(held[-1])
    return (
        len(held) < _MEMBERS
        and -_ZIP_HEADER_BYTES - 64 <= gap <= _GAP_BYTES
        and _end(member) - held[0].at <= PACKET_BYTES
    )


def _end(member: Member) -> int:
    header = _ZIP_HEADER_BYTES + len(member.name.encode("utf-8", "surrogateescape")) if member.entry else 0
    return member.at + member.packed + header


class MembersAtHand(Protocol):
    """Members that can be opened without looking for them."""

    def open(self, store: ArchiveStore, uri: Uri) -> ReadStream | None:
        """A member's bytes; None for a URI that is not one of these. Raises as `Store.open_read`."""


class OpenPacket:
    """A packet that is being read, by several threads: its bytes are asked for once, by the first of them."""

    def __init__(self, packet: Packet) -> None:
        self._packet = packet
        self._members = dict(zip(packet.uris(), packet.members, strict=True))
        self._place = Uri.parse(packet.archive)
        self._lock = threading.Lock()
        self._archive: Ahead | None = None

    def open(self, store: ArchiveStore, uri: Uri) -> ReadStream | None:
        member = self._members.get(uri)
        if member is None:
            return None
        archive = self._opened(store.store)
        return (ZipReader if member.entry else RangeReader)(uri, member, archive)

    def _opened(self, store: Store) -> Ahead:
        with self._lock:
            if self._archive is None:
                stream = store.open_read(self._place.file, first_bytes=1)
                try:
                    self._archive = self._ahead(stream)
                except BaseException:
                    stream.close()
                    raise
                weakref.finalize(self, stream.close)
            return self._archive

    def _ahead(self, stream: ReadStream) -> Ahead:
        if stream.generation != self._packet.generation:
            raise ObjectChangedError(
                self._packet.archive, "was replaced since the files in it were listed; run the job again"
            )
        first, last = self._packet.members[0], self._packet.members[-1]
        start, size = first.at, min(_end(last), stream.length()) - first.at
        if size > PACKET_BYTES + _ZIP_HEADER_BYTES or len(self._packet.members) == 1:
            return Ahead(stream, 0, b"")
        return Ahead(stream, start, read_stretch(stream, start, size))
