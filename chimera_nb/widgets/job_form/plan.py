"""How large a job is and how long it may take: from what was counted, and from a few files that were looked into.

The constants are this project's own measurements, rounded to the cautious side (`make bench`):

    raw bytes a second     50 MB for each core of this machine (bz2, the slowest of the codecs, in threads),
                           40 MB for each vCPU at Dataflow
    a file                 2 ms of a core: a request, a ledger record
    start                  5 s here (Beam's imports), 15 s on a local stack's Dataflow, 3 min at Google's

A file is read by one core, so a job of few files does not get faster with more of them.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from chimera_nb.machine.cores import usable_cores
from chimera_nb.settings import Settings
from chimera_nb.widgets.browser.counting import Tally
from chimera_nb.widgets.job_form.messages import PlanFigures, Unread
from pipeline.errors import SettingsError

if TYPE_CHECKING:
    from chimera_nb.data.preview import Preview
    from chimera_nb.widgets.job_form.survey import Survey

_FILE_SECONDS = 0.002
_DEFAULT_MACHINE = "n1-standard-1"  # what Dataflow takes for a batch job where nobody says
_SHARED_CORE = {"f1-micro": 1, "g1-small": 1, "e2-micro": 1, "e2-small": 1, "e2-medium": 1}
_SIZED = re.compile(r"[a-z][a-z0-9]*-[a-z]+-(\d{1,3})(?:-[a-z]+)?")  # n2-standard-4, c3-standard-8-lssd
_CUSTOM = re.compile(r"(?:[a-z][a-z0-9]*-)?custom-(\d{1,3})-\d+(?:-ext)?")


@dataclass(frozen=True)
class Speed:
    """What a job runs on: raw bytes a second for each core, seconds until it begins, and workers of so many cores.

    `workers` is None where the service decides, and nothing can be said of the time.
    """

    words: str
    bytes_a_second: float
    start_seconds: float
    cores: int
    workers: int | None


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


def speed(runner: str, options: Mapping[str, Any], settings: Settings | None = None, cores: int = 0) -> Speed:
    """What a job of that runner runs on.

    options   DataflowOptions by name, that are asked for; the settings have the rest
    cores     of this machine; left out, those that this process may use
    """
    here = cores or len(usable_cores())
    if runner == "direct":
        return Speed(f"{_counted(here, 'core')} of this machine", 50e6, 5, here, 1)
    settings = settings or Settings()
    with contextlib.suppress(SettingsError):  # then those that are asked for do not do, and the form says so
        options = settings.dataflow_options(**options).to_json()
    requested = options.get("max_workers") or options.get("num_workers")
    if settings.place == "local":
        workers = min(here, requested or 4)  # one core each
        return Speed(
            f"the local Dataflow, {_counted(workers, 'worker')} on this machine", 50e6, 15, 1, workers
        )
    machine = str(options.get("machine_type") or _DEFAULT_MACHINE)
    vcpus = machine_vcpus(machine)
    known = f"{_counted(vcpus, 'vCPU')}" if vcpus else "taken for 1 vCPU"
    number = f"{_counted(requested, 'worker')}" if requested else "workers"
    return Speed(f"{number} of {machine} ({known})", 40e6, 180, vcpus or 1, requested)


def machine_vcpus(name: str) -> int | None:
    """The vCPUs that a machine type's name tells of; those that share a core count as 1. None when it does not.

    https://cloud.google.com/compute/docs/machine-resource
    """
    if name in _SHARED_CORE:
        return _SHARED_CORE[name]
    found = _SIZED.fullmatch(name) or _CUSTOM.fullmatch(name)
    return int(found[1]) or None if found else None


def ratio_of(previews: Iterable[Preview]) -> float | None:
    """Raw bytes for a stored one, of all files that were looked into; None when none of them tells."""
    told = [
        (found.estimated_raw_bytes, found.size) for found in previews if found.estimated_raw_bytes is not None
    ]
    stored = sum(size for _, size in told)
    return sum(raw for raw, _ in told) / stored if stored else None


def make_plan(tally: Tally, ratio: float | None, on: Speed, *, sampled: int = 0) -> Plan:
    """The plan for files that were counted. `sampled` is how many the ratio is of."""
    plan = Plan(tally.files, tally.bytes, tally.more)
    if not tally.files or ratio is None or not math.isfinite(tally.bytes * ratio) or ratio < 0:
        return plan
    raw = round(tally.bytes * ratio)
    looked = (
        f"Unpacked size from {_counted(sampled, 'file')} that {'was' if sampled == 1 else 'were'} looked into"
    )
    work = raw / on.bytes_a_second + tally.files * _FILE_SECONDS
    if on.workers is None:
        hours = work / on.cores / 3600
        assumes = (
            f"{looked}. Machine hours: {on.words}, {on.bytes_a_second / 1e6:.0f} MB unpacked in a second each. "
            "How long it takes depends on how many workers Dataflow chooses: give max workers to have it estimated."
        )
        return Plan(tally.files, tally.bytes, tally.more, raw, None, hours, assumes)
    busy = min(on.workers * on.cores, tally.files)
    seconds = on.start_seconds + work / busy
    workers = min(on.workers, math.ceil(busy / on.cores))
    assumes = (
        f"{looked}. Time: {on.words}, {on.bytes_a_second / 1e6:.0f} MB unpacked in a second for each core, "
        f"{_FILE_SECONDS * 1000:.0f} ms a file, {on.start_seconds:.0f} s to start; all workers from the beginning. "
        "Expect half to twice of it."
    )
    return Plan(tally.files, tally.bytes, tally.more, raw, seconds / 60, workers * seconds / 3600, assumes)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def plan_figures(survey: Survey, on: Speed, *, counting: bool, unread: Unread) -> PlanFigures:
    """The plan of what a survey has found so far, as the page shows it."""
    plan = make_plan(survey.tally, ratio_of(survey.previews), on, sampled=len(survey.previews))
    return PlanFigures(
        **asdict(plan), counting=counting, looking=counting and not survey.active, unread=unread
    )
