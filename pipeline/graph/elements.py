"""Files as elements between stages: their URIs as bytes of UTF-8, since a local name may be no text at all.

No URI has a zero byte. Behind one, an element has what was listed of the file, or where it is in its archive (`Place`);
before other bytes it says what else the element is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from pipeline.archives.members import Member
from pipeline.archives.packet import MembersAtHand, OpenPacket, Packet
from pipeline.inputs.packets import ListedFile, unpack

_ZERO = b"\0"
FILES = b"\0F"  # behind it a packet of files
PACKET = b"\0P"  # behind it the JSON of a packet of members
RECORDS = "records"  # the tag of FileRecords beside other elements
UNMATCHED = "unmatched"  # and of Unmatched
IN_ORDER = b"\0O"  # behind it that of files in an archive that is read in order


def encode_uri(uri: str) -> bytes:
    return uri.encode("utf-8", "surrogateescape")


def decode_uri(element: bytes) -> str:
    """The URI of a file, whether the element says where it is or not."""
    return element.partition(_ZERO)[0].decode("utf-8", "surrogateescape")


class Place(NamedTuple):
    """Where a member is: its archive, the version of that, and whether it can be read in order alone."""

    archive: str
    generation: int | None
    in_order: bool
    member: Member


def encode_file(file: ListedFile) -> bytes:
    """The element of one file as it was listed."""
    return (
        encode_uri(file.uri)
        + _ZERO
        + json.dumps([file.size, file.generation, file.crc32c], separators=(",", ":")).encode()
    )


def encode_member(uri: str, place: Place) -> bytes:
    """The element of a member whose place is known."""
    values = [*place[:3], place.member.to_json()]
    return encode_uri(uri) + _ZERO + json.dumps(values, separators=(",", ":")).encode()


def place_of(element: bytes) -> Place | None:
    """None for an element that does not say."""
    _, _, place = element.partition(_ZERO)
    values: list[Any] = json.loads(place) if place else []
    if len(values) != len(Place._fields):
        return None
    archive, generation, in_order, member = values
    return Place(archive, generation, in_order, Member.from_json(member))


def listed_file(element: bytes) -> ListedFile:
    """The file of an element of one: of a member the size, and where nothing is said the URI alone."""
    uri, _, about = element.partition(_ZERO)
    if place := place_of(element):
        return ListedFile(decode_uri(uri), place.member.size)
    return ListedFile(decode_uri(uri), *(json.loads(about) if about else ()))


def each_file(element: bytes) -> Iterator[tuple[bytes, ListedFile]]:
    """An element and its file, or those of each file where it is a packet of them."""
    if element.startswith(FILES):
        for file in unpack(element[len(FILES) :]):
            yield encode_file(file), file
    else:
        yield element, listed_file(element)


def encode_in_order(archive: str, generation: int | None, uris: list[str]) -> bytes:
    return IN_ORDER + json.dumps([archive, generation, uris], separators=(",", ":")).encode()


def decode_in_order(element: bytes) -> tuple[str, int | None, list[str]]:
    archive, generation, uris = json.loads(element[len(IN_ORDER) :])
    return archive, generation, uris


def listed_files(element: bytes) -> Iterator[ListedFile]:
    """The files that an element stands for, of those that are listed; of members just their sizes."""
    if element.startswith(FILES):
        yield from unpack(element[len(FILES) :])
    elif element.startswith(PACKET):
        yield from (
            ListedFile("", member.size) for member in Packet.from_json(element[len(PACKET) :]).members
        )
    else:
        yield listed_file(element)


@dataclass(frozen=True)
class FileToRead:
    """A file: what was listed of it, and what it can be opened by where it is a member whose place is known."""

    listed: ListedFile
    at_hand: MembersAtHand | None = None


def files_to_read(element: bytes) -> Iterator[FileToRead]:
    """The file of an element, or those of a packet."""
    if element.startswith(FILES):
        yield from map(FileToRead, unpack(element[len(FILES) :]))
    elif element.startswith(PACKET):
        packet = Packet.from_json(element[len(PACKET) :])
        opened = OpenPacket(packet)
        for uri in packet.uris():
            yield FileToRead(ListedFile(uri), opened)
    else:
        yield FileToRead(listed_file(element))
