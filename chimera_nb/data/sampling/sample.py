"""Records of input files as DataFrames: the first of one file, or a uniform sample of many."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from chimera_nb.arguments import AnyPath, path_text, path_texts, whole_number
from chimera_nb.data.frames import FrameBuilder, frame_of_lines, warn_of_halves
from chimera_nb.data.joined import Records, check_records, one_a_line
from chimera_nb.data.nested import Explode
from chimera_nb.data.no_file import file_wanted
from chimera_nb.data.preview import preview
from chimera_nb.data.query import RowQuery
from chimera_nb.data.records import RecordReader, free_name, is_blank
from chimera_nb.data.sampling import cache
from chimera_nb.data.sampling.cache import Sample, sample_key
from chimera_nb.data.sampling.files import Chosen, choose_files
from chimera_nb.data.sampling.run import Run, SampleCancelledError, SampleProgress
from chimera_nb.jobs.limits import storable
from chimera_nb.machine.kernel import bar_in_kernel
from chimera_nb.session import Session
from pipeline.codecs import HEAD_BYTES, choose_codec
from pipeline.codecs.stream import BufferedStream
from pipeline.errors import BadFileError, RefusedError, TooManyFailuresError, UnknownNameError
from pipeline.read.lines import whole_lines
from pipeline.sources import get_decompressor, get_source
from pipeline.storage import Store

__all__ = ["SampleCancelledError", "SampleProgress", "SampleWarning", "peek", "sample"]

EXACT_BYTES = 500_000_000
FILE, LINE = "_file", "_file_line"  # columns of a sample: where each record is, if no field is called so
_LOOK_EVERY = 0.1  # seconds
_STOP_SECONDS = 5.0
Report = Callable[[SampleProgress], object]


class SampleWarning(UserWarning):
    """A sample that is not of all records: of files that were left out, or that could not be read."""


def peek(
    uri: AnyPath,
    n: int = 10,
    *,
    columns: Sequence[str] | None = None,
    explode: Explode = None,
    records: Records = "lines",
    view: str | None = None,
    view_options: Mapping[str, Any] | str | None = None,
    source: str | None = None,
    store: Store | None = None,
    session: Session | None = None,
) -> pd.DataFrame:
    """The first `n` records of the file `uri`; no more of it is read than they need.

    With `view`, the first rows that a view of that name makes of it, in the order in which it makes them; `source` says
    whose view where several have one of the name, and `view_options` has its own options: {"off": "last"}.

    `columns` and `explode` choose from them as they do for `read_output`; records="auto" also reads JSON arrays,
    pretty-printed and joined objects. `store` is that of the session where it is left out, and the session one of
    its own. A file that is broken gives the records before its fault, with a
    SampleWarning. Raises BadFileError when that is none, RefusedError for a folder, for a glob, and for a frame of
    very many columns of next to nothing, UnknownNameError for a column that none of the records has, StorageError,
    and StackError without a stack. `chimera_nb.data.columns` has the dtypes.
    """
    uri, n = path_text(uri), whole_number(n, "n", 1)
    check_records(records)
    query = RowQuery(columns, explode=explode)
    store = store or (session or Session()).store_for(uri)
    if view is not None:
        if explode is not None or records != "lines":
            raise RefusedError("explode and records are of records, and a view has rows; leave them out")
        from chimera_nb.data.view import peek_rows

        with file_wanted(store, uri):
            rows = peek_rows(store, uri, n, name=view, source=source, options=view_options)
        for name in query.columns or ():
            if name not in rows:
                raise UnknownNameError("column", name, list(rows))
        return rows if query.columns is None else rows[list(query.columns)]
    with file_wanted(store, uri):
        lines, problem = _first(store, uri, n) if records == "lines" else _first_lines(store, uri, n, records)
    if problem and not lines:
        raise BadFileError(f"{uri}: {problem}")
    if problem and len(lines) < n:
        warnings.warn(f"{uri}: {problem}; these are the records before that", SampleWarning, stacklevel=2)
    return frame_of_lines(lines[:n], query)


def _first(store: Store, uri: str, n: int) -> tuple[list[bytes], str | None]:
    """The first lines that are not blank, from one small request if that has enough of them."""
    found = preview(uri, store=store)
    lines = [line for line in found.lines if not is_blank(line)]
    if len(lines) < n and not found.complete and not found.problem:
        return _first_lines(store, uri, n, "lines")
    return lines, found.problem


def _first_lines(store: Store, uri: str, n: int, records: Records) -> tuple[list[bytes], str | None]:
    """The first lines that are not blank, and what is wrong with the file if that came before them."""
    lines: list[bytes] = []
    try:
        with store.open_read(uri) as stream, closing(_lines(uri, BufferedStream(stream), records)) as found:
            for line in islice((line for line in found if not is_blank(line)), n):
                lines.append(line)  # noqa: PERF402 - those before a fault count
    except BadFileError as e:
        return lines, str(e)
    return lines, None


def _lines(uri: str, buffered: BufferedStream, records: Records) -> Generator[bytes, None, None]:
    chunks = choose_codec(buffered.peek(HEAD_BYTES), uri).decode(buffered)
    for block in whole_lines(chunks) if records == "lines" else one_a_line(chunks):
        yield from block[:-1].split(b"\n")


def sample(
    paths: AnyPath | Sequence[AnyPath],
    n: int = 1000,
    *,
    seed: int = 0,
    source: str = "ndjson",
    max_bytes: int = EXACT_BYTES,
    every_file: bool = False,
    columns: Sequence[str] | None = None,
    explode: Explode = None,
    records: Records = "lines",
    on_progress: Report | None = None,
    cancel: threading.Event | None = None,
    store: Store | None = None,
    session: Session | None = None,
) -> pd.DataFrame:
    """`n` records of the files that the paths match, drawn uniformly: the same ones for the same seed.

    Up to `max_bytes` of files, as they are stored, every record of all files has the same chance. Above, a part
    of the files stands for all, which a SampleWarning says: `sampling.files` has what that means for the
    sample. `frame.attrs["sample"]` tells what was read. Records are in the order of files and lines, which
    the columns `_file` and `_file_line` (from 1 on) name; where records have fields of these names, the columns get
    more underscores: `frame.attrs["places"]` has both names. `chimera_nb.data.columns` has the dtypes.

    `columns` and `explode` choose from the records as they do for `read_output`. records="auto" draws from JSON
    arrays, pretty-printed and joined objects too, where `_file_line` counts records.

    Paths are folders, objects or globs, as for a job of that source, which reads the same records once where the files'
    names tell, unless `every_file`; `store` is that of the session where it is left
    out, and the session one of its own. Files that a job would fail give no record,
    and a SampleWarning. A second call on the same files is answered from <data folder>/samples.

    In a kernel a progress bar shows, unless `on_progress` is given: it is called from this thread, ten times a
    second. An interrupt or `cancel` being set ends the sample at once, the latter with SampleCancelledError.
    Raises RefusedError for a request that makes no sense, and TooManyFailuresError when no file can be read.
    """
    located, n = path_texts(paths), whole_number(n, "n", 1)
    max_bytes, seed = whole_number(max_bytes, "max_bytes", 0), whole_number(seed, "seed")
    check_records(records)
    query = RowQuery(columns, explode=explode)
    session = session or Session()
    store = store or session.store_for(*located)
    folder = session.settings.folder / "samples"
    run = Run(store, n, seed, get_decompressor(get_source(source)), records)

    def work() -> Sample:
        listed = choose_files(
            store,
            located,
            source=source,
            seed=seed,
            max_bytes=max_bytes,
            every_file=every_file,
            on_listed=run.listed,
        )
        return _take_sample(run, listed, located, max_bytes, folder)

    if on_progress is not None:
        taken = _in_thread(work, run, on_progress, cancel)
    else:
        with bar_in_kernel(SampleProgress.of_bar) as show:
            taken = _in_thread(work, run, show, cancel)
    _warn(taken)
    return _frame(taken, n, seed, query)


def _take_sample(run: Run, chosen: Chosen, paths: Sequence[str], max_bytes: int, folder: Path) -> Sample:
    key = sample_key(
        files=chosen.digest,
        endpoint=run.store.cloud.endpoint if any(path.startswith("gs://") for path in paths) else None,
        n=run.n,
        seed=run.seed,
        codec=run.codec,
        records=run.records,
        part=None if chosen.exact else max_bytes,
    )
    kept = cache.find(folder, key)
    if kept is not None:
        return kept
    run.chosen(chosen.files)
    from chimera_nb.data.sampling.beam import take_sample

    lines = sorted((uri, position, text) for _, uri, position, text in take_sample(run, chosen.files))
    taken = Sample(
        tuple((uri.decode("utf-8", "surrogateescape"), position, text) for uri, position, text in lines),
        files=len(chosen.files),
        files_total=chosen.total_files,
        bytes=sum(entry.size for entry in chosen.files),
        bytes_total=chosen.total_bytes,
        failed=run.failed,
        failures=tuple(sorted(run.failures, key=lambda failure: failure.uri)),
    )
    if taken.failed == taken.files:
        first = taken.failures[0]
        raise TooManyFailuresError(
            f"none of the {taken.files:,} files can be read; the first: {first.uri}: {first.reason}"
        )
    cache.keep(folder, key, taken)
    return taken


def _in_thread(work: Callable[[], Sample], run: Run, show: Report, cancel: threading.Event | None) -> Sample:
    """What `work` gives, done in a thread, so that this one can show progress and hear an interrupt."""
    future: Future[Sample] = Future()

    def fill() -> None:
        try:
            future.set_result(work())
        except BaseException as e:  # noqa: BLE001 - whatever it is, the waiting thread raises it
            future.set_exception(e)

    threading.Thread(target=fill, name="sample", daemon=True).start()
    try:
        while not wait([future], _LOOK_EVERY).done:
            if cancel is not None and cancel.is_set():
                run.stop()
            show(run.progress())
        show(run.progress())
    except BaseException:
        run.stop()
        wait([future], _STOP_SECONDS)
        raise
    return future.result()


def _warn(taken: Sample) -> None:
    if taken.files < taken.files_total:
        warnings.warn(
            f"the sample is of {taken.files:,} of {taken.files_total:,} files ({taken.bytes / 1e6:,.1f} of "
            f"{taken.bytes_total / 1e6:,.1f} MB); max_bytes={taken.bytes_total:,} would read all of them",
            SampleWarning,
            stacklevel=3,
        )
    if taken.failed:
        first = taken.failures[0]
        warnings.warn(
            f"{taken.failed:,} of {taken.files:,} files cannot be read, so none of their records are in the "
            f"sample; the first: {first.uri}: {first.reason}",
            SampleWarning,
            stacklevel=3,
        )


def _frame(taken: Sample, n: int, seed: int, query: RowQuery) -> pd.DataFrame:
    reader = RecordReader()
    rows = [query.take([row]) for row in reader.read([text for _, _, text in taken.lines])]
    query.check()
    builder = FrameBuilder(query.columns)
    builder.add([row for several in rows for row in several])
    frame = builder.told_frame()
    warn_of_halves(reader.escaped)
    positions = [
        (uri, position)
        for (uri, position, _), several in zip(taken.lines, rows, strict=True)
        for _ in several
    ]
    file, line = free_name(FILE, frame), free_name(LINE, frame)
    if (file, line) != (FILE, LINE):
        text = f"records have fields named {FILE} or {LINE}; where each record is, is in the columns {file} and {line}"
        warnings.warn(text, SampleWarning, stacklevel=3)
    frame[file] = pd.array([storable(uri) for uri, _ in positions], dtype="string")
    frame[line] = pd.array([position for _, position in positions], dtype="Int64")
    frame.attrs["sample"] = {
        "n": n,
        "seed": seed,
        "exact": taken.files == taken.files_total,
        "files": taken.files,
        "files_total": taken.files_total,
        "files_failed": taken.failed,
        "bytes": taken.bytes,
        "bytes_total": taken.bytes_total,
    }
    frame.attrs["places"] = {"file": file, "line": line}
    return frame
