"""A job that is to run again, as it is shown to whoever has it run then."""

from __future__ import annotations

from collections.abc import Iterator

from chimera_nb.dataflow_options import DataflowOptions
from chimera_nb.jobs.limits import storable
from chimera_nb.jobs.service import Again
from chimera_nb.widgets.job_monitor import states
from pipeline.job_options import JobOptions
from pipeline.options import table

_WHERE = {"direct": "on this machine", "dataflow": "on Dataflow"}


def shown_again(job_id: str, again: Again) -> states.Again:
    """What would run: what it reads, where it writes and runs, and the options that are not left open."""
    more = len(again.inputs) - 1
    reads = again.inputs[0] + (f" and {more:,} more" if more else "")
    lines = (
        ("Reads", reads),
        ("Writes to", again.target),
        ("Runs", _WHERE.get(again.runner, again.runner)),
        *_chosen(again),
    )
    return states.Again(job_id, tuple((name, storable(text)) for name, text in lines))


def _chosen(again: Again) -> Iterator[tuple[str, str]]:
    """The options by their names in the form, with what was chosen."""
    for options, values in ((JobOptions, again.options), (DataflowOptions, again.runner_options)):
        for option in table(options):
            value = values.get(option.name, option.default)
            if option.label and (option.name == "source" or value not in (option.default, None, "")):
                yield option.label, "yes" if value is True else str(value)
