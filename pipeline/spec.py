"""JobSpec: what one job is. Checked once, when it is made; to and from JSON."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import cache
from types import NoneType
from typing import Any, get_args, get_type_hints

from pipeline.errors import RefusedError, SettingsError
from pipeline.job_options import JobOptions
from pipeline.locations import Inputs, Target
from pipeline.options import camel, table

_JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}")  # it becomes part of object names


@dataclass(frozen=True)
class JobSpec(JobOptions):
    """One job: which files, to where, and how. Raises RefusedError when it makes no sense.

    inputs         what `pipeline.locations.Inputs` takes
    target         what `pipeline.locations.Target` takes
    job_id         names the job's temporary files at the target
    inputs_total   how many inputs there are when `inputs` holds only the first of them
    manifest       where all of them are then
    """

    inputs: tuple[str, ...]
    target: str
    job_id: str
    _: KW_ONLY
    inputs_total: int | None = None
    manifest: str | None = None
    reads: Inputs = field(init=False, compare=False, repr=False)  # the same as they were parsed, once
    writes: Target = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        _check_types(self)
        if not _JOB_ID.fullmatch(self.job_id):
            raise RefusedError(f"job id {self.job_id!r} is not made of letters, digits and '-'")
        object.__setattr__(self, "reads", Inputs(self.inputs))
        object.__setattr__(self, "writes", Target(self.target))
        object.__setattr__(self, "inputs", tuple(map(str, self.reads.uris)))
        object.__setattr__(self, "target", str(self.writes.uri))
        for option in table(JobOptions):
            option.refuse(getattr(self, option.name))

    @property
    def bucket(self) -> str:
        """The bucket of the inputs; "" stands for local files."""
        return self.reads.bucket

    @property
    def paths(self) -> tuple[str, ...]:
        """The inputs within the bucket."""
        return self.reads.paths

    def to_json(self) -> dict[str, Any]:
        """The specification as a JSON object with camelCase names."""
        return {camel(f.name): _plain(getattr(self, f.name)) for f in _fields()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> JobSpec:
        """The inverse of `to_json`. Raises SettingsError for a field it does not know or that is missing."""
        known = {camel(f.name): f.name for f in _fields()}
        if unknown := document.keys() - known.keys():
            raise SettingsError(f"job specification: unknown field {', '.join(sorted(unknown))}")
        needed = {camel(f.name) for f in _fields() if f.default is dataclasses.MISSING}
        if missing := needed - document.keys():
            raise SettingsError(f"job specification: {', '.join(sorted(missing))} is missing")
        values = {known[name]: value for name, value in document.items()}
        if isinstance(values["inputs"], list):
            values["inputs"] = tuple(values["inputs"])
        return cls(**values)


def _fields() -> list[dataclasses.Field[Any]]:
    """What a job is of comes before how it runs."""
    given = (each for each in dataclasses.fields(JobSpec) if each.init)
    return sorted(given, key=lambda each: each.kw_only is True)


@cache
def _kinds() -> dict[str, tuple[type, ...]]:
    """By field, the types of its values; `Inputs` looks at its own."""
    hints = get_type_hints(JobSpec)
    return {f.name: get_args(hints[f.name]) or (hints[f.name],) for f in _fields() if f.name != "inputs"}


def _check_types(spec: JobSpec) -> None:
    """A specification may come from JSON, where "false" is easily written for false, and is true."""
    for name, kinds in _kinds().items():
        value = getattr(spec, name)
        if type(value) not in kinds:  # exactly: a bool is an int to isinstance
            wanted = " or ".join("nothing" if kind is NoneType else kind.__name__ for kind in kinds)
            raise SettingsError(f"{camel(name)} is {value!r}; give {wanted}")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
