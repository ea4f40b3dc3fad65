"""How large a job is and what it comes to: what was counted, and the forecast of that (`chimera_nb.jobs.forecast`)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from chimera_nb.jobs.forecast.machine import Machine, counted
from chimera_nb.jobs.forecast.model import Forecast
from chimera_nb.prices import Prices
from chimera_nb.widgets.browser.counting import Tally
from chimera_nb.widgets.job_form.foretold import of_survey
from chimera_nb.widgets.job_form.messages import PlanFigures, Unread

if TYPE_CHECKING:
    from chimera_nb.widgets.job_form.survey import Survey


@dataclass(frozen=True)
class Plan:
    """What a job comes to; None stands for what is not known.

    files, bytes   counted, as stored; `more` when there are others
    raw_bytes      estimated, as are minutes and worker_hours
    assumes        what the estimates rest on, in a sentence
    """

    files: int = 0
    bytes: int = 0
    more: bool = False
    raw_bytes: int | None = None
    minutes: float | None = None
    worker_hours: float | None = None
    assumes: str = ""


def make_plan(tally: Tally, told: Forecast | None, on: Machine, *, sampled: int = 0) -> Plan:
    """The plan for files that were counted. `sampled` is how many were looked into for it."""
    plan = Plan(tally.files, tally.bytes, tally.more)
    if told is None:
        return plan
    looked = (
        f"Unpacked size from {counted(sampled, 'file')} that {'was' if sampled == 1 else 'were'} looked into"
    )
    raw, hours = told.work.raw_bytes, told.worker_hours
    money = ""
    if on.is_paid:
        money = f" About {told.money:,.2f} {told.currency} by the prices of the settings"
        if told.with_flexrs is not None:
            money += f"; {told.with_flexrs:,.2f} with FlexRS, where it may wait up to six hours"
        money += "."
    if told.seconds is None:
        assumes = (
            f"{looked}. Machine hours: {on.words}, most of it for {told.limit}. "
            "How long it takes depends on how many workers Dataflow chooses: give max workers to have it estimated."
            f"{money}"
        )
        return Plan(tally.files, tally.bytes, tally.more, raw, None, hours, assumes)
    assumes = (
        f"{looked}. Time: {on.words}, most of it for {told.limit}; all workers from the beginning. "
        f"Expect half to twice of it.{money}"
    )
    return Plan(tally.files, tally.bytes, tally.more, raw, told.seconds / 60, hours, assumes)


def plan_figures(
    survey: Survey,
    on: Machine,
    prices: Prices | None = None,
    *,
    counting: bool,
    unread: Unread,
) -> PlanFigures:
    """The plan of what a survey has found so far, as the page shows it."""
    told = of_survey(survey, on, prices or Prices())
    plan = make_plan(survey.tally, told, on, sampled=len(survey.previews))
    return PlanFigures(
        **asdict(plan), counting=counting, looking=counting and not survey.active, unread=unread
    )
