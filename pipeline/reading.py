"""Read one file whole: its lines, held back until it has proved good, and its record for the ledger.

The lines wait in memory as long as this process has room for them, and beyond that on the worker's disk.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import IO

from pipeline.blocks import BLOCK_BYTES, whole_lines
from pipeline.codecs import HEAD_BYTES, choose_codec, mismatch
from pipeline.codecs.intake import Intake
from pipeline.errors import BadFileError, StorageError
from pipeline.ledger import FileRecord
from pipeline.progress import tally
from pipeline.storage import ReadStream, Store
from pipeline.text_format import text_format

HELD_BYTES = 64 << 20  # raw bytes that all files being read may hold in this process's memory together


class Room:
    """Bytes that may be held in memory, shared by the threads of a process."""

    def __init__(self, total: int) -> None:
        self._free = total
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Whether there was room; never waits, so that two files cannot wait for each other."""
        with self._lock:
            if size > self._free:
                return False
            self._free -= size
            return True

    def give_back(self, size: int) -> None:
        with self._lock:
            self._free += size


_room = Room(HELD_BYTES)
# More decoders than cores gain nothing, and each holds a megabyte or more.
_decoding = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))


class HeldLines:
    """Blocks of whole lines on their way from a reading thread to the bundle's thread."""

    def __init__(self, room: Room = _room) -> None:
        self._room = room
        self._blocks: list[bytes] = []
        self._in_memory = 0
        self._spool: IO[bytes] | None = None
        self.size = 0
        self.lines = 0

    def add(self, block: bytes) -> None:
        self.size += len(block)
        self.lines += block.count(b"\n")
        if self._spool is None and self._room.take(len(block)):
            self._blocks.append(block)
            self._in_memory += len(block)
            return
        if self._spool is None:
            self._spool = tempfile.TemporaryFile(prefix="chimera-")  # noqa: SIM115 - closed by `drop`
        self._spool.write(block)

    def blocks(self) -> Iterator[bytes]:
        """The blocks in order, each given up as it is taken; all of them when the taker stops early."""
        try:
            for i, block in enumerate(self._blocks):
                self._blocks[i] = b""
                yield block
                self._give_back(len(block))
            self._blocks.clear()
            if self._spool is not None:
                self._spool.seek(0)
                yield from whole_lines(iter(partial(self._spool.read, BLOCK_BYTES), b""))
        finally:
            self.drop()

    def drop(self) -> None:
        """Let go of everything; may be repeated."""
        self._blocks.clear()
        self._give_back(self._in_memory)
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    def _give_back(self, size: int) -> None:
        self._in_memory -= size
        self._room.give_back(size)


@dataclass
class ReadFile:
    """What became of one file: its record, and the lines that go out (none if it failed)."""

    record: FileRecord
    lines: HeldLines = field(default_factory=HeldLines)


def read_file(store: Store, uri: str, *, codec: str = "auto", keep_partial: bool = False) -> ReadFile:
    """Read and decode a file to its end. Whatever is wrong with it is in the record; raises nothing for it.

    A file that cannot be opened, or not be read to its end after the store's own retries, is a failed file as
    well: it is on record and can be tried again.
    """
    began = time.monotonic()
    result = ReadFile(FileRecord(uri, "failed"))
    try:
        with store.open_read(uri) as stream, _decoding:
            _read_into(result, stream, codec)
    except (BadFileError, StorageError) as e:
        result.record = replace(result.record, status="failed", error=_reason(e, uri))
        if not keep_partial:
            result.lines.drop()
            result.lines = HeldLines()
    except BaseException:
        result.lines.drop()
        raise
    result.record = replace(
        result.record,
        lines=result.lines.lines,
        output_bytes=result.lines.size,
        seconds=round(time.monotonic() - began, 3),
    )
    return result


def _read_into(result: ReadFile, stream: ReadStream, wanted: str) -> None:
    """Fill in the lines and the record; on an error both hold what was known by then."""
    raw_bytes = read_bytes = 0
    name = None
    looks = None

    def decoded() -> Iterator[bytes]:
        nonlocal raw_bytes, read_bytes
        for chunk in codec.decode(intake):
            raw_bytes += len(chunk)
            tally("raw-bytes", len(chunk))
            tally("read-bytes", stream.size - read_bytes)
            read_bytes = stream.size
            yield chunk

    try:
        intake = Intake(stream)
        codec = choose_codec(intake.peek(HEAD_BYTES), result.record.uri, wanted)
        name = codec.name
        for block in whole_lines(decoded()):
            if not result.lines.size:
                looks = text_format(block)
            result.lines.add(block)
        stream.verify()
        notes = (mismatch(codec, result.record.uri), looks and looks.note)
        result.record = replace(
            result.record,
            status="complete",
            crc32c=stream.crc32c,
            note="; ".join(note for note in notes if note) or None,
        )
    finally:
        tally("read-bytes", stream.size - read_bytes)
        result.record = replace(
            result.record, generation=stream.generation, size=stream.size, codec=name, raw_bytes=raw_bytes
        )


def _reason(error: Exception, uri: str) -> str:
    return str(error).removeprefix(f"{uri}: ")
