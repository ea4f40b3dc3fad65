"""What is in a job form, and what is wrong with it. No notebook, no network.

A form holds texts as they are typed. `check` makes of them what a job is submitted with, or a sentence for each
field that does not do yet. What needs a store to be asked comes from `checks`, and how it is
said from `words`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, make_dataclass
from typing import Any

from chimera_nb.dataflow_options import DataflowOptions
from chimera_nb.widgets.job_form.selected import Selection
from pipeline.errors import RefusedError, UnknownNameError
from pipeline.job_options import RAW, JobOptions
from pipeline.locations import Target
from pipeline.options import Option, table

MAX_TEXT = 2000  # characters: an object's name has 1,024 bytes at most
_PLAIN_BUCKET = "gs://"
_REGION = re.compile(r"[a-z]+(?:-[a-z]+)+\d+")  # cloud.google.com/compute/docs/regions-zones
_MACHINE = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)+")
_SUGGESTED = re.compile(r"jobs/\d{4}-\d\d-\d\d-[0-9a-f]{4}")
_SHORT = re.compile(r"-[0-9a-f]{4}$")
_MOST = 1_000_000_000  # of a number that has no bound of its own
_JOB = table(JobOptions)
_DATAFLOW = tuple(option for option in table(DataflowOptions) if option.part)
DATAFLOW_FIELDS = tuple(option.name for option in _DATAFLOW)
BOXES = tuple(option for option in (*_JOB, *_DATAFLOW) if option.part)
ANY_ID = "2000-01-01-00000000"  # of a job that has none yet


_Options: Any = make_dataclass(
    "_Options",
    [
        (option.name, bool, False) if option.kind is bool else (option.name, str, "")
        for option in (*_JOB, *_DATAFLOW)
    ],
    frozen=True,
)


@dataclass(frozen=True)
class Fields(_Options):
    """What stands in a form: texts as typed, and boxes that are ticked. An empty text leaves a choice open.

    Beside these, a field for each option of a job, and for those of Dataflow that the form has.
    """

    source: str = "ndjson"
    bucket: str = ""
    prefix: str = ""
    runner: str = "direct"

    def having(self, name: str, value: object) -> Fields:
        """The same with one field changed. Raises RefusedError for what is no field, or no value for it."""
        kinds = {known.name: type(known.default) for known in fields(self)}
        if name not in kinds or type(value) is not kinds[name]:
            raise RefusedError(
                f"{str(name)[:40]!r} is no field of this form, or it does not take such a value"
            )
        if isinstance(value, str) and (len(value) > MAX_TEXT or "\0" in value):
            raise RefusedError(f"{name} takes up to {MAX_TEXT:,} characters of text")
        changed = {name: value}
        if name in {"bucket", "prefix"} and value != getattr(self, name):
            changed["overwrite"] = False  # what may be replaced was at the target of before
        return Fields(**{**self.__dict__, **changed})

    def rechosen(self, name: str) -> Fields:
        """The same once another source or view was chosen: what was of the one before is left open again."""
        of_view = {"view_options": "", "partition_by": ""}
        if name == "source":
            return Fields(**{**self.__dict__, **of_view, "view": "", "format": ""})
        if name != "view":
            return self
        raw = {"format": "", "max_bad_lines": ""} if self.view in ("", RAW) else {}
        return Fields(**{**self.__dict__, **of_view, **raw})

    def beside(self, today: str) -> Fields:
        """The same with another target, beside this one."""
        if not is_local(self.bucket):
            return self.having("prefix", suggest_prefix(today, self.prefix))
        path, _, name = self.bucket.rstrip("/").rpartition("/")
        return self.having("bucket", f"{path}/{suggest_prefix(today, name or 'output')}")

    @property
    def target(self) -> str:
        """The URI of the target, or the local folder where `bucket` is one; empty without a bucket."""
        bucket, prefix = self.bucket.strip(), self.prefix.strip().strip("/")
        if is_local(bucket):
            return f"{bucket.rstrip('/')}/{prefix}".rstrip("/") or "/"
        bucket = bucket.removeprefix(_PLAIN_BUCKET).strip("/")
        return f"{_PLAIN_BUCKET}{bucket}/{prefix}".rstrip("/") if bucket else ""


def is_local(path: str) -> bool:
    """Whether what is typed or passed as a bucket means a folder of this machine."""
    return path.startswith(("/", "~", "./", "../"))


def split_target(target: str) -> tuple[str, str]:
    """The two fields that make a target: bucket and prefix, or the local folder and nothing."""
    if not target.startswith(_PLAIN_BUCKET):
        return target, ""
    bucket, _, prefix = target.removeprefix(_PLAIN_BUCKET).partition("/")
    return bucket, prefix


def suggest_prefix(today: str, like: str = "") -> str:
    """A prefix that nobody has used: with the date (YYYY-MM-DD), or beside one that was used."""
    short = secrets.token_hex(2)
    if not like or _SUGGESTED.fullmatch(like):
        return f"jobs/{today}-{short}"
    return f"{_SHORT.sub('', like.rstrip('/'))}-{short}"


def store_uri(selected: Selection, form: Fields) -> str:
    """A URI that says which store is needed: any bucket, unless all is on this machine."""
    used = [*selected.inputs[:1], *([form.target] if form.target else [])]
    local = bool(used) and form.runner == "direct" and all(map(is_local, used))
    return used[0] if local else next((uri for uri in used if uri.startswith(_PLAIN_BUCKET)), _PLAIN_BUCKET)


@dataclass(frozen=True)
class Checked:
    """What a form comes to, as far as no service is asked.

    job        what `JobService.submit` takes beside the inputs: target, source and so on; None where something
               is wrong or missing
    options    what DataflowOptions are asked for, by name; empty for another runner
    problems   by field, a sentence each; "inputs" stands for the selection
    missing    those of them that are only not filled in yet
    """

    job: Mapping[str, Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()


def check(
    form: Fields,
    selected: Selection,
    sources: Sequence[str],
    *,
    carried: Mapping[str, Any] | None = None,
    buckets: Sequence[str] | None = None,
    local: bool = True,
) -> Checked:
    """The job of a form.

    sources   the names of those there are
    carried   DataflowOptions that the form has no field for, from a job that it was filled in from
    buckets   the only ones that may be written; None for all that the credentials can
    local     whether folders of this machine may be written
    """
    problems: dict[str, str] = {}
    if selected.problem:
        problems["inputs"] = selected.problem
    numbers = {
        option.name: _count(option, getattr(form, option.name), problems)
        for option in (*_JOB, *_DATAFLOW)
        if option.kind is int
    }
    if form.source not in sources:
        problems["source"] = UnknownNameError("source", form.source, list(sources)).sentence
    _check_target(form, problems, buckets, local=local)
    job = {"target": form.target} | {option.name: _value(option, form, numbers) for option in _JOB}
    for option in _JOB:
        try:
            option.refuse(job[option.name])
        except RefusedError as e:
            problems.setdefault(option.name, e.sentence)
    options: dict[str, Any] = {}
    if form.runner == "dataflow":
        options = {**(carried or {}), **_dataflow(form, numbers, selected, problems)}
    elif form.runner != "direct":
        problems["runner"] = UnknownNameError("runner", form.runner, ["dataflow", "direct"]).sentence
    if problems:
        missing = {"inputs": selected.is_empty, "bucket": not form.bucket.strip()}
        return Checked(None, options, problems, frozenset(name for name in missing if missing[name]))
    return Checked(job, options)


def _check_target(
    form: Fields, problems: dict[str, str], buckets: Sequence[str] | None, *, local: bool
) -> None:
    if not form.bucket.strip():
        problems["bucket"] = "Name the bucket that takes the output."
        return
    if is_local(form.bucket.strip()) and not local:
        problems["bucket"] = "It is a folder of this machine; this form writes to buckets: name one."
        return
    try:
        bucket = Target(form.target).bucket
    except RefusedError as e:
        in_prefix = form.prefix.strip() and _fits(Fields(bucket=form.bucket).target)
        problems["prefix" if in_prefix else "bucket"] = e.sentence
        return
    if bucket and buckets is not None and bucket not in buckets:
        problems["bucket"] = (
            f"Bucket {bucket} is not among the ones that may be written here: {', '.join(buckets) or 'none'}."
        )


def _fits(target: str) -> bool:
    try:
        Target(target)
    except RefusedError:
        return False
    return True


def _value(option: Option, form: Fields, numbers: Mapping[str, int | None]) -> Any:
    """What is submitted for a field; the option's default where it is left open."""
    if option.kind is bool:
        return getattr(form, option.name)
    value = numbers[option.name] if option.kind is int else getattr(form, option.name).strip()
    return option.default if value in (None, "") else value


