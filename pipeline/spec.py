"""JobSpec: what one job is. Checked once, when it is made; to and from JSON."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any

from pipeline.errors import RefusedError, SettingsError
from pipeline.locations import Inputs, Target
from pipeline.uri import split_uri
from pipeline.user_project import check_user_project

MAX_SHARDS = 99_999  # five digits in output-00000-of-NNNNN.ndjson
MAX_RATIO = 1000  # gzip cannot pass 1,032, and market files come to about 15
_KINDS: dict[str, tuple[type, ...]] = {
    "target": (str,),
    "job_id": (str,),
    "source": (str,),
    "shards": (int, NoneType),
    "keep_partial": (bool,),
    "max_failures": (int, NoneType),
    "max_ratio": (int,),
    "spool_mb": (int, NoneType),
    "overwrite": (bool,),
    "user_project": (str, NoneType),
    "inputs_total": (int, NoneType),
    "manifest": (str, NoneType),
}
_JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}")  # it becomes part of object names


@dataclass(frozen=True)
class JobSpec:
    """One job: which files, by which source, to where, and how. Raises RefusedError when it makes no sense.

    inputs         what `pipeline.locations.Inputs` takes
    target         what `pipeline.locations.Target` takes
    job_id         names the job's temporary files at the target
    source         a source plugin's name
    shards         the number of output files; None writes what the workers find fastest, with no second pass
    keep_partial   also write the whole lines read from a file before it proved faulty
    max_failures   more failed files than this fail the job; None allows all but every one of them
    max_ratio      a file of more raw bytes for each stored byte has failed, as a bomb; from 16 MiB on; 0: no bound
    spool_mb       MB of its temporary disk that a worker's process may hold lines on, where its memory does not do;
                   a file that does not fit is read twice; None is as much as it leaves free
    overwrite      replace the output that the target holds
    user_project   the project that is billed for what is asked of buckets whose requesters pay
    manifest       where all inputs are when `inputs` holds only the first of `inputs_total`
    """

    inputs: tuple[str, ...]
    target: str
    job_id: str
    source: str = "ndjson"
    shards: int | None = None
    keep_partial: bool = False
    max_failures: int | None = None
    max_ratio: int = MAX_RATIO
    spool_mb: int | None = None
    overwrite: bool = False
    user_project: str | None = None
    inputs_total: int | None = None
    manifest: str | None = None

    def __post_init__(self) -> None:
        _check_types(self)
        if not _JOB_ID.fullmatch(self.job_id):
            raise RefusedError(f"job id {self.job_id!r} is not made of letters, digits and '-'")
        object.__setattr__(self, "inputs", Inputs(self.inputs).uris)
        object.__setattr__(self, "target", Target(self.target).uri)
        if self.shards is not None and not 1 <= self.shards <= MAX_SHARDS:
            raise RefusedError(f"shards is {self.shards}; ask for 1 to {MAX_SHARDS:,}")
        check_user_project(self.user_project)
        if self.max_failures is not None and self.max_failures < 0:
            raise RefusedError(f"max-failures is {self.max_failures}; give 0 or more")
        if self.max_ratio < 0:
            raise RefusedError(f"max-ratio is {self.max_ratio}; give 1 or more, or 0 for no bound")
        if self.spool_mb is not None and self.spool_mb < 0:
            raise RefusedError(f"spool-mb is {self.spool_mb}; give 0 or more")

    @property
    def bucket(self) -> str:
        """The bucket of the inputs; "" stands for local files."""
        return split_uri(self.inputs[0])[0]

    @property
    def paths(self) -> tuple[str, ...]:
        """The inputs within the bucket."""
        return tuple(split_uri(path)[1] for path in self.inputs)

    def to_json(self) -> dict[str, Any]:
        """The specification as a JSON object with camelCase names."""
        return {_camel(f.name): _plain(getattr(self, f.name)) for f in dataclasses.fields(self)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> JobSpec:
        """The inverse of `to_json`. Raises SettingsError for a field it does not know or that is missing."""
        known = {_camel(f.name): f.name for f in dataclasses.fields(cls)}
        if unknown := document.keys() - known.keys():
            raise SettingsError(f"job specification: unknown field {', '.join(sorted(unknown))}")
        needed = {_camel(f.name) for f in dataclasses.fields(cls) if f.default is dataclasses.MISSING}
        if missing := needed - document.keys():
            raise SettingsError(f"job specification: {', '.join(sorted(missing))} is missing")
        values = {known[name]: value for name, value in document.items()}
        if isinstance(values["inputs"], list):
            values["inputs"] = tuple(values["inputs"])
        return cls(**values)


def _check_types(spec: JobSpec) -> None:
    """A specification may come from JSON, where "false" is easily written for false, and is true."""
    for name, kinds in _KINDS.items():
        value = getattr(spec, name)
        if type(value) not in kinds:  # exactly: a bool is an int to isinstance
            wanted = " or ".join("nothing" if kind is NoneType else kind.__name__ for kind in kinds)
            raise SettingsError(f"{_camel(name)} is {value!r}; give {wanted}")


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
