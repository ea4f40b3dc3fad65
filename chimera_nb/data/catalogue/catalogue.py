"""Choose files by what is in them: the catalogue of folders and archives, filtered, counted, as a DataFrame."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from chimera_nb.arguments import AnyPath, path_text, path_texts
from chimera_nb.data.catalogue.choice import Choice, choice_of, chosen, count_values, word_of
from chimera_nb.data.catalogue.ids import ids_of_csv
from chimera_nb.data.catalogue.make import CatalogueProgress, Report, make_catalogue
from chimera_nb.data.catalogue.table import FILE, decoded
from chimera_nb.jobs.limits import storable
from chimera_nb.machine.kernel import bar_in_kernel
from chimera_nb.session import Session
from pipeline.errors import NothingMatchesError, RefusedError
from pipeline.folders import absolute
from pipeline.sources import get_source
from pipeline.sources.view import View
from pipeline.sources.views import sources_with_facets, view_with_facets
from pipeline.storage import Store

if TYPE_CHECKING:
    import pandas as pd


class Catalogue:
    """What is in some files, and which of it is chosen: at first all.

    Nothing is changed: `filter` and `of_ids` give another one.
    """

    def __init__(
        self, table: pa.Table, view: View, choice: Choice | None = None, missing: Iterable[str] = ()
    ) -> None:
        """`missing` are ids that were asked for and are in no file."""
        self._all, self._view, self._choice = table, view, choice or Choice()
        self._chosen = chosen(table, view, self._choice)
        self.missing = tuple(missing)

    def filter(
        self,
        *,
        since: str | date | None = None,
        until: str | date | None = None,
        **facets: Any,
    ) -> Catalogue:
        """The rows with these values, such as country="GB", market_type=["WIN", "PLACE"], since="2020-01-01".

        Values of one facet are alternatives; None stands for none. Days are both included. Raises UnknownNameError for
        a facet, and RefusedError for a day that is none.
        """
        asked = choice_of(self._view, facets, since=since, until=until)
        return Catalogue(self._all, self._view, self._choice.also(asked), self.missing)

    def of_ids(self, ids: Iterable[str] | AnyPath) -> Catalogue:
        """The rows with these ids: a list of them, or the path of a local CSV; `missing` has those that no file has."""
        if isinstance(ids, str | os.PathLike):
            path = Path(absolute(path_text(ids)))
            try:
                data = path.read_bytes()
            except OSError as e:
                raise RefusedError(f"{path} cannot be read: {e.strerror}; give a CSV on this machine") from e
            ids = ids_of_csv(data, path.name, self._view.key)
        wanted = list(dict.fromkeys(map(str, ids)))
        there = set(self._all[self._view.key].to_pylist())
        missing = [one for one in wanted if one not in there]
        asked = choice_of(self._view, {}, ids=wanted)
        return Catalogue(self._all, self._view, self._choice.also(asked), missing)

    @property
    def facets(self) -> tuple[str, ...]:
        """By what one can filter."""
        return self._view.facets

    @property
    def days(self) -> tuple[str, ...]:
        """Those of the facets that are days."""
        schema = self._all.schema
        return tuple(name for name in self.facets if pa.types.is_date32(schema.field(name).type))

    @property
    def key(self) -> str:
        """The column that names what a row is of."""
        return self._view.key

    def counts(self) -> dict[str, dict[str | None, int]]:
        """By facet: the rows of each value, where all other facets are as chosen."""
        return count_values(self._all, self._view, self._choice)

    def word(self, facet: str, value: str | None) -> str:
        """What a value is called, such as Horse Racing for "7" of event_type_id."""
        return word_of(self._view, facet, value)

    def __len__(self) -> int:
        """Rows that are chosen."""
        return self._chosen.num_rows

    @property
    def uris(self) -> list[str]:
        """The files that are chosen, each once: what `submit` takes."""
        return [decoded(uri) for uri in pc.unique(self._chosen["file"]).to_pylist()]

    @property
    def sizes(self) -> dict[str, int]:
        """The files that are chosen, with their bytes as they are stored."""
        several = (self._chosen["file"].to_pylist(), self._chosen["file_size"].to_pylist())
        return {decoded(uri): size for uri, size in zip(*several, strict=True)}

    @property
    def size(self) -> int:
        """Their bytes, as they are stored."""
        return sum(self.sizes.values())

    @property
    def files(self) -> int:
        """How many files were looked into, chosen or not."""
        return pc.count_distinct(self._all["file"]).as_py()

    @property
    def failed(self) -> Mapping[str, str]:
        """The files that could not be read, each with its reason."""
        rows = self._all.filter(pc.is_valid(self._all["error"]))
        return {
            decoded(uri): error
            for uri, error in zip(rows["file"].to_pylist(), rows["error"].to_pylist(), strict=True)
        }

    def frame(self) -> pd.DataFrame:
        """The chosen rows, with the file that each is in, its generation, size and time of change."""
        from chimera_nb.data.arrow_frames import frame_of_rows

        names = [name for name in self._chosen.schema.names if name not in FILE.names]
        table = self._chosen.select([*names, *FILE.names[:4]])
        uris = pa.array([storable(decoded(uri)) for uri in table["file"].to_pylist()], pa.string())
        return frame_of_rows(table.set_column(table.schema.get_field_index("file"), "file", uris))

    def __repr__(self) -> str:
        failed = f", {len(self.failed):,} that cannot be read" if self.failed else ""
        return f"<Catalogue of {self.files:,} files{failed}: {len(self):,} rows in {len(self.uris):,} files chosen>"


def catalogue(
    paths: AnyPath | Iterable[AnyPath],
    *,
    source: str | None = None,
    on_progress: Report | None = None,
    cancel: threading.Event | None = None,
    store: Store | None = None,
    session: Session | None = None,
) -> Catalogue:
    """What is in all files that the paths match, to choose files by: made once, then brought up to date.

    paths        folders, archives, objects or globs, as for a job of the source
    source       one with a view that has facets; left out, the first such that has files there
    on_progress  called with each new state; left out, a kernel shows a bar
    cancel       being set ends it, with CatalogueCancelledError
    store        that of the session where it is left out, and the session one of its own

    Of a file that is new or was replaced no more is read than tells what is in it: of a large .bz2 its end. That a file
    is whole is for a job to find. Files that cannot be read are kept with their reasons: `failed` has them. Catalogues
    are in <data folder>/catalogues.

    Raises NothingMatchesError, RefusedError for a source without such a view, and StorageError; what had been read by
    then is kept.
    """
    located = path_texts(paths)
    if not located:
        raise RefusedError("no paths; give at least one folder, archive, object or glob")
    plugins = [get_source(source)] if source else sources_with_facets()
    session = session or Session()
    store = store or session.store_for(*located)
    folder = session.settings.folder
    bar = bar_in_kernel(CatalogueProgress.of_bar)
    with bar if on_progress is None else nullcontext(on_progress) as show:
        while True:
            plugin = plugins.pop(0)
            view = view_with_facets(plugin)
            try:
                tables = [
                    make_catalogue(store, path, plugin, view, folder, on_progress=show, cancel=cancel)
                    for path in located
                ]
            except NothingMatchesError:
                if not plugins:
                    raise
            else:
                return Catalogue(_each_file_once(tables), view)


def _each_file_once(tables: list[pa.Table]) -> pa.Table:
    """Paths may overlap."""
    kept = tables[:1]
    for table in tables[1:]:
        known = pa.concat_tables(kept)["file"].combine_chunks()
        kept.append(table.filter(pc.invert(pc.is_in(table["file"], known))))
    return pa.concat_tables(kept)