def _count(option: Option, text: str, problems: dict[str, str]) -> int | None:
    text = text.strip().replace(",", "")
    if not text:
        return None
    low, high = option.least, option.most or _MOST
    if text.isascii() and text.isdigit() and low <= int(text[:12]) <= high:
        return int(text)
    label = option.name.replace("_", " ").capitalize()
    problems[option.name] = (
        f"{label} is {_short(text)!r}; give a whole number from {low} to {high:,}, or nothing."
    )
    return None


def _dataflow(
    form: Fields, numbers: Mapping[str, int | None], selected: Selection, problems: dict[str, str]
) -> dict[str, Any]:
    here = selected.here or (form.target if is_local(form.target) else None)
    if here:
        problems["runner"] = f"{here} is on this machine, where Dataflow's workers cannot read; use gs://."
    region, machine = form.region.strip(), form.machine_type.strip()
    if region and not _REGION.fullmatch(region):
        zone = _REGION.fullmatch(region[:-2]) and region[-2] == "-"
        remedy = f"it is a zone: write {region[:-2]}" if zone else "write one as in europe-west1"
        problems["region"] = f"Region {_short(region)!r} is no region's name; {remedy}."
    if machine and not _MACHINE.fullmatch(machine):
        problems["machine_type"] = f"Machine type {_short(machine)!r} is no type's name; write n2-standard-4."
    least, most = numbers["num_workers"], numbers["max_workers"]
    if least and most and least > most:
        problems["num_workers"] = f"{least} workers to begin with are more than the {most} at the most."
    typed: dict[str, Any] = {
        name: numbers.get(name) or getattr(form, name).strip() for name in DATAFLOW_FIELDS
    }
    filled = {n: v for n, v in typed.items() if v and n not in problems}
    for name, value in filled.items():
        try:
            DataflowOptions(**{name: value})
        except RefusedError as e:
            problems[name] = e.sentence
    return filled


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
