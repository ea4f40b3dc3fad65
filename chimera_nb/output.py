"""A finished job's output as DataFrames: whole when memory has room for it, else in batches or in part."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, overload

import pandas as pd
import psutil

from chimera_nb.connect import connect, settings_for
from chimera_nb.frames import LINE, NotJsonWarning, Record, read_records, to_frame, warn_of_lines
from chimera_nb.jobs.record import JobRecord, Status
from pipeline.blocks import whole_lines
from pipeline.errors import RefusedError, StorageError, UnknownNameError
from pipeline.layout import shard_uri, summary_uri
from pipeline.results import check_summary_of
from pipeline.spec import JobSpec
from pipeline.storage import Store, join
from pipeline.target import read_summary

Where = Mapping[str, Any] | Callable[[Record], bool]

FRAME_RATIO = 12  # bytes of a frame to a byte of NDJSON: measured 11.3 on a real market, nested as it is
MEMORY_SHARE = 0.5  # of what is available, that a frame may take
_ABSENT = object()
_JOB_ID = re.compile(r"\d{4}-\d\d-\d\d-[0-9a-z]{8}")
_READ_BYTES = 1 << 20
_LOOK_EVERY = 10_000  # records between two looks at the memory


@overload
def read_output(
    job: str | Path | JobRecord,
    *,
    columns: Sequence[str] | None = None,
    where: Where | None = None,
    batch_rows: None = None,
) -> pd.DataFrame: ...
@overload
def read_output(
    job: str | Path | JobRecord,
    *,
    columns: Sequence[str] | None = None,
    where: Where | None = None,
    batch_rows: int,
) -> Iterator[pd.DataFrame]: ...
def read_output(
    job: str | Path | JobRecord,
    *,
    columns: Sequence[str] | None = None,
    where: Where | None = None,
    batch_rows: int | None = None,
) -> pd.DataFrame | Iterator[pd.DataFrame]:
    """The records that a job wrote, in the order of its shards.

    job         a job's id or record, or its target: gs://… or a local folder
    columns     these fields only; a dotted one reaches into objects: "marketDefinition.eventId"
    where       records that this function of a record (a dict) says yes to, or whose fields have these values:
                {"op": "mcm", "id": [1, 2]}; dotted names reach into objects here too
    batch_rows  an iterator of frames of so many rows, each with the dtypes that its own records call for

    Without batch_rows the frame may take MEMORY_SHARE of the memory that is available: a larger output, at
    FRAME_RATIO bytes to a byte, is refused before it is read. `chimera_nb.frames` has the dtypes.

    Raises RefusedError when the job is not complete or the frame would be too large, UnknownNameError for a
    column, or a field of `where`, that no record has, and StorageError when the shards are not those that the
    summary tells of.
    """
    if batch_rows is not None and batch_rows < 1:
        raise RefusedError(f"batch_rows is {batch_rows}; ask for 1 row or more")
    target, job_id, store = _located(job)
    summary = _summary(store, target, job_id)
    shards = _shards(store, target, summary)
    fields = None if columns is None else tuple(columns)
    records = _chosen(_records(store, shards, int(summary["lines"]), target), fields, where)
    if batch_rows is not None:
        return _batches(records, fields, batch_rows)
    return _whole(records, fields, where, int(summary["outputBytes"]), target)


def available_memory() -> int:
    """Bytes that this process may take: the machine's, or its container's where that has less."""
    free = int(psutil.virtual_memory().available)
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
    except (OSError, ValueError):  # no container, or one without a limit
        return free
    return min(free, max(0, limit - used))


def _located(job: str | Path | JobRecord) -> tuple[str, str | None, Store]:
    """The target, the id of the job when it is known, and the store that both are in."""
    if isinstance(job, str) and _JOB_ID.fullmatch(job):
        from chimera_nb.jobs.service import JobService, open_log

        settings = connect()
        with closing(open_log(settings)) as log:
            job = JobService(settings, log).get(job)
    if isinstance(job, JobRecord):
        spec = JobSpec.from_json(job.spec)
        if job.status is not Status.COMPLETE:
            why = f" ({job.error})" if job.error else ""
            raise RefusedError(f"job {job.job_id} is {job.status.value}{why}, so it has no output to read")
        return spec.target, job.job_id, settings_for([spec.target]).store
    target = str(job).rstrip("/")
    if not target.startswith("gs://"):
        target = str(Path(target).expanduser().absolute())
    return target, None, settings_for([target]).store


def _summary(store: Store, target: str, job_id: str | None) -> dict[str, Any]:
    summary = read_summary(store, target)
    if summary is None:
        raise RefusedError(
            f"{target} holds no complete output: there is no {summary_uri(target)}, which a job writes last; "
            "wait for the job, or name the target of one that is complete"
        )
    if job_id is not None:
        check_summary_of(summary, target, job_id)
    if not all(type(summary.get(name)) is int for name in ("shards", "outputBytes", "lines")):
        raise StorageError(summary_uri(target), "is not what a job wrote: it has no numbers of the output")
    return summary


def _shards(store: Store, target: str, summary: Mapping[str, Any]) -> list[str]:
    """The URIs of the shards, in order, once they are known to be those that the summary tells of."""
    total = int(summary["shards"])
    wanted = [shard_uri(target, "output", index, total) for index in range(total)]
    prefix = join(target, "output", "output-")
    sizes = {entry.uri: entry.size for entry in store.list_objects(prefix, recursive=False)}
    if missing := [uri for uri in wanted if uri not in sizes]:
        raise StorageError(missing[0], f"is missing, with which {len(missing):,} of {total:,} shards are")
    held = sum(sizes[uri] for uri in wanted)
    if held != summary["outputBytes"]:
        raise StorageError(
            target,
            f"its shards hold {held:,} bytes where the job wrote {summary['outputBytes']:,}: they were changed "
            "since; run the job again",
        )
    return wanted


def _records(store: Store, shards: Sequence[str], lines: int, target: str) -> Iterator[Record]:
    """Every record; raises StorageError at the end unless there were so many lines."""
    seen = 0
    for uri in shards:
        with store.open_read(uri) as stream:
            for block in whole_lines(iter(partial(stream.read, _READ_BYTES), b"")):
                seen += block.count(b"\n")
                yield from read_records(block[:-1].split(b"\n"))
            stream.verify()
    if seen != lines:
        raise StorageError(target, f"its shards hold {seen:,} lines where the job wrote {lines:,}")


def _chosen(
    records: Iterator[Record], columns: Sequence[str] | None, where: Where | None
) -> Iterator[Record]:
    """The records that are wanted, cut to the columns. Lines that are no record have no fields to be asked for.

    Raises UnknownNameError at the end for a column or a field of `where` that no record has, wanted or not.
    """
    several = {} if callable(where) or where is None else _several(where)
    wanted = where if callable(where) or where is None else _has_values(several)
    left_out = 0
    # A field may be asked for as missing: {"error": None}.
    unseen = list(dict.fromkeys((*(columns or ()), *(n for n, v in several.items() if None not in v))))
    known: dict[str, None] = {}
    for record in records:
        if unseen and LINE not in record:
            known.update(dict.fromkeys(record))
            unseen = [name for name in unseen if reach(record, name, _ABSENT) is _ABSENT]
        if wanted is not None:
            if LINE in record:
                left_out += 1
                continue
            if not wanted(record):
                continue
        if columns is None or LINE in record:
            yield record
        else:
            yield {name: value for name in columns if (value := reach(record, name)) is not None}
    if unseen and known:
        raise UnknownNameError("column", unseen[0], list(known))
    if left_out:
        text = (
            f"{left_out:,} lines are no JSON objects, and `where` left them out; read without it to see them"
        )
        warnings.warn(text, NotJsonWarning, stacklevel=2)


def reach(record: Mapping[str, Any], name: str, absent: Any = None) -> Any:
    """A field's value by its name, or by the dotted way to it through objects; `absent` where there is none."""
    if name in record:
        return record[name]
    at = name.find(".")
    while at > 0:
        inner = record.get(name[:at])
        if isinstance(inner, Mapping) and (found := reach(inner, name[at + 1 :], absent)) is not absent:
            return found
        at = name.find(".", at + 1)
    return absent


