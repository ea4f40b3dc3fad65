"""A job and a page of jobs for a person's eyes, and as JSON documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from chimera_nb.cli import display
from chimera_nb.cli.plan_display import since_text
from chimera_nb.cli.slow_files import lines_of_slowness
from chimera_nb.cli.table import Column, print_hanging, print_table
from chimera_nb.jobs.failures import Failures
from chimera_nb.jobs.forecast.actual import actual_of, error_of
from chimera_nb.jobs.forecast.budget import OVER_BUDGET
from chimera_nb.jobs.left_out import left_out
from chimera_nb.jobs.log.entries import Entries, UnreadableRecord
from chimera_nb.jobs.log.protocol import RecordPage
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.slowness import Slowness
from chimera_nb.jobs.standing import file_counts, lines_of, stage_words, unit_of
from chimera_nb.units import plural, size
from pipeline.job_options import JobOptions
from pipeline.ledger import FileRecord
from pipeline.options import table
from pipeline.printable import printable

_LOGS_SHOWN = 20
_CAUSES_SHOWN, _FAILURES_SHOWN = 20, 5  # of a cause with more files, the first is named
_DEFAULTS: dict[str, Any] = {option.json_name: option.default for option in table(JobOptions)} | {
    "manifest": None
}
_OPTIONS = [name for name in _DEFAULTS if name != "source"]


def document_of(record: JobRecord) -> dict[str, Any]:
    """The job document as printed: its specification as an object rather than as text."""
    came_to = {"actual": actual} if (actual := actual_of(record)) and record.forecast else {}
    return {**record.to_document(), "spec": dict(record.spec), **came_to}


def page_of(page: RecordPage) -> dict[str, Any]:
    """A page of jobs as printed; what cannot be read stands apart, so that all `jobs` have the same fields."""
    unreadable = [
        {"jobId": entry.job_id, "createdAt": entry.created_at or None, "problem": entry.problem}
        for entry in page.entries
        if isinstance(entry, UnreadableRecord)
    ]
    jobs = [document_of(record) for record in page.records]
    return {"jobs": jobs, "unreadable": unreadable, "nextPage": page.next_page_token}


def _is_set(name: str, value: object) -> bool:
    """Whether an option is worth a word: 0 is, and is no False."""
    return value is not None and value is not False and value != _DEFAULTS[name]


def headline(record: JobRecord) -> str:
    """What came of a job, in one sentence."""
    target = record.target
    if record.status is Status.COMPLETE and (numbers := _numbers_of(record.summary)):
        complete, failed, lines, shards = numbers
        unit = "lines" if (record.summary or {}).get("view") is None else "rows"
        less = f", {failed:,} failed" if failed else ""
        less += f", {skipped:,} skipped" if (skipped := left_out(record).skipped) else ""
        return (
            f"complete: {plural(complete, 'file')} read{less}; {lines:,} {unit} in {plural(shards, 'shard')}"
            f" at {target}"
        )
    why = record.error or next((line for line in reversed(record.logs) if OVER_BUDGET in line), None)
    return f"{record.status_word}: {why}" if why else record.status_word


def _numbers_of(summary: Mapping[str, Any] | None) -> tuple[int, int, int, int] | None:
    """Files complete and failed, lines and shards; None where the summary is not as a job of this version writes it."""
    try:
        files, lines, shards = (summary or {})["files"], (summary or {})["lines"], (summary or {})["shards"]
        return int(files["complete"]), int(files["failed"]), int(lines), int(shards)
    except (KeyError, TypeError, ValueError):
        return None


_JOB_COLUMNS = (
    Column("job"),
    Column("status"),
    Column("created", leaves=2),
    Column("source", leaves=1),
    Column("files", right=True, leaves=3),
    Column("failed", right=True),
    Column("lines", right=True),
    Column("target"),
)


def print_jobs(entries: Entries) -> None:
    print_table(display.out, display.err, _JOB_COLUMNS, list(map(_job_row, entries)), header=True)


def _job_row(record: JobRecord | UnreadableRecord) -> tuple[Text, ...]:
    if isinstance(record, UnreadableRecord):
        known = (
            display.text(record.job_id),
            Text("unreadable", style="red"),
            display.text(display.when(record.created_at)),
        )
        return (*known, *[Text()] * 4, display.text(f"cannot be read: {record.problem}"))
    files, lines = file_counts(record), lines_of(record)
    return (
        display.text(record.job_id),
        display.status_text(record),
        Text(display.when(record.created_at)),
        display.text(record.source_type),
        Text(f"{files.done:,}"),
        Text(f"{files.failed:,}"),
        Text("" if lines is None else f"{lines:,}"),
        display.text(record.target),
    )


def print_job(
    record: JobRecord,
    failures: Failures,
    skipped: Sequence[FileRecord],
    slowness: Slowness | None = None,
) -> None:
    display.out.print(Text.assemble(display.text(record.job_id, "bold"), "  ", display.status_text(record)))
    paths = record.inputs(5)
    more = record.selected_paths_total - len(paths)
    numbers, files, lines = record.progress, file_counts(record), lines_of(record)
    wrote = "" if lines is None else f"{plural(lines, unit_of(record))}, "
    rows = {
        "name": record.name,
        "tags": ", ".join(record.tags),
        "note": record.note,
        "source": record.source_type,
        "inputs": ", ".join(paths) + (f" and {more:,} more" if more > 0 else ""),
        "target": record.target,
        "runner": record.runner
        + "".join(f"  {name} {value}" for name, value in record.runner_options.items()),
        "options": "  ".join(
            f"{name} {record.spec[name]}" for name in _OPTIONS if _is_set(name, record.spec.get(name))
        ),
        "since": since_text((record.summary or {}).get("since")),
        "forecast": forecast_text(record),
        "dataflow": f"{record.dataflow_job_id}  {record.dataflow_url}" if record.dataflow_job_id else None,
        "created": f"{display.when(record.created_at)} by {record.created_by or 'unknown'}",
        "started": display.when(record.started_at),
        "finished": display.when(record.finished_at),
        "stages": "  ".join(f"{name} {word}" for name, word in stage_words(record).items()),
        "files": f"{files.listed or 0:,} listed, {files.read:,} read, {files.failed:,} failed, "
        f"{files.skipped:,} skipped",
        "data": f"{size(numbers.get('compressedBytes'))} read, {size(numbers.get('rawBytes'))} raw, "
        f"{wrote}{size(numbers.get('rawBytesPerSecond'))}/s",
        "error": record.error,
    }
    for name, value in rows.items():
        if value:
            print_hanging(display.out, Text(f"  {name:<9} "), printable(value), 12)
    for head, said, indent in lines_of_slowness(slowness):
        print_hanging(display.out, Text(head), printable(said), indent)
    print_left_out(record, skipped)
    print_failures(failures)
    if record.logs:
        display.out.print(display.text("  log", "bold"))
        for line in record.logs[-_LOGS_SHOWN:]:
            print_hanging(display.out, Text("    "), printable(line), 4)


def print_left_out(record: JobRecord, skipped: Sequence[FileRecord]) -> None:
    """What of the selection was not read, and why; `skipped` has the first records of files that were passed over."""
    told = left_out(record)
    if told.skipped:
        files = f"{plural(told.skipped, 'file')} ({size(told.skipped_bytes)})"
        said = f"  skipped   {files}; the ledger has the reason for each"
        print_hanging(display.out, Text(), printable(said), 12)
        for one in skipped:
            print_hanging(display.out, Text("    "), printable(f"{one.uri}: {one.note}"), 6)
        if skipped and told.skipped > len(skipped):
            display.out.print(display.text(f"    and {told.skipped - len(skipped):,} more"))
    if told.unmatched:
        names = ", ".join(told.first) + (", …" if len(told.first) < told.unmatched else "")
        said = (
            f"  not read  {plural(told.unmatched, 'file')} ({size(told.unmatched_bytes)}) of the selection: source "
            f"{record.source_type} has no pattern for the names; --every-file reads them"
            + (f": {names}" if names else "")
        )
        print_hanging(display.out, Text(), printable(said), 12)


def forecast_text(record: JobRecord) -> str | None:
    """What a job was foretold to come to, what it came to, and how far that was off."""
    told, came = record.forecast, actual_of(record) or {}
    if not told:
        return None
    parts = []
    for name, words in (("seconds", "s"), ("workerHours", "worker-hours"), ("coreSeconds", "core-seconds")):
        if isinstance(told.get(name), int | float):
            off = error_of(record, name)
            actual = "" if off is None else f", came to {came[name]:,.3g} ({off:+.0%})"
            parts.append(f"{told[name]:,.3g} {words}{actual}")
    if told.get("money"):
        parts.append(f"{told['money']:,.2f} {told.get('currency')}")
    return "; ".join(parts)


def print_failures(failures: Failures) -> None:
    """What failed, by cause, with the first files of each."""
    if not failures.total:
        return
    display.out.print(display.text(f"  failed files ({failures.total:,})", "bold"))
    for at, cause in enumerate(failures.causes[:_CAUSES_SHOWN]):
        if cause.files > _FAILURES_SHOWN:
            said = f"{cause.files:,} files: {cause.text}; the first is {cause.first}"
            print_hanging(display.out, Text("    "), printable(said), 6)
            continue
        for one in failures.found(at):
            print_hanging(display.out, Text("    "), printable(f"{one.uri}: {one.reason}"), 6)
    if (more := len(failures.causes) - _CAUSES_SHOWN) > 0:
        display.out.print(display.text(f"    and {plural(more, 'more cause')}; the ledger has all"))
