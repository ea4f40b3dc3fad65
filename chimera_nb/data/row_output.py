"""The output of a job with a view, read back: rows of Parquet, CSV or NDJSON, batch by batch. No pandas."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

import pyarrow as pa

from chimera_nb.data.joined_output import Dropped, Span, Stream, without
from chimera_nb.data.records import Record, RecordReader
from pipeline.errors import BadFileError, RefusedError, StorageError, UnknownNameError
from pipeline.read.lines import whole_lines
from pipeline.rows.parquet_file import StoredFile, parquet_batches
from pipeline.rows.partitions import values_of, with_values
from pipeline.rows.schema import schema_from_json
from pipeline.rows.text import ndjson_blocks, rows_of_csv, rows_of_ndjson
from pipeline.storage import Store, join
from pipeline.target.layout import summary_uri
from pipeline.write.shard_list import PublishedFile, read_shard_list

_READ_BYTES = 1 << 20


class RowOutput:
    """The rows at a target. Raises StorageError when they are not what the summary tells of."""

    def __init__(
        self, store: Store, target: str, summary: Mapping[str, Any], dropped: Dropped | None = None
    ) -> None:
        """`dropped` is what of it counts no more, and is passed over."""
        self._store, self.target = store, target
        self._dropped = dropped or Dropped()
        schema = schema_from_json(summary)
        if schema is None:
            raise StorageError(summary_uri(target), "does not say what columns the rows of the view have")
        self.schema = schema
        self.format = str(summary.get("format"))
        self.rows = int(summary["lines"]) - self._dropped.lines
        self._bytes = int(summary["outputBytes"])

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """All rows in the order of the shards, with these columns or with all.

        Raises RefusedError for a workbook, UnknownNameError for a column, StorageError, at the end too.
        """
        if self.format == "xlsx":
            raise RefusedError(
                f"{self.target} holds a workbook, which a spreadsheet reads; for frames run the job again with "
                "--format parquet"
            )
        schema = self.schema
        if columns is not None:
            for name in columns:
                if name not in schema.names:
                    raise UnknownNameError("column", name, schema.names)
            schema = pa.schema([schema.field(name) for name in columns])
        return self._all(schema)

    def _all(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        seen = 0
        for shard in self._shards():
            for batch in self._of(shard, schema):
                seen += batch.num_rows
                yield batch
        if seen != self.rows:
            raise StorageError(
                self.target, f"its shards hold {seen:,} rows where the job wrote {self.rows:,}"
            )

    def _shards(self) -> list[PublishedFile]:
        found = [file for file in read_shard_list(self._store, self.target) if file.kind == "output"]
        sizes = {entry.uri: entry.size for entry in self._store.list_objects(join(self.target, "output/"))}
        for file in found:
            uri = join(self.target, file.name)
            if sizes.get(uri) != file.size:
                what = "is missing" if uri not in sizes else f"holds {sizes[uri]:,} bytes, not {file.size:,}"
                raise StorageError(uri, f"{what}: it was changed since the job wrote it; run the job again")
        return found

    def _of(self, shard: PublishedFile, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        uri = join(self.target, shard.name)
        spans = self._dropped.spans.get(shard.name, ())
        if shard.suffix == "parquet":
            in_name = values_of(shard.folder)
            stored = [name for name in schema.names if name not in in_name]
            some = stored or [name for name in self.schema.names if name not in in_name][:1]
            for batch in rows_without(parquet_batches(self._store, uri, shard.size, some), spans):
                table = with_values(pa.Table.from_batches([batch]), shard.folder, schema)
                yield from table.combine_chunks().to_batches()
            return
        try:
            if shard.suffix == "csv":
                source = io.BufferedReader(StoredFile(self._store, uri, shard.size), _READ_BYTES)
                batches = rows_of_csv(_left_of(source, spans) if spans else source, self.schema)
            else:
                batches = self._lines(uri, spans)
            for batch in batches:
                yield batch.select(schema.names)
        except BadFileError as e:
            raise StorageError(uri, f"{e}: it was changed since; run the job again") from e

    def _lines(self, uri: str, spans: Sequence[Span]) -> Iterator[pa.RecordBatch]:
        with self._store.open_read(uri) as stream:
            for block in whole_lines(without(iter(partial(stream.read, _READ_BYTES), b""), spans)):
                yield rows_of_ndjson(block, self.schema)
            stream.verify()


def _left_of(source: io.BufferedReader[Any], spans: Sequence[Span]) -> io.BufferedReader[Any]:
    return io.BufferedReader(
        Stream(without(iter(partial(source.read, _READ_BYTES), b""), spans)), _READ_BYTES
    )


class JoinedRows:
    """The rows of several outputs of one view, one after another. Raises RefusedError where their columns differ."""

    def __init__(self, outputs: Sequence[RowOutput]) -> None:
        self._outputs = outputs
        self.schema = outputs[-1].schema
        for output in outputs:
            if output.schema != self.schema:
                raise RefusedError(
                    f"{output.target} has other columns than {outputs[-1].target}, which adds to it: the view was of "
                    "another version then; run the whole job again, without --since"
                )

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """As those of each do."""
        return chain.from_iterable(output.batches(columns) for output in self._outputs)


def rows_without(batches: Iterable[pa.RecordBatch], spans: Sequence[Span]) -> Iterator[pa.RecordBatch]:
    """The rows of a shard that are in none of the spans."""
    at = 0
    for batch in batches:
        end, begin = at + batch.num_rows, at
        for first, last in spans:
            if first < end and last > begin:
                if first > begin:
                    yield batch.slice(begin - at, first - begin)
                begin = min(end, last)
        if begin < end:
            yield batch.slice(begin - at)
        at = end


def first_rows(output: RowOutput, count: int) -> list[Record]:
    """The first rows as records of JSON: times are texts."""
    found: list[Record] = []
    for batch in output.batches():
        for block in ndjson_blocks(batch.slice(0, count - len(found))):
            found += [row for row in RecordReader().read(block.splitlines()) if isinstance(row, dict)]
        if len(found) >= count:
            break
    return found
