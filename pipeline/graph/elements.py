"""Files as elements between stages: their URIs as bytes of UTF-8, since a local name may be no text at all.

No URI has a zero byte. Behind one, an element has where the file is in its archive (`FileAt`); before other bytes it
says what else the element is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.archives.members import Member
from pipeline.archives.packet import MembersAtHand, OpenPacket, Packet

UNKNOWN_SIZE = -1  # of a file that was not listed
_ZERO = b"\0"
PACKET = b"\0P"  # behind it the JSON of a packet of members
RECORD = b"\0R"  # behind it a record of the ledger that is final, as its line


def encode_uri(uri: str) -> bytes:
    return uri.encode("utf-8", "surrogateescape")


def decode_uri(element: bytes) -> str:
    """The URI of a file, whether the element says where it is or not."""
    return element.partition(_ZERO)[0].decode("utf-8", "surrogateescape")


def encode_member(uri: str, archive: str, generation: int | None, member: Member) -> bytes:
    """The element of a member whose place is known."""
    place = json.dumps([archive, generation, member.to_json()], separators=(",", ":")).encode()
    return encode_uri(uri) + _ZERO + place


def place_of(element: bytes) -> tuple[str, int | None, Member] | None:
    """The archive of a member, its version, and the member; None for an element that does not say."""
    _, _, place = element.partition(_ZERO)
    if not place:
        return None
    archive, generation, member = json.loads(place)
    return archive, generation, Member.from_json(member)


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
