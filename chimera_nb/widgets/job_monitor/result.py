"""What a finished job left at its target, as a page shows it: first rows, something to plot, shards, failed files.

Little is read, whatever the output's size: no more than READ_BYTES of the shards, or a row group of Parquet.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any
from urllib.parse import quote

from chimera_nb.data.nested import opened
from chimera_nb.data.records import Record, RecordReader, Row, free_name
from chimera_nb.jobs.limits import storable
from chimera_nb.widgets.job_monitor.messages import Column, Failure, Plot, Result, ShownShard
from chimera_nb.widgets.job_monitor.picture import picture_word
from chimera_nb.widgets.job_monitor.result_plot import as_number, plot_of
from chimera_nb.widgets.job_monitor.spreadsheet import inert
from pipeline.errors import RefusedError, StorageError
from pipeline.storage import Store, join
from pipeline.target.layout import shard_uri, summary_uri
from pipeline.target.lifecycle import read_summary
from pipeline.target.results import check_still_of, check_summary_of, ledger_records
from pipeline.uri import split_uri
from pipeline.write.shard_list import read_shard_list

READ_BYTES = 2 << 20
ROWS_READ = 1000  # for the plot and for the file to be saved
ROWS_SHOWN, COLUMNS_SHOWN, CELL_CHARACTERS = 20, 30, 300
COLUMNS_SAVED, SAVED_CHARACTERS = 200, 4 << 20
SHARDS_SHOWN, SHARDS_READ = 200, 20
FAILURES_SHOWN = 200


@dataclass(frozen=True)
class Shard:
    """One file of the output; size in bytes, None when it is gone."""

    uri: str
    size: int | None


# Shards


def shards_of(store: Store, target: str, job_id: str) -> list[Shard]:
    """All shards of a job's output, in order.

    Raises RefusedError when the target holds no output, or that of another job by now.
    """
    summary = read_summary(store, target)
    if summary is None:
        raise RefusedError(f"{summary_uri(target)} is gone, and with it the output; run the job again")
    check_summary_of(summary, target, job_id)
    if summary.get("view") is not None:
        return _shards_of_rows(store, target)
    total = summary.get("shards")
    if type(total) is not int or total < 0:
        raise StorageError(summary_uri(target), "is not what a job wrote: it has no number of shards")
    listed = store.list_objects(join(target, "output", "output-"), recursive=False)
    sizes = {entry.uri: entry.size for entry in listed}
    uris = (shard_uri(target, "output", index, total) for index in range(total))
    return [Shard(uri, sizes.get(uri)) for uri in uris]


def _shards_of_rows(store: Store, target: str) -> list[Shard]:
    """The same of a view, whose names the list of shards has."""
    sizes = {entry.uri: entry.size for entry in store.list_objects(join(target, "output/"))}
    uris = [join(target, file.name) for file in read_shard_list(store, target) if file.kind == "output"]
    return [Shard(uri, sizes.get(uri)) for uri in uris]


def link_to(store: Store, uri: str) -> str | None:
    """Where a browser can fetch an object; None for a local file, which no page may open, and where no stack runs."""
    bucket, name = split_uri(uri)
    if not bucket:
        return None
    emulator = store.cloud.endpoint
    if not emulator:
        return f"https://storage.cloud.google.com/{bucket}/{quote(name)}" if store.cloud.google else None
    address = emulator if "://" in emulator else f"http://{emulator}"
    return f"{address.rstrip('/')}/download/storage/v1/b/{bucket}/o/{quote(name, safe='')}?alt=media"


def describe_result(store: Store, target: str, job_id: str) -> Result:
    """The result as the front end shows it. Raises RefusedError as `shards_of` does, and StorageError."""
    shards = shards_of(store, target, job_id)
    folder = join(target, "output/")
    records = first_records_of(store, target, shards)
    shown = [flat(record) for record in records[:ROWS_SHOWN]]
    columns = columns_of(shown)
    listed = tuple(
        ShownShard(storable(shard.uri.removeprefix(folder)), shard.size, link_to(store, shard.uri))
        for shard in shards[:SHARDS_SHOWN]
    )
    return Result(
        path=storable(folder),
        shards=listed,
        shards_total=len(shards),
        bytes=sum(shard.size or 0 for shard in shards),
        missing=sum(shard.size is None for shard in shards),
        columns=tuple(Column(cut(name), _is_numeric(shown, name)) for name in columns[:COLUMNS_SHOWN]),
        columns_total=len(columns),
        rows=tuple(tuple(cut(cell(row.get(name))) for name in columns[:COLUMNS_SHOWN]) for row in shown),
        rows_read=len(records),
        plot=_named(plot_of(records)),
        picture=picture_word(read_summary(store, target) or {}) if records else "",
    )


# Rows


def first_records_of(store: Store, target: str, shards: Sequence[Shard]) -> list[Record]:
    """The first records at a target, or rows of a view; none of a workbook."""
    summary = read_summary(store, target) or {}
    if summary.get("view") is None:
        return first_records(store, shards)
    if summary.get("format") == "xlsx" or not any(shard.size for shard in shards):
        return []
    from chimera_nb.data.row_output import RowOutput, first_rows

    return first_rows(RowOutput(store, target, summary), ROWS_READ)


def first_records(
    store: Store, shards: Sequence[Shard], count: int = ROWS_READ, limit: int = READ_BYTES
) -> list[Record]:
    """The first records of the output, as many as so many bytes hold.

    A line that is none has its text under `_line`, or with more underscores where a record has a field of that name.
    """
    rows: list[Row] = []
    reader = RecordReader()
    for shard in shards[:SHARDS_READ]:
        if len(rows) >= count or limit <= 0:
            break
        if not shard.size:
            continue
        data = store.read_range(shard.uri, 0, min(limit, shard.size))
        limit -= len(data)
        lines = data.split(b"\n")
        if len(data) < shard.size:
            lines.pop()  # it may go on
        rows += reader.read(lines)
    line = free_name("_line", {name for row in rows if isinstance(row, dict) for name in row})
    return [row if isinstance(row, dict) else {line: row.text} for row in rows[:count]]


def flat(record: Record) -> Record:
    """The record with the fields of nested objects as its own, named by the way to them; lists stay lists."""
    fields: Record = {}
    for name, value in opened(record):
        fields.setdefault(name, value)
    return fields


def columns_of(rows: Sequence[Record]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def cell(value: Any) -> str:
    """A value as text: text as it is, nothing for null and for what is missing, else JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return storable(value)
    try:
        return storable(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    except RecursionError:
        return "…"


def cut(text: str) -> str:
    text = storable(text)
    return text if len(text) <= CELL_CHARACTERS else f"{text[:CELL_CHARACTERS]}…"


def _named(plot: Plot) -> Plot:
    """The plot with names that can be shown."""
    series = tuple(replace(one, name=cut(one.name)) for one in plot.series)
    return Plot(replace(plot.x, name=cut(plot.x.name)), series)


def _is_numeric(rows: Sequence[Record], name: str) -> bool:
    values = [value for row in rows if (value := row.get(name)) is not None]
    return bool(values) and all(as_number(value) is not None for value in values)


# A file to save


def csv_of(records: Sequence[Record]) -> str:
    """Records as CSV, a row each, bounded; a text that a spreadsheet would run as a formula is kept a text."""
    rows = [flat(record) for record in records]
    columns = columns_of(rows)[:COLUMNS_SAVED]
    text = io.StringIO()
    # All texts in quotes: where cells end at semicolons, "-1,5+A1" made of a number and a text is a formula.
    writer = csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow([inert(storable(name)) for name in columns])
    for row in rows:
        values = (row.get(name) for name in columns)
        writer.writerow([value if _is_number(value) else inert(cell(value)) for value in values])
        if text.tell() > SAVED_CHARACTERS:
            break
    return text.getvalue()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


# Files that failed


def failures_of(
    store: Store, target: str, job_id: str, count: int, is_wanted: Callable[[], bool]
) -> list[Failure]:
    """URI and reason of the first files that failed, of `count` that did; reading stops when it is wanted no more.

    Raises RefusedError when the target holds what another job wrote by now.
    """
    check_still_of(store, target, job_id)
    failed = (
        Failure(storable(record.uri), storable(record.error or "no reason is on record"))
        for record in ledger_records(store, target, job_id=job_id)
        if _check_wanted(is_wanted) and record.status == "failed"
    )
    return list(islice(failed, min(count, FAILURES_SHOWN)))


def _check_wanted(is_wanted: Callable[[], bool]) -> bool:
    if not is_wanted():
        raise RefusedError("not wanted any more")
    return True
