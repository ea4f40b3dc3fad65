"""Each byte of the output is one file's: the pieces that the ledger tells of, laid side by side."""

from __future__ import annotations

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
        text = f"has {end - layout.size:,} bytes of lines beyond the end of the output by the ledger"
        findings.add("lines-overlap", last.uri, text)


def _gap(layout: Layout, begin: int, end: int, findings: Findings) -> None:
    number, _ = layout.at(begin)
    text = f"{end - begin:,} bytes of {layout.shown(begin)} are no file's by the ledger"
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
        reader = OutputReader(store, layout, ahead=WINDOW_BYTES)
        wrong = 0
        first: Known | None = None
        for record in records.between(layout.begin(number), layout.begin(number + 1)):
            if record.output_crc32c is None or _holds(reader, record):
                continue
            wrong += 1
            first = first or record
        if first is not None:
            more = f", and of {wrong - 1:,} files behind it" if wrong > 1 else ""
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
