"""One file's lines out of the output: found by its record, read in one piece, checked against it."""

from __future__ import annotations

import difflib
import heapq
from collections.abc import Iterator
from itertools import chain

from pipeline.errors import RefusedError, StorageError
from pipeline.ledger import FileRecord
from pipeline.proof.output import Layout, OutputReader
from pipeline.storage import Store
from pipeline.storage.checksum import Crc32c
from pipeline.target.layout import shards_uri
from pipeline.target.results import ledger_records
from pipeline.write.shard_list import read_shard_list

_SHOWN = 3
_NEAR = 0.6  # how much of two names has to be alike, as in difflib.get_close_matches


def find_record(store: Store, target: str, name: str, *, job_id: str | None = None) -> FileRecord:
    """The record of a file, by its URI or by the end of it.

    Raises RefusedError for a name that no file has, with those that come near, and for one that several have.
    """
    ending = f"/{name.lstrip('/')}"
    found = []
    for record in ledger_records(store, target, job_id=job_id, about=name):
        if record.uri == name:
            return record
        if record.uri.endswith(ending):
            found.append(record)
    if len(found) == 1:
        return found[0]
    if found:
        shown = ", ".join(record.uri for record in found[:_SHOWN])
        more = ", …" if len(found) > _SHOWN else ""
        raise RefusedError(
            f"{name}: {len(found):,} files of the job end so: {shown}{more}; write more of its URI"
        )
    near = ", ".join(_near(store, target, name, job_id))
    hint = f"; near it are: {near}" if near else ""
    raise RefusedError(f"{name} is not in the ledger at {target}, so no line of it is in the output{hint}")


def extract(store: Store, target: str, record: FileRecord) -> Iterator[bytes]:
    """The lines of a file as they stand in the output, in blocks; rows of Parquet as lines of NDJSON.

    Raises RefusedError, before the first block, for a file that has none there; StorageError after the last one when
    they are not those that the record tells of.
    """
    if not record.lines:
        why = {"failed": f"failed: {record.error}", "skipped": f"was skipped: {record.note}"}.get(
            record.status, "has no lines"
        )
        raise RefusedError(f"{record.uri} {why}; nothing of it is in the output")
    if record.shard is None:
        raise RefusedError(
            f"{record.uri}: the ledger at {target} is of a version that did not say where lines are; run the job again"
        )
    by_rows = not record.output_bytes
    layout = Layout(target, read_shard_list(store, target), by_rows=by_rows)
    position = layout.position(record)
    if position is None:
        raise StorageError(
            shards_uri(target),
            f"has no {layout.unit[:-1]} {record.offset} of {record.shard}, where {record.uri} has its lines by the "
            f"ledger; see what is wrong with: chimera verify {target}",
        )
    number, _ = layout.at(position)
    if layout.shards[number].suffix == "xlsx":
        raise RefusedError(f"{layout.uri(number)} is a workbook: no file's rows can be taken out of it")
    if by_rows:
        from pipeline.proof.rows import extract_rows  # what it needs is slow to load

        return extract_rows(store, layout, record)
    header = layout.shards[number].header
    blocks = _checked(
        OutputReader(store, layout).read(position, record.output_bytes), layout, position, record
    )
    return chain([store.read_range(layout.uri(number), 0, header)], blocks) if header else blocks


def _checked(blocks: Iterator[bytes], layout: Layout, position: int, record: FileRecord) -> Iterator[bytes]:
    crc, size, lines = Crc32c(), 0, 0
    for block in blocks:
        crc.update(block)
        size += len(block)
        lines += block.count(b"\n")
        yield block
    if layout.shards[layout.at(position)[0]].suffix == "csv":
        lines = record.lines  # a text may hold line ends
    if (size, lines, str(crc)) != (record.output_bytes, record.lines, record.output_crc32c):
        number, _ = layout.at(position)
        raise StorageError(
            layout.uri(number),
            f"the lines of {record.uri} are not those that were written: {size:,} bytes in {lines:,} lines (CRC-32C "
            f"{crc}) where {record.output_bytes:,} in {record.lines:,} ({record.output_crc32c}) were; see what else "
            f"is wrong with: chimera verify {layout.target}",
        )


def _near(store: Store, target: str, name: str, job_id: str | None) -> list[str]:
    """The URIs of the ledger that end most like the name."""
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(name.rpartition("/")[2])

    def alike() -> Iterator[tuple[float, str]]:
        for record in ledger_records(store, target, job_id=job_id):
            matcher.set_seq1(record.uri.rpartition("/")[2])
            if matcher.real_quick_ratio() > _NEAR and matcher.quick_ratio() > _NEAR:
                ratio = matcher.ratio()
                if ratio > _NEAR:
                    yield ratio, record.uri

    return [uri for _, uri in heapq.nlargest(_SHOWN, alike())]
