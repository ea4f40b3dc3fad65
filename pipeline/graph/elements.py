"""Files as elements between stages: their URIs as bytes of UTF-8, since a local name may be no text at all.

No URI has a zero byte. Behind one, an element has where the file is in its archive (`FileAt`); before other bytes it
says what else the element is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.archives.members import Member
from pipeline.archives.packet import MembersAtHand, OpenPacket, Packet

UNKNOWN_SIZE = -1  # of a file that was not listed
_ZERO = b"\0"
PACKET = b"\0P"  # behind it the JSON of a packet of members
RECORDS = "records"  # the tag of FileRecords beside other elements
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


def encode_member(uri: str, place: Place) -> bytes:
    """The element of a member whose place is known."""
    values = [*place[:3], place.member.to_json()]
    return encode_uri(uri) + _ZERO + json.dumps(values, separators=(",", ":")).encode()


def place_of(element: bytes) -> Place | None:
    """None for an element that does not say."""
    _, _, place = element.partition(_ZERO)
    if not place:
        return None
    archive, generation, in_order, member = json.loads(place)
    return Place(archive, generation, in_order, Member.from_json(member))


def encode_in_order(archive: str, generation: int | None, uris: list[str]) -> bytes:
    return IN_ORDER + json.dumps([archive, generation, uris], separators=(",", ":")).encode()


def decode_in_order(element: bytes) -> tuple[str, int | None, list[str]]:
    archive, generation, uris = json.loads(element[len(IN_ORDER) :])
    return archive, generation, uris


def count_files(element: bytes) -> int:
    """How many files an element stands for, of those that are listed."""
    return len(Packet.from_json(element[len(PACKET) :]).members) if element.startswith(PACKET) else 1


def packet_bytes(element: bytes) -> int | None:
    """How many bytes the files of a packet have; None for an element that is none."""
    if not element.startswith(PACKET):
        return None
    return sum(member.size for member in Packet.from_json(element[len(PACKET) :]).members)


@dataclass(frozen=True)
class FileToRead:
    """A file, and what it can be opened by where it is a member whose place is known."""

    uri: str
    at_hand: MembersAtHand | None = None


def files_to_read(element: bytes) -> Iterator[FileToRead]:
    """The file of a URI, or those of a packet."""
    if not element.startswith(PACKET):
        yield FileToRead(decode_uri(element))
        return
    packet = Packet.from_json(element[len(PACKET) :])
    opened = OpenPacket(packet)
    for uri in packet.uris():
        yield FileToRead(uri, opened)
