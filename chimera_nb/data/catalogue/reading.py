"""Files -> their rows of a catalogue. What a file ends with is enough where its view can tell by that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from chimera_nb.data.catalogue.table import FileRows, schema_of, table_of
from pipeline.archives.packet import OpenPacket, Packet
from pipeline.archives.store import store_of_archives
from pipeline.codecs.bz2_bits import LONGEST_BLOCK
from pipeline.codecs.bz2_end import last_block
from pipeline.errors import BadFileError, StorageError, StoreUnavailableError
from pipeline.inputs.wanted import Wanted
from pipeline.read.file import ReadFile, ReadOptions, read_file
from pipeline.read.members import read_members
from pipeline.sources.view import View
from pipeline.storage import Entry, ReadStream, Store
from pipeline.uri import escape

_END_BYTES = 256 << 10  # stored: most blocks of text are shorter
_MAGIC = b"BZh"


@dataclass(frozen=True)
class Unit:
    """Files that are read together.

    packet   the members that they are, where they lie side by side in an archive
    archive  the archive that they are in, where it is read from its beginning to its end
    """

    entries: tuple[Entry, ...]
    packet: Packet | None = None
    archive: str | None = None


@dataclass(frozen=True)
class CatalogueReader:
    """A unit -> the rows of its files, by this process or another. Raises StoreUnavailableError."""

    store: Store
    view: View
    codec: str
    threads: int

    def __call__(self, unit: Unit) -> pa.Table:
        return table_of(self._found(unit), schema_of(self.view))

    @property
    def tells_by_end(self) -> bool:
        """Whether the view can tell by the end of a file at all."""
        return type(self.view).row_of_end is not View.row_of_end

    @property
    def _options(self) -> ReadOptions:
        return ReadOptions(codec=self.codec, view=self.view)

    def _found(self, unit: Unit) -> Iterator[FileRows]:
        if unit.archive is not None:
            yield from self._in_order(unit, unit.archive)
            return
        store = self.store
        if unit.packet is not None:
            store = store_of_archives(store).holding(OpenPacket(unit.packet))
        if len(unit.entries) == 1 or self.threads == 1:
            yield from (self._rows_of(store, entry) for entry in unit.entries)
            return
        with ThreadPoolExecutor(self.threads, thread_name_prefix="read-catalogue") as pool:
            yield from pool.map(lambda entry: self._rows_of(store, entry), unit.entries)

    def _in_order(self, unit: Unit, archive: str) -> Iterator[FileRows]:
        left = {entry.uri: entry for entry in unit.entries}
        wanted = Wanted(map(escape, left))
        for file in read_members(self.store, archive, self._options, wanted):
            if entry := left.pop(file.record.uri, None):
                yield _whole(file, entry, self.view)
        for entry in left.values():
            yield FileRows(entry, [], "is not in the archive any more, or the archive is at fault before it")

    def _rows_of(self, store: Store, entry: Entry) -> FileRows:
        try:
            row = self._by_end(store, entry)
        except StoreUnavailableError:
            raise
        except StorageError as e:
            return FileRows(entry, [], e.about_it, may_pass=True)
        except BadFileError:
            row = None  # reading all of it says why
        if row is not None:
            return FileRows(entry, [row])
        return _whole(read_file(store, entry.uri, self._options), entry, self.view)

    def _by_end(self, store: Store, entry: Entry) -> Mapping[str, Any] | None:
        """The row of a file by its end; None where that does not tell."""
        if not self.tells_by_end:
            return None
        with store.open_read(entry.uri) as stream:
            size = stream.length()
            for length in (_END_BYTES, LONGEST_BLOCK):
                found = _end_of(stream, size, length)
                if found is not None:
                    return self.view.row_of_end(found, entry.uri)
                if length >= size:
                    return None
        return None


def _end_of(stream: ReadStream, size: int, length: int) -> bytes | None:
    """The last whole lines of a bzip2 file, by its last bytes."""
    is_whole = length >= size
    if is_whole:
        stored = stream.read_whole()
        if not stored.startswith(_MAGIC):
            return None
    else:
        if stream.read_at(0, len(_MAGIC)) != _MAGIC:
            return None
        stored = stream.read_at(size - length, length)
    raw = last_block(stored, is_whole=is_whole)
    if raw is None:
        return None
    return raw if is_whole and raw.startswith(b"{") else raw[raw.find(b"\n") + 1 :]


def _whole(file: ReadFile, entry: Entry, view: View) -> FileRows:
    names = schema_of(view).names
    rows: list[Mapping[str, Any]] = []
    for batch in file.blocks():
        rows += batch.select([name for name in names if name in batch.schema.names]).to_pylist()
    return FileRows(entry, [] if file.record.error else rows, file.record.error)
