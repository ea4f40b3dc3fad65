"""What a job runs on, by its runner and what was asked of it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chimera_nb.settings import Settings
from pipeline.cores import usable_cores
from pipeline.errors import SettingsError

_DEFAULT_MACHINE = "n1-standard-1"  # what Dataflow takes for a batch job where nobody says
_SHARED_CORE = {"f1-micro": 1, "g1-small": 1, "e2-micro": 1, "e2-small": 1, "e2-medium": 1}
_SIZED = re.compile(r"[a-z][a-z0-9]*-[a-z]+-(\d{1,3})(?:-[a-z]+)?")  # n2-standard-4, c3-standard-8-lssd
_CUSTOM = re.compile(r"(?:[a-z][a-z0-9]*-)?custom-(\d{1,3})-\d+(?:-ext)?")
_GB_A_VCPU = {"standard": 4.0, "highmem": 8.0, "highcpu": 1.0}


@dataclass(frozen=True)
class Machine:
    """Workers of so many cores; `workers` is None where the service decides, and nothing can be said of the time.

    words         what it is, for a person
    start         seconds until it begins to read
    pace          of a core, against one of the machine that the model was measured on
    gb            memory of a worker
    is_paid       whether its hours cost money
    flexrs        whether it waits for cheap hours
    """

    words: str
    cores: int
    workers: int | None
    start: float
    pace: float = 1.0
    gb: float = 4.0
    is_paid: bool = False
    flexrs: bool = False


def machine_of(
    runner: str, options: Mapping[str, Any], settings: Settings | None = None, cores: int = 0
) -> Machine:
    """What a job of that runner runs on.

    options   DataflowOptions by name, that are asked for; the settings have the rest
    cores     of this machine; left out, those that this process may use
    """
    here = cores or len(usable_cores())
    if runner == "direct":
        return Machine(f"{counted(here, 'core')} of this machine", here, 1, 0.8)
    settings = settings or Settings()
    with contextlib.suppress(
        SettingsError
    ):  # then those that are asked for do not do, and that is told elsewhere
        options = settings.dataflow_options(**options).to_json()
    requested = options.get("max_workers") or options.get("num_workers")
    if settings.place == "local":
        workers = min(here, requested or 4)  # one core each
        return Machine(f"the local Dataflow, {counted(workers, 'worker')} on this machine", 1, workers, 5.0)
    name = str(options.get("machine_type") or _DEFAULT_MACHINE)
    vcpus = machine_vcpus(name)
    known = counted(vcpus, "vCPU") if vcpus else "taken for 1 vCPU"
    number = counted(requested, "worker") if requested else "workers"
    gb = (vcpus or 1) * next((each for kind, each in _GB_A_VCPU.items() if kind in name), 4.0)
    flexrs = options.get("flexrs_goal") == "COST_OPTIMIZED"
    return Machine(
        f"{number} of {name} ({known})", vcpus or 1, requested, 180.0, 0.8, gb, is_paid=True, flexrs=flexrs
    )


def machine_vcpus(name: str) -> int | None:
    """The vCPUs that a machine type's name tells of; those that share a core count as 1. None when it does not.

    https://cloud.google.com/compute/docs/machine-resource
    """
    if name in _SHARED_CORE:
        return _SHARED_CORE[name]
    found = _SIZED.fullmatch(name) or _CUSTOM.fullmatch(name)
    return int(found[1]) or None if found else None


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
