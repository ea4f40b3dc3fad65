"""Jobs on record as configurations to begin with again: their fields, and what they read. The job log is the memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chimera_nb.dataflow_options import DataflowOptions
from chimera_nb.jobs.record import JobRecord
from chimera_nb.settings import Settings
from chimera_nb.widgets.job_form.model import DATAFLOW_FIELDS, Fields, is_local, split_target
from pipeline.errors import ChimeraError
from pipeline.job_options import JobOptions
from pipeline.options import Option, table
from pipeline.spec import JobSpec
from pipeline.storage import Store

SHOWN = 10
_KEPT = tuple(option for option in table(JobOptions) if not option.once)
_REMEMBERED = ("runner", "bucket", "region", "machine_type", "max_workers")
LOOKED_AT = 50  # records that are gone through for as many different ones


@dataclass(frozen=True)
class Recent:
    """Something of a job that can be picked again. `key` tells those apart that are the same."""

    job_id: str
    label: str
    key: tuple[Any, ...]


def recent_configurations(records: Iterable[JobRecord]) -> tuple[Recent, ...]:
    """The last jobs that differ in more than the time, newest first."""
    found = []
    for spec, record in _readable(records):
        where = " on Dataflow" if record.runner == "dataflow" else ""
        label = (
            f"{record.created_at[:16].replace('T', ' ')} {spec.source}{where}: {_named(spec)} → {spec.target}"
        )
        options = tuple(sorted((name, str(value)) for name, value in record.runner_options.items()))
        kept = tuple(getattr(spec, option.name) for option in _KEPT)
        same = (spec.inputs, spec.manifest, spec.target, *kept, record.runner, options)
        found.append(Recent(record.job_id, label, same))
    return _first_of_each(found)


def recent_selections(records: Iterable[JobRecord]) -> tuple[Recent, ...]:
    """The last selections that differ, newest first."""
    return _first_of_each(
        Recent(record.job_id, _named(spec), (spec.inputs, spec.manifest))
        for spec, record in _readable(records)
    )


def fields_of(record: JobRecord, settings: Settings) -> tuple[Fields, dict[str, Any]]:
    """The fields of a form as the job had them, and the Dataflow options that no field stands for.

    What the settings say anyway is left open. Raises ChimeraError for a record that cannot be read.
    """
    spec = JobSpec.from_json(record.spec)
    bucket, prefix = split_target(spec.target)
    options = _own_options(record.runner_options, settings)
    typed: dict[str, Any] = {name: str(options.pop(name, "")) for name in DATAFLOW_FIELDS}
    typed |= {option.name: _typed(option, getattr(spec, option.name)) for option in _KEPT}
    if spec.user_project == settings.user_project:
        typed["user_project"] = ""
    fields = Fields(bucket=bucket, prefix=prefix, runner=record.runner, **typed)
    return fields, options


def begun_as(
    form: Fields,
    records: Sequence[JobRecord],
    settings: Settings,
    kept: Collection[str],
) -> Fields:
    """The form with where the newest job ran and wrote, except fields in `kept`, and a local target."""
    try:
        last, _ = fields_of(records[0], settings)
    except (ChimeraError, IndexError):
        return form  # none yet, or of a later version: nothing to go by
    for name in _REMEMBERED:
        value = getattr(last, name)
        if name not in kept and not (name == "bucket" and is_local(value)):
            form = form.having(name, value)
    return form


def inputs_of(store: Store, record: JobRecord) -> tuple[str, ...]:
    """All that the job was asked to read. May read its manifest, so call it in a thread. Raises ChimeraError."""
    from pipeline.inputs.manifest import all_inputs

    spec = JobSpec.from_json(record.spec)
    return all_inputs(store.billed_to(spec.user_project), spec)


def _own_options(options: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    known = DataflowOptions.__dataclass_fields__
    by_settings = settings.dataflow_options().to_json()
    return {
        name: value for name, value in options.items() if name in known and by_settings.get(name) != value
    }


def _readable(records: Iterable[JobRecord]) -> Iterable[tuple[JobSpec, JobRecord]]:
    for record in records:
        try:
            yield JobSpec.from_json(record.spec), record
        except ChimeraError:
            continue  # of a later version


def _named(spec: JobSpec) -> str:
    more = (spec.inputs_total or len(spec.inputs)) - 1
    return spec.inputs[0] + (f" and {more:,} more" if more else "")


def _first_of_each(found: Iterable[Recent]) -> tuple[Recent, ...]:
    first: dict[tuple[Any, ...], Recent] = {}
    for recent in found:
        first.setdefault(recent.key, recent)
    return tuple(first.values())[:SHOWN]


def _typed(option: Option, value: Any) -> Any:
    """What stands in the form for a value; the source is never left open."""
    if option.kind is bool or option.name == "source":
        return value
    return "" if value in (None, option.default) else str(value)
