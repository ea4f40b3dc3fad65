"""What stands at a target, looked at without taking it: for the one who types its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.errors import ChimeraError
from pipeline.spec import JobSpec
from pipeline.storage import Store
from pipeline.target.contents import published
from pipeline.target.lifecycle import read_summary
from pipeline.uri import split_uri

_CLAIMS = "_chimera/"


@dataclass(frozen=True)
class TargetState:
    """problem: why the job could not go there, or None; says: what is worth knowing of it otherwise.

    holds_output: a job's output is there, so that the job has to replace it or to go elsewhere.
    field: of the form, that the problem is with.
    """

    problem: str | None = None
    says: str = ""
    holds_output: bool = False
    field: str = "prefix"


def look_at_target(
    store: Store, spec: JobSpec, inputs: Sequence[str] = (), *, makes_buckets: bool = False
) -> TargetState:
    """The state of the job's target; with inputs, also whether it lies among them. Writes nothing, never raises.

    `makes_buckets` says that submitting makes a bucket that is absent, as on a local stack.
    """
    try:
        return _look(store, spec, inputs, makes_buckets=makes_buckets)
    except ChimeraError as e:
        return TargetState(problem=str(e))


def _look(store: Store, spec: JobSpec, inputs: Sequence[str], *, makes_buckets: bool) -> TargetState:
    target = spec.target
    bucket, _ = split_uri(target)
    store.access.check_folder(f"{target}/", "write")
    if not store.bucket_exists(bucket):
        if makes_buckets:
            return TargetState(says=f"The bucket gs://{bucket} is made with the job.")
        says = f"no bucket gs://{bucket} (or it is not visible with these credentials)"
        return TargetState(f"{says}; check its name", field="bucket")
    if inputs:
        from pipeline.inputs.selection import check_apart, patterns_by_input

        by_input = patterns_by_input(store, spec)
        check_apart(store, spec, [pattern for patterns in by_input.values() for pattern in patterns])
    page = next(iter(store.list_folder(f"{target}/")), None)
    names = [] if page is None else [*page.folders, *(entry.uri for entry in page.objects)]
    shown = [uri[len(target) + 1 :] for uri in names]
    if "summary.json" in shown or next(published(store, target), None):
        return _held(store, spec)
    if _CLAIMS in shown:
        says = "A job writes here, or has left its temporary files; if it runs, yours will be refused."
        return TargetState(says=says)
    if shown:
        others = f" and {len(shown) - 1} more" if len(shown) > 1 else ""
        return TargetState(says=f"Other things are here ({shown[0]}{others}); they stay as they are.")
    return TargetState(says="Nothing is here yet.")


def _held(store: Store, spec: JobSpec) -> TargetState:
    try:
        job = (read_summary(store, spec.target) or {}).get("jobId")
    except ChimeraError:
        job = None  # a summary of no job: replaced as well
    whose = f"of job {job}" if job else "of a job that did not end well"
    if spec.overwrite:
        return TargetState(says=f"The output {whose} is here; it will be replaced.", holds_output=True)
    problem = f"the output {whose} is here already; choose another prefix, or replace what is there"
    return TargetState(problem, holds_output=True)
