"""Bring the catalogue of a folder or archive up to date: only files that are new or were replaced are read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from chimera_nb.data.catalogue.kept import find, keep, kept_at
from chimera_nb.data.catalogue.reading import CatalogueReader
from chimera_nb.data.catalogue.table import FILE, decoded, schema_of
from chimera_nb.data.catalogue.units import read_units, units_of
from chimera_nb.data.matching_files import each_once, matching_files
from pipeline.errors import ChimeraError
from pipeline.locations import Inputs
from pipeline.sources import SourcePlugin, get_decompressor
from pipeline.sources.view import View
from pipeline.storage import Entry, Store

_KEEP_EVERY = 10.0  # seconds: what is lost when the process is killed
_Version = tuple[int | None, int, str | None]


class CatalogueCancelledError(ChimeraError):
    """A catalogue was cancelled; what had been read is kept."""


@dataclass(frozen=True)
class CatalogueProgress:
    """How far a catalogue is: files listed, files to be read (None while they are listed), read, and as they were."""

    listed: int = 0
    total: int | None = None
    done: int = 0
    unchanged: int = 0

    def of_bar(self) -> tuple[int, int | None, str]:
        """How far a bar is, of how much, and what stands beside it."""
        return self.done, self.total, self.text

    @property
    def text(self) -> str:
        if self.total is None:
            return f"listing: {self.listed:,} files"
        return f"{self.done:,} of {self.total:,} files read, {self.unchanged:,} as they were"


Report = Callable[[CatalogueProgress], object]


def make_catalogue(
    store: Store,
    path: str,
    source: SourcePlugin,
    view: View,
    data_folder: Path,
    *,
    on_progress: Report = lambda _: None,
    cancel: threading.Event | None = None,
) -> pa.Table:
    """The catalogue of what a job over this path would read, each record once (`chimera_nb.data.catalogue.table`).

    What is kept is used where the file is the same by its generation, or size and time of change. However this ends,
    what has been read by then is kept. Raises CatalogueCancelledError, NothingMatchesError, RefusedError, StorageError.
    """
    schema = schema_of(view)
    (located,) = Inputs((path,)).uris
    endpoint = store.cloud.endpoint if located.startswith("gs://") else None
    kept = kept_at(data_folder, path=located, source=source.name, view=view.name, endpoint=endpoint)
    state = CatalogueProgress()

    def listed(count: int) -> None:
        _check(cancel)
        if count % 500 == 0:
            on_progress(CatalogueProgress(listed=count))

    entries = each_once(matching_files(store, [located], source, listed), source)
    before = find(kept, schema)
    unchanged, left = _compared(before, entries)
    state = CatalogueProgress(len(entries), len(left), 0, len(entries) - len(left))
    on_progress(state)
    tables = [unchanged]
    reader = CatalogueReader(store, view, get_decompressor(source), threads=1)
    written = time.monotonic()
    try:
        with closing(_each(reader, store, left)) as found:
            for table in found:
                tables.append(table)
                state = replace(state, done=state.done + pc.count_distinct(table["file"]).as_py())
                on_progress(state)
                _check(cancel)
                if time.monotonic() - written > _KEEP_EVERY:
                    keep(kept, pa.concat_tables(tables))
                    written = time.monotonic()
    finally:
        made = pa.concat_tables(tables)
        if left or made.num_rows != before.num_rows:
            keep(kept, made)
    return made.sort_by([("file", "ascending")])


def _each(reader: CatalogueReader, store: Store, entries: list[Entry]) -> Generator[pa.Table, None, None]:
    yield from read_units(reader, units_of(store, entries)) if entries else ()


def _check(cancel: threading.Event | None) -> None:
    if cancel is not None and cancel.is_set():
        raise CatalogueCancelledError("the catalogue was cancelled; what had been read by then is kept")


def _compared(kept: pa.Table, entries: list[Entry]) -> tuple[pa.Table, list[Entry]]:
    """The rows of files that are as they were, and the files that are not."""
    versions: dict[bytes, _Version] = {}
    columns = [kept[name].to_pylist() for name in FILE.names[:4]]
    for uri, generation, size, updated in zip(*columns, strict=True):
        versions[uri] = (generation, size, updated)
    same: list[bytes] = []
    listed = {entry.uri: entry for entry in entries}
    for uri, version in versions.items():
        entry = listed.get(decoded(uri))
        if entry is not None and version == (entry.generation, entry.size, entry.updated):
            same.append(uri)
            del listed[entry.uri]
    return kept.filter(pc.is_in(kept["file"], pa.array(same, pa.binary()))), list(listed.values())
