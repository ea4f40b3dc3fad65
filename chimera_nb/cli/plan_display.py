"""What a job would read, or reads again, and when: said before it is submitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from chimera_nb.cli import display
from chimera_nb.cli.dry_run import Plan
from chimera_nb.cli.schedule import Schedule
from chimera_nb.cli.table import print_hanging
from chimera_nb.jobs.service import Again
from chimera_nb.units import plural, size
from chimera_nb.widgets.job_form.foretold import in_words
from pipeline.errors import NothingNewError
from pipeline.printable import printable

_UNREAD_SHOWN = 10
_SINCE_WORDS = {
    "new": "new",
    "replaced": "replaced",
    "failedBefore": "failed before",
    "unchanged": "as they were",
    "gone": "gone",
}


def print_again(job_id: str, again: Again) -> None:
    """What an earlier job is, that is to run once more; for whoever waits, not on the standard output."""
    more = len(again.inputs) - 1
    reads = f"{again.inputs[0]}{f' and {more:,} more' if more else ''}, source {again.options['source']}"
    where = "on this machine" if again.runner == "direct" else "on Dataflow"
    display.err.print(display.text(f"job {job_id} again, {where}", "bold"))
    for name, said in (("reads", reads), ("writes", again.target)):
        print_hanging(display.err, Text(f"  {name:<8}"), printable(said), 10)


def print_plan(plan: Plan, *, as_json: bool) -> None:
    """What a job would read, and what not."""
    if as_json:
        display.print_json(plan.to_json())
        return
    display.out.print(display.text(f"would read {plural(plan.files, 'file')}, {size(plan.bytes)}"))
    if plan.since:
        print_hanging(display.out, Text("  since "), printable(since_text(plan.since) or ""), 8)
    if plan.text:
        display.out.print(display.text(f"  {plan.text}; --every-file reads them", "yellow"))
        for uri, why in plan.unread[:_UNREAD_SHOWN]:
            print_hanging(display.out, Text("    "), printable(f"{uri}: {why}"), 6)
        if plan.total > _UNREAD_SHOWN:
            display.out.print(display.text(f"    and {plan.total - _UNREAD_SHOWN:,} more"))
    for line in in_words(plan.forecast) if plan.forecast else ():
        print_hanging(display.out, Text("  "), printable(line), 4)
    if plan.over_budget:
        display.out.print(display.text(f"  {plan.over_budget}", "red"))


def print_schedule(schedule: Schedule, *, as_json: bool) -> None:
    if as_json:
        display.print_json(schedule.to_json())
    else:
        display.out.print(Text(schedule.text()))


def print_nothing_new(error: NothingNewError, *, as_json: bool) -> None:
    """That a job was not submitted, since there is nothing to add to the earlier one."""
    if as_json:
        display.print_json({"jobId": None, "since": error.since})
    else:
        display.out.print(display.text(error.sentence))


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
