"""Each byte of the output is one file's: the pieces that the ledger tells of, laid side by side."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.errors import StorageError
from pipeline.proof.findings import Findings
from pipeline.proof.output import WINDOW_BYTES, Layout, OutputReader
from pipeline.proof.records import Known, Records
from pipeline.storage import Store
from pipeline.storage.checksum import Crc32c


def check_coverage(records: Records, layout: Layout, findings: Findings) -> None:
    """No two files have the same bytes of the output, and no byte is nobody's."""
    end, last = 0, None
    for record in records.in_order():
        begin = record.position or 0
        if begin > end:
            _gap(layout, end, begin, findings)
        elif begin < end and last is not None:
            text = f"has its lines in {layout.shown(begin)} by the ledger, where those of {last.uri} are"
            findings.add("lines-overlap", record.uri, text)
        if begin + record.output_bytes > end:
            end, last = begin + record.output_bytes, record
    if end < layout.size:
        _gap(layout, end, layout.size, findings)
    elif end > layout.size and last is not None:
        text = f"has {end - layout.size:,} {layout.unit} of lines beyond the end of the output by the ledger"
        findings.add("lines-overlap", last.uri, text)


def _gap(layout: Layout, begin: int, end: int, findings: Findings) -> None:
    number, _ = layout.at(begin)
    text = f"{end - begin:,} {layout.unit} of {layout.shown(begin)} are no file's by the ledger"
    findings.add("lines-unaccounted", layout.uri(number), text)


def find_changed(
    store: Store, layout: Layout, records: Records, changed: frozenset[str], findings: Findings
) -> None:
    """Of each changed shard, whose lines in it are not what was written: the first file, and how many there are.

    One line more or less moves all that follow it, so that the first file is the one to look at.
    """
    for number, shard in enumerate(layout.shards):
        if shard.name not in changed:
            continue
        here = records.between(layout.begin(number), layout.begin(number + 1))
        if layout.by_rows:
            from pipeline.proof.rows import rows_that_differ  # what it needs is slow to load

            wrong = rows_that_differ(store, layout, number, here)
        else:
            reader = OutputReader(store, layout, ahead=WINDOW_BYTES)
            wrong = (r for r in here if r.output_crc32c is not None and not _holds(reader, r))
        tell_changed(layout, wrong, findings)


def check_rows(
    store: Store, layout: Layout, records: Records, changed: frozenset[str], findings: Findings
) -> None:
    """Read the rows of every shard that is as it was published, and hold each file's against their checksum."""
    from pipeline.proof.rows import rows_that_differ

    for number, shard in enumerate(layout.shards):
        if shard.name in changed:
            continue  # it has been told
        if shard.suffix == "parquet":
            here = records.between(layout.begin(number), layout.begin(number + 1))
            tell_changed(layout, rows_that_differ(store, layout, number, here), findings)
        else:
            text = "its rows are not read back: it is the file that was published, and rows are made again of files"
            findings.add("not-checked", layout.uri(number), text)


def tell_changed(layout: Layout, wrong: Iterable[Known], findings: Findings) -> None:
    """Tell of the first file of a shard whose lines or rows are not what was written, and of how many are."""
    first, count = None, 0
    for record in wrong:
        first = first or record
        count += 1
    if first is not None:
        more = f", and of {count - 1:,} files behind it" if count > 1 else ""
        place = layout.shown(first.position or 0)
        findings.add("lines-changed", first.uri, f"its lines in {place} are not what was written{more}")


def _holds(reader: OutputReader, record: Known) -> bool:
    """Whether a file's lines stand in the output as they were written."""
    crc, size = Crc32c(), 0
    try:
        for block in reader.read(record.position or 0, record.output_bytes):
            crc.update(block)
            size += len(block)
    except StorageError:
        return False  # the shard is missing, which has been told
    return size == record.output_bytes and str(crc) == record.output_crc32c
