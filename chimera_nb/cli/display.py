"""Records and progress for a person's eyes.

Text from outside is never read as rich's markup, and says nothing to the terminal: all of it goes through `text`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from chimera_nb.cli.dry_run import Plan
from chimera_nb.cli.schedule import Schedule
from chimera_nb.cli.slow_files import lines_of_slowness
from chimera_nb.cli.table import Column, print_hanging, print_table
from chimera_nb.job_progress import colour_of, lines_on, terminal_bar
from chimera_nb.jobs.document import brief
from chimera_nb.jobs.failures import Failures
from chimera_nb.jobs.forecast.actual import actual_of, error_of
from chimera_nb.jobs.forecast.budget import OVER_BUDGET
from chimera_nb.jobs.left_out import left_out
from chimera_nb.jobs.log.entries import Entries, UnreadableRecord
from chimera_nb.jobs.log.protocol import RecordPage
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.service import Again
from chimera_nb.jobs.slowness import Slowness
from chimera_nb.jobs.standing import file_counts, lines_of, stage_words, unit_of
from chimera_nb.units import plural, size
from chimera_nb.widgets.job_form.foretold import in_words
from pipeline.errors import NothingNewError
from pipeline.job_options import JobOptions
from pipeline.ledger import FileRecord
from pipeline.options import table
from pipeline.printable import printable
from pipeline.storage import Entry
from pipeline.uri import join_uri

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

_LOGS_SHOWN = 20
_CAUSES_SHOWN, _FAILURES_SHOWN = 20, 5  # of a cause with more files, the first is named
_UNREAD_SHOWN = 10
_SINCE_WORDS = {
    "new": "new",
    "replaced": "replaced",
    "unchanged": "as they were",
    "failedBefore": "of these failed before",
    "gone": "gone",
}
_DEFAULTS: dict[str, Any] = {option.json_name: option.default for option in table(JobOptions)} | {
    "manifest": None
}
_OPTIONS = [name for name in _DEFAULTS if name != "source"]


def text(said: str, style: str = "") -> Text:
    """What is printed, on one line, as it is meant to be seen (`pipeline.printable`)."""
    return Text(printable(said), style=style)


def print_json(document: Any) -> None:
    """One JSON document on stdout, there at once: a command that goes on may be read through a pipe."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
    sys.stdout.flush()


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


def when(stamp: str | None) -> str:
    """A time of the record in this machine's zone; a text that is no time as it is, cut short."""
    try:
        return f"{datetime.fromisoformat(stamp).astimezone():%Y-%m-%d %H:%M:%S}" if stamp else "-"
    except (ValueError, OverflowError):
        return brief(stamp)


def status_text(record: JobRecord) -> Text:
    return Text(record.status_word, style=colour_of(record))


def _is_set(name: str, value: object) -> bool:
    """Whether an option is worth a word: 0 is, and is no False."""
    return value is not None and value is not False and value != _DEFAULTS[name]


def headline(record: JobRecord) -> str:
    """What came of a job, in one sentence."""
    target = join_uri(record.target_bucket, record.output_prefix)
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


def print_listing(folders: Sequence[str], objects: Sequence[Entry]) -> None:
    columns = (Column("size", right=True), Column("updated"), Column("uri"))
    rows = [(Text(), Text(), text(folder)) for folder in folders]
    rows += [(Text(size(entry.size)), Text(when(entry.updated)), text(entry.uri)) for entry in objects]
    print_table(out, err, columns, rows, header=False)


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
    print_table(out, err, _JOB_COLUMNS, list(map(_job_row, entries)), header=True)


def _job_row(record: JobRecord | UnreadableRecord) -> tuple[Text, ...]:
    if isinstance(record, UnreadableRecord):
        known = (text(record.job_id), Text("unreadable", style="red"), text(when(record.created_at)))
        return (*known, *[Text()] * 4, text(f"cannot be read: {record.problem}"))
    files, lines = file_counts(record), lines_of(record)
    return (
        text(record.job_id),
        status_text(record),
        Text(when(record.created_at)),
        text(record.source_type),
        Text(f"{files.done:,}"),
        Text(f"{files.failed:,}"),
        Text("" if lines is None else f"{lines:,}"),
        text(join_uri(record.target_bucket, record.output_prefix)),
    )


def print_job(
    record: JobRecord,
    failures: Failures,
    skipped: Sequence[FileRecord],
    slowness: Slowness | None = None,
) -> None:
    out.print(Text.assemble(text(record.job_id, "bold"), "  ", status_text(record)))
    paths = [join_uri(record.source_bucket, path) for path in record.selected_paths[:5]]
    more = record.selected_paths_total - len(paths)
    numbers, files, lines = record.progress, file_counts(record), lines_of(record)
    wrote = "" if lines is None else f"{plural(lines, unit_of(record))}, "
    rows = {
        "name": record.name,
        "tags": ", ".join(record.tags),
        "note": record.note,
        "source": record.source_type,
        "inputs": ", ".join(paths) + (f" and {more:,} more" if more > 0 else ""),
        "target": join_uri(record.target_bucket, record.output_prefix),
        "runner": record.runner
        + "".join(f"  {name} {value}" for name, value in record.runner_options.items()),
        "options": "  ".join(
            f"{name} {record.spec[name]}" for name in _OPTIONS if _is_set(name, record.spec.get(name))
        ),
        "since": since_text((record.summary or {}).get("since")),
        "forecast": forecast_text(record),
        "dataflow": f"{record.dataflow_job_id}  {record.dataflow_url}" if record.dataflow_job_id else None,
        "created": f"{when(record.created_at)} by {record.created_by or 'unknown'}",
        "started": when(record.started_at),
        "finished": when(record.finished_at),
        "stages": "  ".join(f"{name} {word}" for name, word in stage_words(record).items()),
        "files": f"{files.listed or 0:,} listed, {files.read:,} read, {files.failed:,} failed, "
        f"{files.skipped:,} skipped",
        "data": f"{size(numbers.get('compressedBytes'))} read, {size(numbers.get('rawBytes'))} raw, "
        f"{wrote}{size(numbers.get('rawBytesPerSecond'))}/s",
        "error": record.error,
    }
    for name, value in rows.items():
        if value:
            print_hanging(out, Text(f"  {name:<9} "), printable(value), 12)
    for head, said, indent in lines_of_slowness(slowness):
        print_hanging(out, Text(head), printable(said), indent)
    print_left_out(record, skipped)
    print_failures(failures)
    if record.logs:
        out.print(text("  log", "bold"))
        for line in record.logs[-_LOGS_SHOWN:]:
            print_hanging(out, Text("    "), printable(line), 4)


