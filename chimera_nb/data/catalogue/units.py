"""Which files are read together, by whom: many small ones at a time, members of an archive that lie side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pyarrow as pa

from chimera_nb.data.catalogue.reading import CatalogueReader, Unit
from pipeline.archives.packet import packets
from pipeline.archives.store import ArchiveStore, store_of_archives
from pipeline.cores import usable_cores
from pipeline.processes import in_processes
from pipeline.storage import Entry, Store
from pipeline.uri import Uri

_FILES = 100
_BYTES = 32_000_000  # of files: of a large one only its end is read
# Files that are read before other processes have loaded what they need: those of which the end tells are nearly all
# decompression, for which threads do (measured: 0.7 ms each, 0.2 of it Python's).
_ALONE, _ALONE_WHOLE = 20_000, 100
_REQUESTS = 32  # to a bucket at a time, of all processes


def read_units(reader: CatalogueReader, units: Sequence[Unit]) -> Iterator[pa.Table]:
    """The rows of each unit, in their order. Raises StoreUnavailableError, and JobError for a process that dies."""
    cores = len(usable_cores())
    is_remote = any(unit.entries[0].uri.startswith("gs://") for unit in units)
    few = _ALONE if reader.tells_by_end else _ALONE_WHOLE
    alone = cores == 1 or len(units) == 1 or sum(len(unit.entries) for unit in units) < few
    count = 1 if alone else min(cores, len(units))
    threads = max(1, (_REQUESTS if is_remote else max(2, cores)) // count)
    reader = replace(reader, threads=threads)
    return map(reader, units) if alone else in_processes(reader, units, count)


def units_of(store: Store, entries: Sequence[Entry]) -> list[Unit]:
    """Files, sorted by name, in units."""
    alone: list[Entry] = []
    by_archive: dict[str, list[Entry]] = {}
    for entry in entries:
        place = Uri.parse(entry.uri)
        if place.members:
            by_archive.setdefault(place.archive, []).append(entry)
        else:
            alone.append(entry)
    units = [Unit(group) for group in _grouped(alone)]
    for archive, members in by_archive.items():
        units += _units_in(store_of_archives(store), archive, members)
    return units


def _units_in(store: ArchiveStore, archive: str, entries: list[Entry]) -> Iterator[Unit]:
    if len(Uri.parse(archive).members) > 0:  # an archive in an archive
        yield from (Unit(group) for group in _grouped(entries))
        return
    index = store.index(archive)
    if index.is_in_order:
        yield Unit(tuple(entries), archive=archive)
        return
    wanted = {Uri.parse(entry.uri).member: entry for entry in entries}
    members = sorted((member for member in index if member.name in wanted), key=lambda member: member.at)
    for packet in packets(archive, entries[0].generation, members):
        yield Unit(tuple(wanted[member.name] for member in packet.members), packet=packet)


def _grouped(entries: Sequence[Entry]) -> Iterator[tuple[Entry, ...]]:
    group: list[Entry] = []
    size = 0
    for entry in entries:
        if group and (size + entry.size > _BYTES or len(group) == _FILES):
            yield tuple(group)
            group, size = [], 0
        group.append(entry)
        size += entry.size
    if group:
        yield tuple(group)
