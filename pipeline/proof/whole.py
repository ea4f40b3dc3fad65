"""The whole question, in its order: the summary, the list of shards, the ledger, its coverage, sources, lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.archives.passing import PassingScans
from pipeline.archives.store import store_of_archives
from pipeline.codecs import get_codec
from pipeline.errors import RefusedError, SettingsError, UnknownNameError
from pipeline.job_options import TEXT_FORMATS
from pipeline.ledger import FileRecord, Totals
from pipeline.proof.coverage import check_coverage, check_rows, find_changed
from pipeline.proof.files import check_files, check_without_list
from pipeline.proof.findings import Findings
from pipeline.proof.lines import check_lines
from pipeline.proof.output import Layout
from pipeline.proof.records import Records
from pipeline.proof.sources import check_sources
from pipeline.proof.summary import Claimed, check_totals, find_list, find_summary
from pipeline.sources import get_decompressor, get_source
from pipeline.storage import Store
from pipeline.target.contents import published
from pipeline.target.layout import summary_uri
from pipeline.target.results import lines_of

_BIGGEST = 1 << 63  # what a bucket's numbers stay below, and the table holds


def verify_output(
    store: Store, target: str, claimed: Claimed | None, findings: Findings, *, deep: bool
) -> tuple[Mapping[str, Any], str | None]:
    """Hold what one job left at a target against all that there is; its summary, and its id.

    Raises as `pipeline.proof.joined.verify` does.
    """
    store = store_of_archives(store)
    summary = find_summary(store, target, claimed, findings)
    job_id = claimed.job_id if claimed else _text(summary.get("jobId"))
    listed = find_list(store, target, summary, findings)
    by_rows = summary.get("format", "ndjson") not in TEXT_FORMATS
    layout = None if listed is None else Layout(target, listed, by_rows=by_rows)
    with Records(by_rows=by_rows) as records:
        if listed is None:
            check_without_list(store, target, summary, findings, deep=deep)
        changed = check_files(store, target, listed, findings) if listed is not None else frozenset()
        totals = _take_in(ledger_lines(store, target), job_id, layout, records, findings)
        if summary:
            check_totals(summary, totals, summary_uri(target), findings)
        if layout is not None:
            _check_shards(summary, layout, findings)
            check_coverage(records, layout, findings)
            find_changed(store, layout, records, changed, findings)
        check_sources(store, records, summary, _patterns(summary, claimed), findings)
        if deep and layout is not None:
            if by_rows:
                check_rows(store, layout, records, changed, findings)
            with PassingScans() as scans:
                _compare_lines(store.holding(scans), layout, records, summary, findings)
    return summary, job_id


def _compare_lines(
    store: Store, layout: Layout, records: Records, summary: Mapping[str, Any], findings: Findings
) -> None:
    """Read every file again, and make its rows again where a view was asked for."""
    remade = None
    if summary.get("view") is not None:
        from pipeline.proof.rows import remade_of  # what it needs is slow to load

        remade = remade_of(summary, findings)
        if remade is None:
            return
    check_lines(store, layout, records, _codec(summary, findings), findings, remade=remade)


def _placed(record: FileRecord, layout: Layout, records: Records) -> bool:
    from pipeline.proof.rows import place_pieces

    return place_pieces(record, layout, records)


def _take_in(
    lines: Iterator[tuple[str, bytes]],
    job_id: str | None,
    layout: Layout | None,
    records: Records,
    findings: Findings,
) -> Totals:
    """Read the whole ledger into the table; the sums over it."""
    totals = Totals()
    unplaced = 0
    for where, line in lines:
        record = _record(line)
        if record is None:
            findings.add("record-unreadable", where, "is no record of a file")
            continue
        findings.checked["records"] += 1
        if job_id is not None and record.job_id not in (None, job_id):
            findings.add("record-foreign", record.uri, f"its record is of job {record.job_id} ({where})")
            continue
        position = layout.position(record) if layout and record.lines else None
        if not records.add(record, position):
            findings.add("record-twice", record.uri, f"has a second record ({where})")
            continue
        if layout and layout.by_rows and record.lines and not _placed(record, layout, records):
            position = None
        totals = totals.add(record)
        if record.lines and position is None:
            unplaced += 1
            if layout and record.shard is not None:
                place = f"{layout.unit[:-1]} {record.offset} of {record.shard}"
                findings.add(
                    "lines-nowhere", record.uri, f"{place} has its lines by the ledger, and is not there"
                )
    size = layout.stored if layout and layout.by_rows else totals.output_bytes
    findings.checked["lines"] += totals.lines
    findings.checked["bytes"] += size
    if unplaced and layout is None:
        text = f"where the lines of {unplaced:,} files stand is not on record, so that they are not compared"
        findings.add("not-checked", "ledger", text)
    return totals


def ledger_lines(store: Store, target: str) -> Iterator[tuple[str, bytes]]:
    """Each line of the ledger, with the file and line where it stands."""
    for uri in published(store, target, kinds=("ledger",)):
        for number, line in enumerate(lines_of(store, uri), 1):
            yield f"{uri}:{number}", line


def _record(line: bytes) -> FileRecord | None:
    """A record that is one in each of its fields."""
    try:
        record = FileRecord.from_line(line)
    except (ValueError, TypeError):
        return None
    numbers = (record.size, record.raw_bytes, record.lines, record.output_bytes)
    maybe = (record.generation, record.offset)
    texts = (
        record.codec,
        record.crc32c,
        record.error,
        record.note,
        record.job_id,
        record.shard,
        record.output_crc32c,
    )
    good = (
        isinstance(record.uri, str)
        and record.status in ("complete", "failed", "skipped")
        and all(type(number) is int and 0 <= number < _BIGGEST for number in numbers)
        and all(number is None or (type(number) is int and 0 <= number < _BIGGEST) for number in maybe)
        and all(text is None or isinstance(text, str) for text in texts)
        and (record.rows is None or record.rows == record.lines)
        and type(record.bad_lines) is int
    )
    return record if good else None


def _check_shards(summary: Mapping[str, Any], layout: Layout, findings: Findings) -> None:
    """The list of shards against the summary's numbers of them."""
    found = {
        "shards": len(layout.shards),
        "outputBytes": layout.stored,
        "lines": sum(shard.lines for shard in layout.shards),
    }
    for name, value in found.items():
        if summary and summary.get(name) != value:
            text = f"says {summary.get(name)!r} {name} where the list of shards has {value:,}"
            findings.add("totals-differ", summary_uri(layout.target), text)


def _patterns(summary: Mapping[str, Any], claimed: Claimed | None) -> Sequence[str] | None:
    """All patterns of the job, if they are known. What adds to earlier output was told its files one by one."""
    patterns = summary.get("patterns")
    if isinstance(patterns, list) and (summary.get("since") or len(patterns) == summary.get("patternsTotal")):
        return [str(pattern) for pattern in patterns]
    try:
        return (claimed.patterns() or None) if claimed else None
    except RefusedError:  # the list of the job's inputs is gone, or its source is not installed here
        return None


def _codec(summary: Mapping[str, Any], findings: Findings) -> str:
    """What the job's source decodes with; "auto" where that source is not installed here."""
    try:
        codec = get_decompressor(get_source(str(summary.get("source"))))
        if codec != "auto":
            get_codec(codec)
    except (UnknownNameError, SettingsError) as e:
        findings.add("not-checked", str(summary.get("source")), f"files are decoded by their bytes: {e}")
        return "auto"
    return codec


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
