"""What `chimera submit --dry-run` says: which files the job would read, and which not. Nothing is written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chimera_nb.jobs.forecast.budget import Budget
from chimera_nb.jobs.forecast.machine import machine_of
from chimera_nb.jobs.forecast.model import Forecast
from chimera_nb.session import Session
from pipeline.errors import ChimeraError, NothingMatchesError, NothingNewError, TargetError
from pipeline.inputs.listing import only_patterns, wanted
from pipeline.inputs.selection import check_apart, check_inputs, patterns_by_input
from pipeline.inputs.since import find_new
from pipeline.spec import JobSpec
from pipeline.storage import Store

_ANY_ID = "2000-01-01-00000000"


@dataclass(frozen=True)
class Plan:
    """Files and bytes as stored; `text` says what is not read, `unread` has the first such files with the reasons.

    `since` is what was found of a selection that is held against an earlier job, of which the files are only the new.
    """

    files: int
    bytes: int
    skipped: int
    skipped_bytes: int
    unmatched: int
    unmatched_bytes: int
    text: str
    unread: Sequence[tuple[str, str]]
    since: Mapping[str, Any] | None = None
    forecast: Forecast | None = None
    budget: Budget | None = None

    @property
    def over_budget(self) -> str | None:
        """Why the job would be refused for its budget; None where it has none, or keeps within."""
        return self.budget.passed_by(self.forecast) if self.budget and self.forecast else None

    @property
    def total(self) -> int:
        """The files that are not read."""
        return self.skipped + self.unmatched

    def to_json(self) -> dict[str, Any]:
        """A JSON object, with the names of summary.json where it has such."""
        return {
            "files": {"listed": self.files + self.skipped, "read": self.files, "skipped": self.skipped},
            "compressedBytes": self.bytes,
            "skippedBytes": self.skipped_bytes,
            "unmatched": {"files": self.unmatched, "bytes": self.unmatched_bytes},
            "notRead": [{"uri": uri, "reason": why} for uri, why in self.unread],
            **({"since": dict(self.since)} if self.since else {}),
            "forecast": self.forecast.to_json() if self.forecast else None,
            **({"overBudget": self.over_budget} if self.budget else {}),
        }


def plan_of(
    session: Session,
    inputs: Sequence[str],
    target: str,
    job: Mapping[str, Any],
    *,
    runner: str = "direct",
    options: Mapping[str, Any] | None = None,
) -> Plan:
    """List the selection to its end, look into some of its files, and at the target. Raises as submitting does."""
    from chimera_nb.widgets.job_form.foretold import look_into, of_survey, prices_of, taught
    from chimera_nb.widgets.job_form.survey import Survey
    from chimera_nb.widgets.job_form.target_state import inspect_target
    from chimera_nb.widgets.job_form.unread import unread_text

    spec = JobSpec(tuple(inputs), target, _ANY_ID, **job)
    spec = session.service.onto_earlier(spec) if spec.since else spec
    store = session.store.billed_to(spec.user_project or session.settings.user_project)
    inputs_, target_ = spec.reads, spec.writes
    by_input = patterns_by_input(store, inputs_, spec.source, every=spec.every_file)
    patterns = only_patterns(wanted(by_input))
    check_apart(store, inputs_, target_, patterns, job_id=_ANY_ID, overwrite=spec.overwrite)
    makes_buckets = session.settings.place == "local"
    state = inspect_target(store, target_, overwrite=spec.overwrite, makes_buckets=makes_buckets)
    if state.problem:
        raise TargetError(state.problem.rstrip("."))
    if spec.since:
        return _plan_since(store, spec, by_input)
    survey = Survey(spec.inputs, spec.source, every_file=spec.every_file, inventory=spec.inventory)
    while survey.tally.more:
        survey.resume()
        survey.advance(store, math.inf)
        if survey.error:
            raise ChimeraError(survey.error.rstrip("."))
    if survey.without_files:
        raise NothingMatchesError(f"no file matches {survey.without_files}", [])
    decodes = look_into(survey, store, thorough=True)
    on = machine_of(runner, options or {}, session.settings)
    told = of_survey(survey, on, prices_of(session.settings), spec, decodes)
    reading = survey.reading
    return Plan(
        reading.files,
        reading.bytes,
        reading.skipped,
        reading.skipped_bytes,
        reading.unmatched,
        reading.unmatched_bytes,
        unread_text(reading, survey.why)[1],
        reading.names(survey.why),
        forecast=told and taught(told, session, runner),
        budget=Budget.of(spec.budget, session.settings.prices.currency),
    )


def _plan_since(store: Store, spec: JobSpec, by_input: dict[str, list[str]]) -> Plan:
    try:
        new = find_new(store, spec, wanted(check_inputs(store, by_input)))
    except NothingNewError as e:
        return Plan(0, 0, int(e.since["skipped"]), 0, 0, 0, "", (), e.since)
    return Plan(len(new.read), new.bytes, int(new.joined.since["skipped"]), 0, 0, 0, "", (), new.joined.since)
