"""Many files as rows of a view, by as many processes as there are cores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chimera_nb.data.view_reader import FileRows, ViewReader
from pipeline.cores import usable_cores
from pipeline.processes import in_processes
from pipeline.read.file import ReadOptions
from pipeline.storage import Entry, Store

_ALONE_BYTES = 2_000_000  # of files: less is read before another process has begun
_AT_ONCE_BYTES = 4_000_000  # of files that a process is given at a time
_AT_ONCE = 64


def read_view(store: Store, options: ReadOptions, files: Sequence[Entry]) -> Iterator[FileRows]:
    """The rows of each file, in their order. Raises StoreUnavailableError, and JobError for a process that dies."""
    cores = len(usable_cores())
    groups = list(_grouped(files))
    read = ViewReader(store, options)
    alone = cores == 1 or len(files) == 1 or sum(entry.size for entry in files) < _ALONE_BYTES
    found = map(read, groups) if alone else in_processes(read, groups, min(cores, len(groups)))
    for rows in found:
        yield from rows


def _grouped(files: Sequence[Entry]) -> Iterator[list[str]]:
    group: list[str] = []
    size = 0
    for entry in files:
        if group and (size + entry.size > _AT_ONCE_BYTES or len(group) == _AT_ONCE):
            yield group
            group, size = [], 0
        group.append(entry.uri)
        size += entry.size
    if group:
        yield group
