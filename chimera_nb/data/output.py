"""A finished job's output as DataFrames: whole when memory has room for it, else in batches or in part."""

from __future__ import annotations

import re
import warnings
from collections.abc import Generator, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, overload

import pandas as pd

from chimera_nb.arguments import path_text, whole_number
from chimera_nb.data.frames import MANY_COLUMNS, FrameBuilder, NotJsonWarning, warn_of_halves
from chimera_nb.data.joined import Records, check_records, one_a_line
from chimera_nb.data.joined_output import Dropped, OutputPart, output_parts, without
from chimera_nb.data.nested import Explode
from chimera_nb.data.output_lines import check_numbers, output_shards_of
from chimera_nb.data.query import RowQuery, Where
from chimera_nb.data.read_ahead import read_ahead
from chimera_nb.data.records import RecordReader, Row, collector_paused
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.machine.memory import available_memory
from chimera_nb.session import Session, connect
from pipeline.errors import RefusedError, StorageError
from pipeline.folders import absolute
from pipeline.read.lines import whole_lines
from pipeline.spec import JobSpec
from pipeline.storage import Store
from pipeline.target.layout import summary_uri
from pipeline.target.lifecycle import read_summary
from pipeline.target.results import check_summary_of

FRAME_RATIO = 12  # bytes of a frame to a byte of NDJSON: measured 11.3 on a real market, nested as it is
MEMORY_SHARE = 0.5  # of what is available, that a frame may take
CELL_BYTES = 8  # what a cell takes at least
_JOB_ID = re.compile(r"\d{4}-\d\d-\d\d-[0-9a-z]{8}")
_READ_BYTES = 1 << 20
_AHEAD = 4  # blocks that are fetched from a bucket while one is decoded


@overload
def read_output(
    job: str | Path | JobRecord,
    *,
    columns: Sequence[str] | None = None,
    where: Where | None = None,
    explode: Explode = None,
    records: Records = "lines",
    joined: bool = False,
    batch_rows: None = None,
    session: Session | None = None,
) -> pd.DataFrame: ...
@overload
def read_output(
    job: str | Path | JobRecord,
    *,
    columns: Sequence[str] | None = None,
    where: Where | None = None,
    explode: Explode = None,
    records: Records = "lines",
    joined: bool = False,
    batch_rows: int,
    session: Session | None = None,
) -> Iterator[pd.DataFrame]: ...
def read_output(
    job: str | Path | JobRecord,
    *,
    columns: Sequence[str] | None = None,
    where: Where | None = None,
    explode: Explode = None,
    records: Records = "lines",
    joined: bool = False,
    batch_rows: int | None = None,
    session: Session | None = None,
) -> pd.DataFrame | Iterator[pd.DataFrame]:
    """The records that a job wrote, or with a view its rows, in the order of its shards.

    job         a job's id or record, or its target: gs://… or a local folder
    columns     these fields only; a dotted one reaches into objects: "marketDefinition.eventId"
    where       records that this function of a record (a dict) says yes to, or whose fields have these values:
                {"op": "mcm", "id": [1, 2]}; dotted names reach into objects here too, and values are equal as in
                JSON: 1 is 1.0, and true is no number
    explode     a row for each entry of this field, as `flatten` does it; True for each field of a record
    records     "auto" also reads JSON arrays, pretty-printed and joined objects, which a job passes on as they are
    joined      of a job that added to earlier output (`since`): all of it together, without the lines of files that
                were replaced since; left out, what the job itself wrote
    batch_rows  an iterator of frames of so many rows, each with the dtypes that its own records call for
    session     where the job and its output are; left out, one of its own

    Rows of a view, from Parquet, CSV or NDJSON, have the dtypes of `chimera_nb.data.arrow_frames`; `explode` and
    `records` are of records. A workbook is not read.

    Without batch_rows the frame may take MEMORY_SHARE of the memory that is available: a larger output, at
    FRAME_RATIO bytes to a byte, is refused before it is read. So is a frame of very many columns with next to
    nothing in them. `chimera_nb.data.columns` has the dtypes.

    Raises RefusedError when the job is not complete or the frame would be too large, UnknownNameError for a
    column, or a field of `where`, that no record has, and StorageError when the shards are not those that the
    summary tells of.
    """
    batch_rows = None if batch_rows is None else whole_number(batch_rows, "batch_rows", 1)
    check_records(records)
    query = RowQuery(columns, where, explode)
    target, job_id, store = _located(job, session)
    summary = _summary(store, target, job_id)
    parts = output_parts(store, target, summary) if joined else [OutputPart(target, summary, Dropped())]
    if summary.get("view") is not None:
        if explode is not None or records != "lines":
            raise RefusedError(
                f"{target} holds rows of a view, to which explode and records do not apply; leave them out: a frame of "
                "rows has its own explode"
            )
        from chimera_nb.data.row_frames import read_rows
        from chimera_nb.data.row_output import JoinedRows, RowOutput

        views = JoinedRows([RowOutput(store, part.target, part.summary, part.dropped) for part in parts])
        return read_rows(views, query.columns, where, batch_rows, MEMORY_SHARE)
    blocks = _blocks(store, parts)
    if target.startswith("gs://"):
        blocks = read_ahead(blocks, _AHEAD)
    rows = _rows(one_a_line(blocks) if records == "auto" else blocks, query)
    if batch_rows is not None:
        return _batches(rows, query.columns, batch_rows)
    return _whole(rows, query, sum(int(part.summary["outputBytes"]) for part in parts), target)


