"""A view of files as a DataFrame: of one file's first rows, or of all that the paths match."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from chimera_nb.arguments import AnyPath, path_texts
from chimera_nb.data.arrow_frames import frame_of_rows
from chimera_nb.data.matching_files import each_once, matching_files
from chimera_nb.data.records import Record, RecordReader
from chimera_nb.data.view_processes import read_view
from chimera_nb.machine.memory import available_memory
from chimera_nb.session import Session
from pipeline.codecs import HEAD_BYTES, choose_codec
from pipeline.codecs.stream import BufferedStream
from pipeline.errors import (
    BadFileError,
    ChimeraError,
    RefusedError,
    TooManyFailuresError,
)
from pipeline.glob import Pattern
from pipeline.read.file import ReadOptions
from pipeline.read.view_rows import LookedAt, view_rows
from pipeline.rows.text import ndjson_blocks
from pipeline.sources import (
    build_patterns,
    get_decompressor,
    get_source,
    source_names,
)
from pipeline.sources.view import View
from pipeline.sources.views import make_view, source_of_view, views_of
from pipeline.storage import Store
from pipeline.uri import Uri

MEMORY_SHARE = 0.5  # of what is available, that a frame may take
_FRAME_RATIO = 2  # bytes of a frame to one of Arrow's, at most, while it is made


class ViewWarning(UserWarning):
    """A view that is not of all files, or of a file up to a fault."""


def view(
    paths: AnyPath | Iterable[AnyPath],
    name: str,
    *,
    source: str | None = None,
    max_bad_lines: int = 0,
    every_file: bool = False,
    store: Store | None = None,
    session: Session | None = None,
    **options: Any,
) -> pd.DataFrame:
    """The rows that a view makes of all files that the paths match, in the order of the files' names.

    paths          folders, objects or globs, as for a job of the source
    name           of the view: `chimera sources` lists them
    source         which source's; left out, the one that offers a view of that name
    max_bad_lines  lines of a file that may fail to decode, before the file fails
    every_file     read also files that hold the records of others, as the source knows them
    store          that of the session where it is left out, and the session one of its own
    options        the view's own: off="last"

    Several files are read by as many processes as there are cores. Files that cannot be read give no rows, and a
    ViewWarning. `frame.attrs["view"]` tells what was read; `chimera_nb.data.arrow_frames` has the dtypes.

    Raises RefusedError for what makes no sense and for more rows than memory has room for, UnknownNameError for a view
    or an option, NothingMatchesError, BadFileError for one file that cannot be read, TooManyFailuresError where none of
    several can, and StorageError.
    """
    located = path_texts(paths)
    plugin = get_source(source) if source else source_of_view(name)
    made = make_view(plugin, name, options)
    store = store or (session or Session()).store_for(*located)
    files = matching_files(store, located, plugin)
    if not every_file:
        files = each_once(files, plugin)
    how = ReadOptions(codec=get_decompressor(plugin), view=made, max_bad_lines=max_bad_lines)
    room = available_memory() * MEMORY_SHARE
    tables: list[pa.Table] = []
    failed: list[tuple[str, str]] = []
    noted = size = 0
    for found in read_view(store, how, files):
        if found.error is not None:
            failed.append((found.uri, found.error))
            continue
        noted += found.note is not None
        tables.append(found.table(made.schema))
        size += tables[-1].nbytes
        if size * _FRAME_RATIO > room:
            raise RefusedError(
                f"the rows of {len(tables):,} of {len(files):,} files take {size / 1e9:,.1f} GB already, and a frame "
                f"of them more than {MEMORY_SHARE:.0%} of the memory that is available; read fewer files, or submit a "
                f"job with view={name!r} and read its output in batches"
            )
    _tell(failed, len(files))
    frame = frame_of_rows(pa.concat_tables([made.schema.empty_table(), *tables]))
    frame.attrs["view"] = {
        "source": plugin.name,
        "view": name,
        "files": len(files),
        "files_failed": len(failed),
        "files_noted": noted,
    }
    return frame


def peek_rows(
    store: Store,
    uri: str,
    n: int,
    *,
    name: str,
    source: str | None = None,
    options: Mapping[str, Any] | str | None = None,
) -> pd.DataFrame:
    """The first `n` rows that a view makes of one file, in the order in which it makes them; no more is read.

    A file with a fault gives the rows before it, with a ViewWarning; raises BadFileError when there is none.
    """
    plugin = get_source(source) if source else source_of_view(name)
    made = make_view(plugin, name, options)
    batches, problem = _first_rows(store, uri, n, made, get_decompressor(plugin))
    if problem and not batches:
        raise BadFileError(f"{uri}: {problem}")
    table = pa.Table.from_batches(batches, made.schema).slice(0, n)
    if problem and table.num_rows < n:
        warnings.warn(f"{uri}: {problem}; these are the rows before that", ViewWarning, stacklevel=3)
    return frame_of_rows(table)


def first_records(
    store: Store, uri: str, n: int, *, source: str, name: str
) -> tuple[list[Record], str | None]:
    """The first `n` rows that a view makes of one file, as records of JSON, and what is wrong with the file if they
    are fewer for that.
    """
    plugin = get_source(source)
    batches, problem = _first_rows(store, uri, n, make_view(plugin, name), get_decompressor(plugin))
    rows = [row for batch in batches for block in ndjson_blocks(batch) for row in block.splitlines()]
    return [row for row in RecordReader().read(rows[:n]) if isinstance(row, dict)], (
        None if len(rows) >= n else problem
    )


def views_for(uri: str) -> list[tuple[str, str]]:
    """Source and name of each view whose source takes files of such a name. A plugin that fails offers none."""
    at = Uri.parse(uri)
    folder = at.written_path.rpartition("/")[0]
    found: list[tuple[str, str]] = []
    for source in source_names():
        try:
            plugin = get_source(source)
            views = views_of(plugin)
            patterns = build_patterns(plugin, at.bucket, [f"{folder}/" if folder else ""]) if views else []
            taken = any(Pattern(pattern).matches(uri) for pattern in patterns)
        except ChimeraError:
            continue
        found += [(source, name) for name in views if taken]
    return found


def _first_rows(
    store: Store, uri: str, n: int, made: View, codec: str
) -> tuple[list[pa.RecordBatch], str | None]:
    held: list[pa.RecordBatch] = []
    rows = 0
    try:
        with store.open_read(uri) as stream:
            intake = BufferedStream(stream)
            chunks = choose_codec(intake.peek(HEAD_BYTES), uri, codec).decode(intake)
            for batch in view_rows(made, chunks, LookedAt(uri), in_order=False):
                held.append(batch)
                rows += batch.num_rows
                if rows >= n:
                    break
    except BadFileError as e:
        return held, str(e)
    return held, None


def _tell(failed: list[tuple[str, str]], files: int) -> None:
    if not failed:
        return
    uri, reason = failed[0]
    if files == 1:
        raise BadFileError(f"{uri}: {reason}")
    if len(failed) == files:
        raise TooManyFailuresError(f"none of the {files:,} files can be read; the first: {uri}: {reason}")
    told = f"{len(failed):,} of {files:,} files cannot be read, so none of their rows are here"
    text = f"{told}; the first: {uri}: {reason}"
    warnings.warn(text, ViewWarning, stacklevel=3)
