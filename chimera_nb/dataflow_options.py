"""How a Dataflow job runs: what the settings say for all jobs, and a request for one.

https://cloud.google.com/dataflow/docs/reference/pipeline-options
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pipeline.errors import SettingsError
from pipeline.options import Option, table

_LABEL = re.compile(
    r"[a-z][a-z0-9_-]{0,62}=[a-z0-9_-]{0,63}"
)  # cloud.google.com/resource-manager/docs/labels-overview
_FLAGS = {
    "machine_type": "worker_machine_type",
    "num_workers": "num_workers",
    "max_workers": "max_num_workers",
    "service_account": "service_account_email",
    "network": "network",
    "subnetwork": "subnetwork",
    "kms_key": "dataflow_kms_key",
    "flexrs_goal": "flexrs_goal",
}
# These are made here for each job: another value would lead its pieces apart.
_OURS = (
    "runner",
    "project",
    "region",
    "job_name",
    "temp_location",
    "staging_location",
    "extra_package",
    "sdk_location",
)


_FLEXRS = ("COST_OPTIMIZED", "SPEED_OPTIMIZED")
_CHOSEN = "chosen by Dataflow"
MAX_WORKERS = 4000  # Dataflow's own limit for a job


def _check_bucket(location: str | None) -> None:
    if location and not location.startswith("gs://"):
        raise SettingsError(f"temp_location is {location!r}; it is a gs:// folder")


def _check_labels(labels: tuple[str, ...]) -> None:
    for label in labels:
        if not _LABEL.fullmatch(label):
            raise SettingsError(
                f"label {label!r} is not key=value in lower-case letters, digits, '-' and '_'"
            )


def _check_beam_options(options: tuple[str, ...]) -> None:
    for option in options:
        name = option.removeprefix("--").split("=")[0]
        if not option.startswith("--") or name in _OURS:
            reason = "is set for each job" if name in _OURS else "does not begin with --"
            raise SettingsError(f"beam option {option!r} {reason}; write --name=value, of another option")


def _check_flexrs(goal: str | None) -> None:
    if goal not in (None, *_FLEXRS):
        raise SettingsError(f"flexrs_goal is {goal!r}; it is {' or '.join(_FLEXRS)}")


@dataclass(frozen=True)
class DataflowOptions:
    """None leaves a choice to Dataflow. Raises SettingsError."""

    region: Annotated[
        str | None,
        Option(
            "Dataflow: where it runs, as in europe-west1",
            part="run",
            label="Region",
            placeholder="europe-west1",
        ),
    ] = None
    temp_location: Annotated[
        str | None,
        Option(
            "Dataflow: the gs:// folder for what is staged",
            check=_check_bucket,
            part="more",
            label="Temp location",
            placeholder="gs://bucket/folder",
        ),
    ] = None
    machine_type: Annotated[
        str | None,
        Option(
            "Dataflow: the type of its workers, as in n2-standard-4",
            part="run",
            label="Machine type",
            placeholder=_CHOSEN,
        ),
    ] = None
    num_workers: Annotated[
        int | None,
        Option(
            "Dataflow: workers to begin with",
            least=1,
            most=MAX_WORKERS,
            part="more",
            label="Workers to begin with",
            placeholder=_CHOSEN,
        ),
    ] = None
    max_workers: Annotated[
        int | None,
        Option(
            "Dataflow: workers at the most, which autoscaling may go up to",
            least=1,
            most=MAX_WORKERS,
            part="run",
            label="Max workers",
            placeholder=_CHOSEN,
        ),
    ] = None
    flexrs_goal: Annotated[
        str | None,
        Option(
            "Dataflow: COST_OPTIMIZED waits up to six hours for cheaper workers (FlexRS)",
            check=_check_flexrs,
        ),
    ] = None
    service_account: Annotated[
        str | None, Option("Dataflow: e-mail address of the account that its workers are")
    ] = None
    network: Annotated[str | None, Option("Dataflow: the network of its workers")] = None
    subnetwork: Annotated[str | None, Option("Dataflow: the subnetwork of its workers")] = None
    kms_key: Annotated[str | None, Option("Dataflow: the key that encrypts its state")] = None
    labels: Annotated[
        tuple[str, ...],
        Option(
            "Dataflow: on the job and what it uses; may be repeated",
            flag="label",
            metavar="KEY=VALUE",
            check=_check_labels,
        ),
    ] = ()
    beam_options: Annotated[
        tuple[str, ...],
        Option(
            "Any other option of Beam; may be repeated",
            flag="beam-option",
            metavar="--NAME=VALUE",
            check=_check_beam_options,
        ),
    ] = ()

    def __post_init__(self) -> None:
        for option in table(DataflowOptions):
            value = getattr(self, option.name)
            if not _fits(option, value):
                raise SettingsError(f"{option.name} is {value!r}; it is {_shape(option)}")
            if option.check:
                option.check(value)

    def under(self, **overrides: Any) -> Self:
        """These options with those that are given, and not None or empty, in their place.

        Raises SettingsError for a name it does not know.
        """
        chosen = {name: value for name, value in overrides.items() if value not in (None, (), [])}
        return type(self).from_json(self.to_json() | chosen)

    def arguments(self) -> list[str]:
        """Beam's command line, without what each job has of its own."""
        arguments = [
            f"--{flag}={value}" for name, flag in _FLAGS.items() if (value := getattr(self, name)) is not None
        ]
        return [*arguments, *(f"--label={label}" for label in self.labels), *self.beam_options]

    def to_json(self) -> dict[str, Any]:
        """The options that are set."""
        values = dataclasses.asdict(self)
        return {n: list(v) if isinstance(v, tuple) else v for n, v in values.items() if v not in (None, ())}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; raises SettingsError for a name it does not know."""
        known = [option.name for option in table(DataflowOptions)]
        if unknown := document.keys() - set(known):
            raise SettingsError(f"unknown option {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
        values: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in document.items()}
        return cls(**values)


def _fits(option: Option, value: object) -> bool:
    if option.many:
        return isinstance(value, tuple) and all(isinstance(item, str) for item in value)
    if option.kind is int:
        return value is None or (type(value) is int and value >= option.least)
    return value is None or (isinstance(value, str) and bool(value))


def _shape(option: Option) -> str:
    if option.many:
        return "a list of texts"
    return f"a whole number from {option.least} up" if option.kind is int else "a text"