def print_left_out(record: JobRecord, skipped: Sequence[FileRecord]) -> None:
    """What of the selection was not read, and why; `skipped` has the first records of files that were passed over."""
    told = left_out(record)
    if told.skipped:
        files = f"{plural(told.skipped, 'file')} ({size(told.skipped_bytes)})"
        said = f"  skipped   {files}; the ledger has the reason for each"
        print_hanging(out, Text(), printable(said), 12)
        for one in skipped:
            print_hanging(out, Text("    "), printable(f"{one.uri}: {one.note}"), 6)
        if skipped and told.skipped > len(skipped):
            out.print(text(f"    and {told.skipped - len(skipped):,} more"))
    if told.unmatched:
        names = ", ".join(told.first) + (", …" if len(told.first) < told.unmatched else "")
        said = (
            f"  not read  {plural(told.unmatched, 'file')} ({size(told.unmatched_bytes)}) of the selection: source "
            f"{record.source_type} has no pattern for the names; --every-file reads them"
            + (f": {names}" if names else "")
        )
        print_hanging(out, Text(), printable(said), 12)


def print_again(job_id: str, again: Again) -> None:
    """What an earlier job is, that is to run once more; for whoever waits, not on the standard output."""
    more = len(again.inputs) - 1
    reads = f"{again.inputs[0]}{f' and {more:,} more' if more else ''}, source {again.options['source']}"
    where = "on this machine" if again.runner == "direct" else "on Dataflow"
    err.print(text(f"job {job_id} again, {where}", "bold"))
    for name, said in (("reads", reads), ("writes", again.target)):
        print_hanging(err, Text(f"  {name:<8}"), printable(said), 10)


def print_plan(plan: Plan, *, as_json: bool) -> None:
    """What a job would read, and what not."""
    if as_json:
        print_json(plan.to_json())
        return
    out.print(text(f"would read {plural(plan.files, 'file')}, {size(plan.bytes)}"))
    if plan.since:
        print_hanging(out, Text("  since "), printable(since_text(plan.since) or ""), 8)
    if plan.text:
        out.print(text(f"  {plan.text}; --every-file reads them", "yellow"))
        for uri, why in plan.unread[:_UNREAD_SHOWN]:
            print_hanging(out, Text("    "), printable(f"{uri}: {why}"), 6)
        if plan.total > _UNREAD_SHOWN:
            out.print(text(f"    and {plan.total - _UNREAD_SHOWN:,} more"))
    for line in in_words(plan.forecast) if plan.forecast else ():
        print_hanging(out, Text("  "), printable(line), 4)
    if plan.over_budget:
        out.print(text(f"  {plan.over_budget}", "red"))


def print_schedule(schedule: Schedule, *, as_json: bool) -> None:
    if as_json:
        print_json(schedule.to_json())
    else:
        out.print(Text(schedule.text()))


def print_nothing_new(error: NothingNewError, *, as_json: bool) -> None:
    """That a job was not submitted, since there is nothing to add to the earlier one."""
    if as_json:
        print_json({"jobId": None, "since": error.since})
    else:
        out.print(text(error.sentence))


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


def since_text(since: Any) -> str | None:
    """What a job that adds to another one found, in words; `since` is that of its summary."""
    if not isinstance(since, Mapping):
        return None
    named = [
        f"{since.get(name, 0):,} {word}"
        for name, word in _SINCE_WORDS.items()
        if since.get(name) or name == "new"
    ]
    gone = [str(uri) for uri in since.get("goneFirst") or ()]
    return f"{since.get('jobId')}: {', '.join(named)}" + (f"; gone: {', '.join(gone)}" if gone else "")


def print_failures(failures: Failures) -> None:
    """What failed, by cause, with the first files of each."""
    if not failures.total:
        return
    out.print(text(f"  failed files ({failures.total:,})", "bold"))
    for at, cause in enumerate(failures.causes[:_CAUSES_SHOWN]):
        if cause.files > _FAILURES_SHOWN:
            said = f"{cause.files:,} files: {cause.text}; the first is {cause.first}"
            print_hanging(out, Text("    "), printable(said), 6)
            continue
        for one in failures.found(at):
            print_hanging(out, Text("    "), printable(f"{one.uri}: {one.reason}"), 6)
    if (more := len(failures.causes) - _CAUSES_SHOWN) > 0:
        out.print(text(f"    and {plural(more, 'more cause')}; the ledger has all"))


@contextmanager
def job_progress(*, quiet: bool) -> Iterator[Callable[[JobRecord], None]]:
    """A function to call with each new state of a job: a live bar on a terminal, a line at each step elsewhere."""
    if quiet:
        yield lambda _: None
    elif err.is_terminal:
        with terminal_bar(err) as show:
            yield show
    else:
        yield lines_on(err)