def _located(job: str | Path | JobRecord, session: Session | None) -> tuple[str, str | None, Store]:
    """The target, the id of the job when it is known, and the store that both are in."""
    if isinstance(job, str) and _JOB_ID.fullmatch(job):
        if session is not None:
            job = session.service.get(job)
        else:
            with connect() as own:  # a session that nobody keeps keeps no log open
                job = own.service.get(job)
    session = session or Session()
    if isinstance(job, JobRecord):
        spec = JobSpec.from_json(job.spec)
        if job.status is not Status.COMPLETE:
            why = f" ({job.error})" if job.error else ""
            raise RefusedError(f"job {job.job_id} is {job.status.value}{why}, so it has no output to read")
        return spec.target, job.job_id, session.store_for(spec.target).billed_to(spec.user_project)
    target = path_text(job).rstrip("/") or "/"
    if not target.startswith("gs://"):
        target = str(Path(absolute(target)))
    return target, None, session.store_for(target)


def _summary(store: Store, target: str, job_id: str | None) -> dict[str, Any]:
    summary = read_summary(store, target)
    if summary is None:
        raise RefusedError(
            f"{target} holds no complete output: there is no {summary_uri(target)}, which a job writes last; "
            "wait for the job, or name the target of one that is complete"
        )
    if job_id is not None:
        check_summary_of(summary, target, job_id)
    check_numbers(summary, target)
    return summary


def _blocks(store: Store, parts: Sequence[OutputPart]) -> Generator[bytes, None, None]:
    """Every line, in blocks of whole ones; raises StorageError at the end of a part unless there were so many."""
    for part in parts:
        seen, lines = 0, int(part.summary["lines"]) - part.dropped.lines
        for uri in output_shards_of(store, part.target, part.summary):
            spans = part.dropped.spans.get(uri.removeprefix(f"{part.target}/"), ())
            with store.open_read(uri) as stream:
                for block in whole_lines(without(iter(partial(stream.read, _READ_BYTES), b""), spans)):
                    seen += block.count(b"\n")
                    yield block
                stream.verify()
        if seen != lines:
            raise StorageError(part.target, f"its shards hold {seen:,} lines where the job wrote {lines:,}")


def _rows(blocks: Iterable[bytes], query: RowQuery) -> Iterator[list[Row]]:
    """What is wanted of each block. At the end says what was met on the way, and raises UnknownNameError for a name
    that no record has.
    """
    escaped = 0
    reader = RecordReader()  # all fields of the first block, to tell of them when a name is misspelt
    for block in blocks:
        yield query.take(reader.read(block[:-1].split(b"\n")))
        escaped += reader.escaped
        reader = RecordReader(query.fields)
    query.check()
    warn_of_halves(escaped)
    if query.left_out:
        text = f"{query.left_out:,} lines are no JSON objects, and `where` left them out; read without it to see them"
        warnings.warn(text, NotJsonWarning, stacklevel=3)


def _batches(rows: Iterator[list[Row]], columns: Sequence[str] | None, size: int) -> Iterator[pd.DataFrame]:
    builder = FrameBuilder(columns)
    for some in rows:
        at = 0
        while at < len(some):
            taken = some[at : at + size - builder.rows]
            builder.add(taken)
            at += len(taken)
            if builder.rows == size:
                yield builder.told_frame()
                builder = FrameBuilder(columns)
    if builder.rows:
        yield builder.told_frame()


def _whole(rows: Iterator[list[Row]], query: RowQuery, size: int, target: str) -> pd.DataFrame:
    room = available_memory()
    if query.takes_all and size * FRAME_RATIO > room * MEMORY_SHARE:
        raise _too_large(target, size, room)
    builder = FrameBuilder(query.columns)
    with collector_paused():
        for some in rows:
            builder.add(some)
            # What is chosen has no size that could be known before, and records may have any number of names.
            if builder.cells * CELL_BYTES > room * MEMORY_SHARE or available_memory() < room * (
                1 - MEMORY_SHARE
            ):
                raise _too_large(target, size, room, builder)
        return builder.told_frame()


def _too_large(target: str, size: int, room: int, builder: FrameBuilder | None = None) -> RefusedError:
    so_far = ""
    if builder is not None and builder.columns > MANY_COLUMNS:
        so_far = f" ({builder.columns:,} columns by the {builder.rows:,}th row)"
    return RefusedError(
        f"{target} holds {size / 1e9:,.1f} GB, and a frame of what was asked for{so_far} would take more than "
        f"{MEMORY_SHARE:.0%} of the {room / 1e9:,.1f} GB of memory that are available; read it in batches "
        "(batch_rows=100_000), or less of it (columns=[...], where={...})"
    )
