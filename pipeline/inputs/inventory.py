"""A Storage Insights inventory report in place of a listing: the objects of a bucket, as Google lists them once a day.

    CONFIG_TIME_manifest.json   its shards, how many rows they have together, of which bucket they are, and when
    CONFIG_TIME_0.csv           a row an object, with a row of names where the manifest says so; or .parquet

The manifest is written last. A report is believed where its shards have as many rows together as its manifest says.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from pipeline.errors import ObjectNotFoundError, RefusedError, StorageError
from pipeline.inputs.listing import Listings
from pipeline.rows.parquet_file import open_parquet
from pipeline.storage import Entry, ReadStream, Store, join
from pipeline.uri import Uri, written

# Versions that were deleted stand in a report as well, and can be told from the others by that time alone.
_NEEDED = {"name": pa.string(), "size": pa.int64(), "generation": pa.int64(), "timeDeleted": pa.string()}
_WANTED = {**_NEEDED, "crc32c": pa.string()}
_PARQUET = ".parquet"
_LINE_BYTES = 1 << 16  # the row of names is shorter
_BLOCK_BYTES = 4 << 20
_BATCH_ROWS = 16_384
_STATS = 16  # shards looked up at a time
_LOOKED_INTO = 16  # and those into which a submission looks; the others tell when they are read
_FRESH = timedelta(days=1)


@dataclass(frozen=True)
class InventoryShard:
    """One file of a report, and how it is read.

    columns   what it calls those that are wanted
    names     those of a CSV that has no row of them
    """

    uri: str
    size: int
    generation: int | None
    bucket: str
    delimiter: str = ","
    names: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Inventory:
    """A report, by its manifest: `rows` is how many its shards have together."""

    manifest: str
    bucket: str
    snapshot: datetime
    rows: int
    shards: tuple[InventoryShard, ...]

    def to_json(self, now: datetime) -> dict[str, Any]:
        """As summary.json has it."""
        return {
            "manifest": self.manifest,
            "snapshotTime": self.snapshot.isoformat().replace("+00:00", "Z"),
            "rows": self.rows,
            "shards": len(self.shards),
            "note": self.old(now),
        }

    def old(self, now: datetime) -> str | None:
        """What is to be told of a report that is older than a day."""
        age = now - self.snapshot
        if age <= _FRESH:
            return None
        hours = int(age.total_seconds() // 3600)
        return (
            f"the inventory report is of {self.snapshot:%Y-%m-%d %H:%M} UTC, {hours:,} hours before the job: objects "
            "that are newer were not read"
        )


def read_inventory(store: Store, manifest: str, bucket: str) -> Inventory:
    """A report by its manifest, all of whose shards are there, and some of which have the columns that are needed.

    Raises RefusedError for one that is no report of this bucket, or not complete, and says which column is missing.
    """
    try:
        said = _said(json.loads(store.read_bytes(manifest)))
    except ObjectNotFoundError as e:
        raise _refused(
            manifest, "there is no such manifest; Google writes it when all of the report is written"
        ) from e
    except ValueError as e:
        raise _refused(manifest, f"is no manifest of an inventory report ({e})") from e
    config = _said(said.get("reportconfig") or {})
    options = _said(config.get("objectmetadatareportoptions") or {})
    of = _said(options.get("storagefilters") or {}).get("bucket") or ""
    names = said.get("reportshardsfilenames")
    try:
        rows, count = int(said["recordsprocessed"]), int(said.get("shardcount", len(names or ())))
        snapshot = datetime.fromisoformat(said["snapshottime"])
    except (KeyError, ValueError, TypeError) as e:
        raise _refused(
            manifest, f"does not say records_processed, shard_count and snapshot_time ({e!r})"
        ) from e
    if not isinstance(names, list) or len(names) != count or not count:
        raise _refused(
            manifest,
            f"names {len(names) if isinstance(names, list) else 0:,} shards and says that there are {count:,}; take a "
            "whole report",
        )
    if str(of) != bucket:
        told = f"is a report of gs://{of}" if of else "does not say of which bucket it is"
        raise _refused(manifest, f"{told}, and the inputs are in gs://{bucket}; choose that bucket's report")
    csv = _said(config.get("csvoptions") or {})
    fields = tuple(map(str, options.get("metadatafields") or ()))
    folder = manifest.rpartition("/")[0]
    has_names = bool(csv.get("headerrequired", not fields))
    how = (str(csv.get("delimiter") or ","), () if has_names else fields)

    def shard(name: Any) -> InventoryShard:
        uri = join(folder, str(name).rpartition("/")[2])
        entry = store.stat(uri)
        return InventoryShard(uri, entry.size, entry.generation, bucket, *how)

    try:
        with ThreadPoolExecutor(_STATS, thread_name_prefix="look-shard") as pool:
            shards = tuple(pool.map(shard, names))
    except ObjectNotFoundError as e:
        raise _refused(
            manifest, f"its shard {e.uri} is not there: it was deleted, or never written; take a whole report"
        ) from e
    columns = _columns(store, shards[0])
    _check_alike(store, shards, columns)
    snapshot = snapshot.replace(tzinfo=snapshot.tzinfo or UTC).astimezone(UTC)
    return Inventory(
        manifest, bucket, snapshot, rows, tuple(replace(shard, columns=columns) for shard in shards)
    )


def batches(store: Store, shard: InventoryShard) -> Iterator[pa.RecordBatch]:
    """The rows of a shard, some at a time: name, size, generation, timeDeleted, and crc32c if the report has it.

    Raises StorageError for one that cannot be read.
    """
    try:
        if shard.uri.endswith(_PARQUET):
            with open_parquet(store, shard.uri, shard.size) as file:
                for batch in file.iter_batches(_BATCH_ROWS, columns=[*shard.columns.values()]):
                    yield _as_wanted(batch, shard)
            return
        with store.open_read(shard.uri, generation=shard.generation) as stream:
            for batch in _csv_reader(shard, stream):
                yield _as_wanted(batch, shard)
            stream.verify()
    except (pa.ArrowInvalid, KeyError) as e:
        told = f"it has no column {e.args[0]}" if isinstance(e, KeyError) else str(e)
        raise StorageError(
            shard.uri,
            f"does not fit the first shard of its inventory report: {told}. Run the job with another report, or "
            "without --inventory",
        ) from e


def objects(
    store: Store, shard: InventoryShard, looked_for: Listings
) -> Iterator[tuple[int, Iterator[Entry]]]:
    """For each batch of a shard, how many rows it has, and of its objects those that the listings would look through.

    Objects that may not be read are left out. Raises StorageError as `batches` does.
    """
    whole = all([store.access.check_prefix(one) for one in looked_for.prefixes()])  # noqa: C419 - each is asked
    beginning = Uri.parse(looked_for.prefix()).written_path.partition("!")[
        0
    ]  # a report has names as they are
    for batch in batches(store, shard):
        found = entries(batch, shard.bucket, beginning)
        yield batch.num_rows, (one for one in found if whole or store.access.allows_reading(one.uri))


def entries(batch: pa.RecordBatch, bucket: str, prefix: str) -> Iterator[Entry]:
    """The objects of a batch that stand, and whose name begins with the prefix."""
    stands = pc.equal(pc.fill_null(batch["timeDeleted"], ""), "")
    batch = batch.filter(pc.and_(stands, pc.starts_with(batch["name"], prefix)))
    columns = [batch[name].to_pylist() for name in ("name", "size", "generation")]
    columns.append(batch["crc32c"].to_pylist() if "crc32c" in batch.schema.names else [None] * batch.num_rows)
    for name, size, generation, crc32c in zip(*columns, strict=True):
        if not (size == 0 and name.endswith("/")):  # such objects stand for folders
            yield Entry(written(bucket, name), size, generation, crc32c or None)


class _Bytes(io.RawIOBase):
    """What is read of an object, as Arrow takes it."""

    def __init__(self, stream: ReadStream) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _csv_reader(shard: InventoryShard, stream: ReadStream) -> pa.csv.CSVStreamingReader:
    return pa.csv.open_csv(
        pa.PythonFile(_Bytes(stream), mode="r"),
        pa.csv.ReadOptions(
            block_size=_BLOCK_BYTES, use_threads=False, column_names=list(shard.names) or None
        ),
        pa.csv.ParseOptions(delimiter=shard.delimiter),
        pa.csv.ConvertOptions(
            include_columns=[*shard.columns.values()],
            column_types={theirs: _WANTED[ours] for ours, theirs in shard.columns.items()},
        ),
    )


def _as_wanted(batch: pa.RecordBatch, shard: InventoryShard) -> pa.RecordBatch:
    columns = [batch[theirs].cast(_WANTED[ours]) for ours, theirs in shard.columns.items()]
    return pa.record_batch(columns, names=[*shard.columns])


def _columns(store: Store, shard: InventoryShard) -> dict[str, str]:
    """What a report calls the columns that are wanted, by its first shard. Raises RefusedError if one is missing."""
    try:
        if shard.uri.endswith(_PARQUET):
            with open_parquet(store, shard.uri, shard.size) as file:
                names = file.schema_arrow.names
        elif shard.names:
            names = [*shard.names]
        else:
            line = store.read_range(shard.uri, 0, min(shard.size, _LINE_BYTES)).partition(b"\n")[0]
            names = [name.strip('" \r') for name in line.decode().split(shard.delimiter)]
    except UnicodeDecodeError as e:
        raise _refused(shard.uri, f"is no shard of an inventory report ({e})") from e
    theirs = {_plain(name): name for name in names}
    columns = {ours: theirs[_plain(ours)] for ours in _WANTED if _plain(ours) in theirs}
    if missing := [ours for ours in _NEEDED if ours not in columns]:
        raise _refused(
            shard.uri,
            f"has no column {' and '.join(missing)}; have the report made with the metadata fields "
            f"{', '.join(_NEEDED)} (and crc32c)",
        )
    return columns


def _check_alike(store: Store, shards: Sequence[InventoryShard], columns: Mapping[str, str]) -> None:
    """Raise RefusedError if one of some shards, spread over all, has other columns than the first."""
    others = shards[1:]
    some = others[:: -(-len(others) // _LOOKED_INTO) or 1] if _LOOKED_INTO else ()
    with ThreadPoolExecutor(_STATS, thread_name_prefix="look-into-shard") as pool:
        for shard, found in zip(some, pool.map(lambda one: _columns(store, one), some), strict=True):
            if found != columns:
                raise _refused(
                    shard.uri, "calls its columns otherwise than the first shard; take a whole report"
                )


def _said(document: Any) -> Mapping[str, Any]:
    """A JSON object with its names in one spelling: the manifest's are with "_" or as the API has them."""
    if not isinstance(document, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - as of what is no JSON
    return {_plain(name): value for name, value in document.items()}


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _refused(uri: str, why: str) -> RefusedError:
    return RefusedError(f"inventory report {uri}: {why}")
