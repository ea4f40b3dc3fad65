"""How a Dataflow job runs: what the settings say for all jobs, and a request for one.

    region            where the job runs, as in europe-west1
    temp_location     the gs:// folder for what is staged
    machine_type      of the workers, as in n2-standard-4; Dataflow chooses if left out
    num_workers       to begin with
    max_workers       that autoscaling may go up to
    service_account   e-mail address of the account that the workers are
    network, subnetwork, kms_key
                      as Dataflow takes them
    labels            "key=value", on the job and what it uses
    beam_options      further options of Beam or Dataflow, as on a command line: "--experiments=..."

https://cloud.google.com/dataflow/docs/reference/pipeline-options
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pipeline.errors import SettingsError

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


@dataclass(frozen=True)
class DataflowOptions:
    """The module's docstring has the fields; None leaves a choice to Dataflow. Raises SettingsError."""

    region: str | None = None
    temp_location: str | None = None
    machine_type: str | None = None
    num_workers: int | None = None
    max_workers: int | None = None
    service_account: str | None = None
    network: str | None = None
    subnetwork: str | None = None
    kms_key: str | None = None
    labels: tuple[str, ...] = ()
    beam_options: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name in ("labels", "beam_options"):
                fits = isinstance(value, tuple) and all(isinstance(item, str) for item in value)
            elif field.name in ("num_workers", "max_workers"):
                fits = value is None or (type(value) is int and value >= 1)
            else:
                fits = value is None or (isinstance(value, str) and bool(value))
            if not fits:
                raise SettingsError(f"{field.name} is {value!r}; it is {_SHAPES.get(field.name, 'a text')}")
        if self.temp_location and not self.temp_location.startswith("gs://"):
            raise SettingsError(f"temp_location is {self.temp_location!r}; it is a gs:// folder")
        for label in self.labels:
            if not _LABEL.fullmatch(label):
                raise SettingsError(
                    f"label {label!r} is not key=value in lower-case letters, digits, '-' and '_'"
                )
        for option in self.beam_options:
            name = option.removeprefix("--").split("=")[0]
            if not option.startswith("--") or name in _OURS:
                reason = "is set for each job" if name in _OURS else "does not begin with --"
                raise SettingsError(f"beam option {option!r} {reason}; write --name=value, of another option")

    def under(self, **wanted: Any) -> Self:
        """These options with those that are given, and not None or empty, in their place.

        Raises SettingsError for a name it does not know.
        """
        given = {name: value for name, value in wanted.items() if value not in (None, (), [])}
        return type(self).from_json(self.to_json() | given)

    def arguments(self) -> list[str]:
        """Beam's command line, without what each job has of its own."""
        given = [
            f"--{flag}={value}" for name, flag in _FLAGS.items() if (value := getattr(self, name)) is not None
        ]
        return [*given, *(f"--label={label}" for label in self.labels), *self.beam_options]

    def to_json(self) -> dict[str, Any]:
        """The options that are set."""
        values = dataclasses.asdict(self)
        return {n: list(v) if isinstance(v, tuple) else v for n, v in values.items() if v not in (None, ())}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; raises SettingsError for a name it does not know."""
        known = [field.name for field in dataclasses.fields(cls)]
        if unknown := document.keys() - set(known):
            raise SettingsError(f"unknown option {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
        values: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in document.items()}
        return cls(**values)


_SHAPES = {
    "labels": "a list of texts",
    "beam_options": "a list of texts",
    "num_workers": "a whole number from 1 up",
    "max_workers": "a whole number from 1 up",
}
