"""What a finished job left at its target, as a page shows it: something to plot, and its files.

Little is read, whatever the output's size: no more than READ_BYTES of the shards, or a row group of Parquet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from chimera_nb.data.records import Record, RecordReader, Row, free_name
from chimera_nb.jobs.limits import storable
from chimera_nb.widgets.job_monitor.picture import picture_word
from chimera_nb.widgets.job_monitor.result_plot import plot_of
from chimera_nb.widgets.job_monitor.states import Plot, Result, ShownShard
from pipeline.errors import RefusedError, StorageError
from pipeline.storage import Store, join
from pipeline.target.layout import shard_uri, summary_uri
from pipeline.target.lifecycle import read_summary
from pipeline.target.results import check_summary_of
from pipeline.uri import Uri
from pipeline.write.shard_list import read_shard_list

READ_BYTES = 2 << 20
ROWS_READ = 1000  # for the plot
NAME_CHARACTERS = 300
SHARDS_SHOWN, SHARDS_READ = 200, 20


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
    at = Uri.parse(uri)
    if at.is_local:
        return None
    emulator = store.cloud.endpoint
    if not emulator:
        return (
            f"https://storage.cloud.google.com/{at.bucket}/{quote(at.path)}" if store.cloud.google else None
        )
    address = emulator if "://" in emulator else f"http://{emulator}"
    return f"{address.rstrip('/')}/download/storage/v1/b/{at.bucket}/o/{quote(at.path, safe='')}?alt=media"


def describe_result(store: Store, target: str, job_id: str) -> Result:
    """The result as the front end shows it. Raises RefusedError as `shards_of` does, and StorageError."""
    shards = shards_of(store, target, job_id)
    folder = join(target, "output/")
    records = first_records_of(store, target, shards)
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


def cut(text: str) -> str:
    text = storable(text)
    return text if len(text) <= NAME_CHARACTERS else f"{text[:NAME_CHARACTERS]}…"


def _named(plot: Plot) -> Plot:
    """The plot with names that can be shown."""
    series = tuple(replace(one, name=cut(one.name)) for one in plot.series)
    return Plot(replace(plot.x, name=cut(plot.x.name)), series)
