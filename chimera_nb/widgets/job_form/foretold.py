"""What a job will come to, by a survey of its selection: for whoever submits it, and for the form's plan."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chimera_nb.jobs.forecast.actual import learnt
from chimera_nb.jobs.forecast.machine import Machine, machine_of
from chimera_nb.jobs.forecast.model import Forecast, Work, forecast
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.machine.host_id import host_id
from chimera_nb.prices import Prices
from chimera_nb.session import Session
from chimera_nb.settings import Settings
from chimera_nb.widgets.job_form.survey import Survey
from pipeline.errors import ChimeraError
from pipeline.job_options import RAW, JobOptions
from pipeline.options import table
from pipeline.sources.view_options import options_text
from pipeline.spec import JobSpec

if TYPE_CHECKING:
    from chimera_nb.data.preview import Preview
    from pipeline.storage import Store

_OPTIONS = {option.name for option in table(JobOptions)}
_ANY_ID = "2000-01-01-00000000"
_PATIENCE = 0.5  # seconds that a submission waits for its forecast
_MUCH = 1 << 20  # bytes of a file that are looked into, where it has to be known
_TELLING = 300_000  # raw bytes: of fewer the time says more of the clock than of the codec
_LOOK_SECONDS = 0.0008  # what looking into a file takes beside decoding
_JOBS = 20  # looked through for those that teach


def foretold(
    session: Session,
    inputs: Sequence[str],
    target: str,
    job: Mapping[str, Any],
    *,
    runner: str = "direct",
    runner_options: Mapping[str, Any] | None = None,
) -> Forecast | None:
    """What a job that is about to be submitted comes to; None where that takes too long to say, or nothing is known.

    With a budget it takes as long as it has to. What is wrong with the job is for its submission to say.
    """
    try:
        if job.get("since") or not job.keys() <= _OPTIONS:
            return None
        spec = JobSpec(tuple(inputs), target, _ANY_ID, **_as_text(job))
        settings = session.settings
        store = session.store.billed_to(spec.user_project or settings.user_project)
        survey = Survey(spec.inputs, spec.source, every_file=spec.every_file, inventory=spec.inventory)
        until = time.monotonic() + (_PATIENCE if spec.budget is None else math.inf)
        while survey.tally.more:
            survey.resume()
            survey.advance(store, until - time.monotonic())
            if survey.error or survey.without_files or time.monotonic() > until:
                return None
        decodes = look_into(survey, store, thorough=spec.budget is not None)
        on = machine_of(runner, runner_options or {}, settings)
        found = of_survey(survey, on, prices_of(settings), spec, decodes)
        return found and taught(found, session, runner)
    except ChimeraError:
        return None


def _as_text(job: Mapping[str, Any]) -> dict[str, Any]:
    """A job's options, as a specification has them."""
    given = job.get("view_options")
    return {**job, "view_options": options_text(given) if isinstance(given, Mapping) else given}


def look_into(survey: Survey, store: Store, *, thorough: bool = False) -> float | None:
    """Look into some of the files that were counted; raw bytes that a core of this machine decodes of them a second.

    None where they are too few to tell. `thorough` reads more of each: a block of bz2 may take half a megabyte.
    """
    began = time.thread_time()
    if thorough:
        survey.inspect(store, _MUCH)
    else:
        survey.inspect(store)
    took = time.thread_time() - began - _LOOK_SECONDS * len(survey.previews)
    raw = sum(found.raw_bytes for found in survey.previews)
    return raw / took if raw >= _TELLING and took > 0 else None


def of_survey(
    survey: Survey,
    on: Machine,
    prices: Prices,
    spec: JobSpec | None = None,
    decodes: float | None = None,
) -> Forecast | None:
    """Of the files that a survey has counted, by those that it has looked into; None where they do not tell.

    `decodes` is as `look_into` gives it.
    """
    ratio = ratio_of(survey.previews)
    tally = survey.tally
    if not tally.files or ratio is None or ratio < 0 or not math.isfinite(tally.bytes * ratio):
        return None
    codecs = Counter(found.codec for found in survey.previews if found.codec)
    work = Work(
        tally.files,
        tally.bytes,
        round(tally.bytes * ratio),
        remote=survey.inputs[0].startswith("gs://"),
        codec=codecs.most_common(1)[0][0] if codecs else "bz2",
        view=spec is not None and spec.view != RAW,
        shards=spec.shards if spec else None,
        decodes=decodes,
        inventory=spec is not None and spec.inventory is not None,
    )
    return forecast(work, on, prices)


def taught(told: Forecast, session: Session, runner: str) -> Forecast:
    """The forecast of a direct job as the last jobs of this machine have it."""
    if runner != "direct":
        return told
    page = session.service.log.list(statuses=(Status.COMPLETE,), limit=_JOBS)
    records = (entry for entry in page.entries if isinstance(entry, JobRecord))
    return told.scaled(learnt(records, host_id(session.settings.folder)))


def prices_of(settings: Settings) -> Prices:
    """Those of the settings; a local stack's buckets cost nothing."""
    if settings.place == "local":
        return replace(settings.prices, class_a=0.0, class_b=0.0)
    return settings.prices


def ratio_of(previews: Iterable[Preview]) -> float | None:
    """Raw bytes for a stored one, of all files that were looked into; None when none of them tells."""
    told = [
        (found.estimated_raw_bytes, found.size) for found in previews if found.estimated_raw_bytes is not None
    ]
    stored = sum(size for _, size in told)
    return sum(raw for raw, _ in told) / stored if stored else None


def in_words(told: Forecast) -> list[str]:
    """What it comes to, in lines: the time and what limits it, the money, and what is cheaper."""
    lines = []
    if told.seconds is not None:
        lines.append(f"about {time_in_words(told.seconds)}, of which {told.limit} takes the most")
    lines.append(f"about {told.worker_hours:,.3g} machine hours, {told.core_seconds / 3600:,.3g} core-hours")
    asked = sum(told.operations.values())
    if told.money:
        lines.append(
            f"about {told.money:,.2f} {told.currency} by the prices of the settings, {asked:,} requests"
        )
    if told.with_flexrs is not None:
        lines.append(
            f"about {told.with_flexrs:,.2f} {told.currency} where the job may wait up to six hours for cheaper "
            "workers: --flexrs-goal COST_OPTIMIZED"
        )
    return lines


def time_in_words(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:,.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:,.1f} h"
