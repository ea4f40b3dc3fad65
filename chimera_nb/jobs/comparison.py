"""Two jobs side by side: what was asked of them, what they came to, and what failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from chimera_nb.dataflow_options import DataflowOptions
from chimera_nb.jobs.failures import failures_of
from chimera_nb.jobs.forecast.spent import Spent, spent_of
from chimera_nb.jobs.record import JobRecord
from chimera_nb.jobs.standing import file_counts, lines_of, number, unit_of
from chimera_nb.settings import Settings
from chimera_nb.units import size
from pipeline.errors import ChimeraError, ObjectNotFoundError
from pipeline.job_options import JobOptions
from pipeline.options import table
from pipeline.storage import Store

_CAUSES = 10  # of each job
_UNKNOWN = "-"
_GONE = "not on record any more"
_Told = Callable[[JobRecord], list[tuple[str, str]]]


class Line(NamedTuple):
    """Something of both jobs, in words."""

    name: str
    one: str
    other: str

    @property
    def differs(self) -> bool:
        return self.one != self.other


def compare(one: JobRecord, other: JobRecord, store: Store, settings: Settings) -> tuple[Line, ...]:
    """What the two are and came to; of the options those that differ, or that both have chosen.

    Blocks: failures are read from the jobs' ledgers. What cannot be read of one is said in its place.
    """
    return (
        *_both(one, other, _asked),
        *_options(one, other),
        *_both(one, other, _counts),
        *_spent(spent_of(one, settings), spent_of(other, settings)),
        *_failures(one, other, store),
    )


def _both(one: JobRecord, other: JobRecord, told: _Told) -> Iterator[Line]:
    for (name, left), (_, right) in zip(told(one), told(other), strict=True):
        yield Line(name, left, right)


def _asked(record: JobRecord) -> list[tuple[str, str]]:
    paths = record.inputs(3)
    more = record.selected_paths_total - len(paths)
    return [
        ("Status", record.status_word),
        ("Reads", ", ".join(paths) + (f" and {more:,} more" if more > 0 else "")),
        ("Writes to", record.target),
        ("Runs", "on Dataflow" if record.runner == "dataflow" else "on this machine"),
        ("Started by", record.created_by or _UNKNOWN),
    ]


def _options(one: JobRecord, other: JobRecord) -> Iterator[Line]:
    kinds = ((JobOptions, "spec", "json_name"), (DataflowOptions, "runner_options", "name"))
    for options, field, key in kinds:
        for option in table(options):
            values = [getattr(record, field).get(getattr(option, key)) for record in (one, other)]
            left, right = (option.default if value is None else value for value in values)
            if option.label and (left != right or option.name == "source"):
                yield Line(option.label, _chosen(left), _chosen(right))


def _chosen(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "left open" if value in (None, "", ()) else str(value)


def _counts(record: JobRecord) -> list[tuple[str, str]]:
    files, numbers = file_counts(record), record.progress
    counts = {
        "Files found": files.listed,
        "Files read": files.read,
        "Files failed": files.failed,
        "Files skipped": files.skipped,
    }
    amounts = {"Read": "compressedBytes", "Unpacked": "rawBytes", "Written": "outputBytes"}
    lines = lines_of(record)
    return [
        *((name, _UNKNOWN if count is None else f"{count:,}") for name, count in counts.items()),
        *((name, _size(numbers.get(field))) for name, field in amounts.items()),
        ("Lines or rows", _UNKNOWN if lines is None else f"{lines:,} {unit_of(record)}s"),
        ("Duration", _duration(record)),
    ]


def _size(value: object) -> str:
    known = number(value)
    return _UNKNOWN if known is None else size(known)


def _duration(record: JobRecord) -> str:
    seconds = number(record.progress.get("seconds"))
    if record.started_at and record.finished_at:
        took = datetime.fromisoformat(record.finished_at) - datetime.fromisoformat(record.started_at)
        seconds = max(0.0, took.total_seconds())
    if seconds is None:
        return _UNKNOWN
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def _spent(one: Spent, other: Spent) -> Iterator[Line]:
    def hours(spent: Spent) -> str:
        return _UNKNOWN if spent.hours is None else f"{spent.hours:,.3g}"

    def money(spent: Spent) -> str:
        return _UNKNOWN if spent.money is None else f"{spent.money:,.2f} {spent.currency}"

    yield Line("Machine hours", hours(one), hours(other))
    if one.money is not None or other.money is not None:
        yield Line("Cost of the machines", money(one), money(other))


def _failures(one: JobRecord, other: JobRecord, store: Store) -> Iterator[Line]:
    found = [_causes(record, store) for record in (one, other)]
    if any(isinstance(causes, str) for causes in found):
        left, right = (causes if isinstance(causes, str) else f"{sum(causes.values()):,}" for causes in found)
        yield Line("Failures", left, right)
    known = [causes for causes in found if not isinstance(causes, str)]
    for cause in dict.fromkeys(cause for causes in known for cause in causes):
        left, right = (_UNKNOWN if isinstance(each, str) else f"{each.get(cause, 0):,}" for each in found)
        yield Line(f"Failed: {cause}", left, right)


def _causes(record: JobRecord, store: Store) -> dict[str, int] | str:
    """Files by cause; or why that is not known."""
    if not record.failed_files:
        return {}
    try:
        found = failures_of(store, record.target, record.job_id)
    except ObjectNotFoundError:
        return _GONE
    except ChimeraError as e:
        return str(e)
    return {cause.text: cause.files for cause in found.causes[:_CAUSES]} or _GONE