def _several(where: Mapping[str, Any]) -> dict[str, Collection[Any]]:
    """For each field the values that are wanted."""
    return {
        name: value
        if isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping)
        else [value]
        for name, value in where.items()
    }


def _has_values(several: Mapping[str, Collection[Any]]) -> Callable[[Record], bool]:
    return lambda record: all(_is_among(reach(record, name), wanted) for name, wanted in several.items())


def _is_among(value: Any, wanted: Collection[Any]) -> bool:
    try:
        return value in wanted
    except TypeError:  # a list or an object has no hash to be looked up by in a set
        return any(value == one for one in wanted)


def _batches(records: Iterator[Record], columns: Sequence[str] | None, rows: int) -> Iterator[pd.DataFrame]:
    held: list[Record] = []
    for record in records:
        held.append(record)
        if len(held) == rows:
            yield _frame(held, columns)
            held = []
    if held:
        yield _frame(held, columns)


def _whole(
    records: Iterator[Record], columns: Sequence[str] | None, where: Where | None, size: int, target: str
) -> pd.DataFrame:
    room = available_memory()
    if columns is None and where is None and size * FRAME_RATIO > room * MEMORY_SHARE:
        raise _too_large(target, size, room)
    held: list[Record] = []
    for count, record in enumerate(records):
        held.append(record)
        # What is chosen has no size that could be known before.
        if count % _LOOK_EVERY == 0 and available_memory() < room * (1 - MEMORY_SHARE):
            raise _too_large(target, size, room)
    return _frame(held, columns)


def _frame(records: list[Record], columns: Sequence[str] | None) -> pd.DataFrame:
    bad = sum(LINE in record for record in records)
    frame = to_frame(records, columns if columns is None or not bad else [*columns, LINE])
    warn_of_lines(bad, len(records))
    return frame


def _too_large(target: str, size: int, room: int) -> RefusedError:
    return RefusedError(
        f"{target} holds {size / 1e9:,.1f} GB, and a frame of what was asked for would take more than "
        f"{MEMORY_SHARE:.0%} of the {room / 1e9:,.1f} GB of memory that are available; read it in batches "
        "(batch_rows=100_000), or less of it (columns=[...], where={...})"
    )
