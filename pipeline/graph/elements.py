"""What goes between the stages: bytes, each a file's URI, or begun by a sign of what else it is.

A URI is the bytes of its UTF-8 (a local name may be no text at all), and has no zero byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.archives.packet import MembersAtHand, OpenPacket, Packet

PACKET = b"\0P"  # behind it the JSON of a packet of members
RECORD = b"\0R"  # behind it a record of the ledger that is final, as its line


def encode_uri(uri: str) -> bytes:
    return uri.encode("utf-8", "surrogateescape")


def decode_uri(element: bytes) -> str:
    return element.decode("utf-8", "surrogateescape")


def packet_of(element: bytes) -> Packet:
    return Packet.from_json(element[len(PACKET) :])


def count_files(element: bytes) -> int:
    """How many files an element stands for."""
    return len(packet_of(element).members) if element.startswith(PACKET) else 1


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
    packet = packet_of(element)
    opened = OpenPacket(packet)
    for uri in packet.uris():
        yield FileToRead(uri, opened)
