"""What stands at a target, looked at without taking it: for the one who types its name."""

from __future__ import annotations

from dataclasses import dataclass

from chimera_nb.widgets.job_form.model import ANY_ID
from pipeline.errors import ChimeraError
from pipeline.locations import Inputs, Target
from pipeline.storage import Store
from pipeline.target.contents import published
from pipeline.target.lifecycle import read_summary

_CLAIMS = "_chimera/"


@dataclass(frozen=True)
class TargetState:
    """problem: why the job could not go there, as a sentence, or None; says: what is worth knowing of it otherwise.

    holds_output: a job's output is there, so that the job has to replace it or to go elsewhere.
    field: of the form, that the problem is with.
    """

    problem: str | None = None
    says: str = ""
    holds_output: bool = False
    field: str = "prefix"


def inspect_target(
    store: Store,
    where: Target,
    inputs: Inputs | None = None,
    *,
    source: str = "ndjson",
    every_file: bool = False,
    overwrite: bool = False,
    makes_buckets: bool = False,
) -> TargetState:
    """The state of a target; with inputs, also whether it lies among them. Writes nothing.

    source          by which the inputs are read, or
    every_file      whatever their names
    overwrite       whether the job is to replace an output
    makes_buckets   whether submitting makes a bucket that is absent, as on a local stack

    What the store refuses is a problem, and no error.
    """
    try:
        known = _known_before(store, where, makes_buckets=makes_buckets)
        if known is None and inputs:
            from pipeline.inputs.selection import check_apart, patterns_by_input

            by_input = patterns_by_input(store, inputs, source, every=every_file)
            patterns = [pattern for patterns in by_input.values() for pattern in patterns]
            check_apart(store, inputs, where, patterns, job_id=ANY_ID, overwrite=overwrite)
        return known or _contents(store, where.uri, overwrite=overwrite)
    except ChimeraError as e:
        return TargetState(problem=e.sentence)


def _known_before(store: Store, where: Target, *, makes_buckets: bool) -> TargetState | None:
    """The state, where no look into the folder is needed to tell."""
    target, bucket = where.uri, where.bucket
    store.access.check_folder(f"{target}/", "write")
    if not store.bucket_exists(bucket):
        if makes_buckets:
            return TargetState(says=f"The bucket gs://{bucket} is made with the job.")
        says = f"No bucket gs://{bucket} (or it is not visible with these credentials)"
        return TargetState(f"{says}; check its name.", field="bucket")
    return None


def _contents(store: Store, target: str, *, overwrite: bool) -> TargetState:
    page = next(iter(store.list_folder(f"{target}/")), None)
    names = [] if page is None else [*page.folders, *(entry.uri for entry in page.objects)]
    shown = [uri[len(target) + 1 :] for uri in names]
    if "summary.json" in shown or next(published(store, target), None):
        return _held(store, target, overwrite=overwrite)
    if _CLAIMS in shown:
        says = "A job writes here, or has left its temporary files; if it runs, yours will be refused."
        return TargetState(says=says)
    if shown:
        others = f" and {len(shown) - 1} more" if len(shown) > 1 else ""
        return TargetState(says=f"Other things are here ({shown[0]}{others}); they stay as they are.")
    return TargetState(says="Nothing is here yet.")


def _held(store: Store, target: str, *, overwrite: bool) -> TargetState:
    try:
        job = (read_summary(store, target) or {}).get("jobId")
    except ChimeraError:
        job = None  # a summary of no job: replaced as well
    whose = f"of job {job}" if job else "of a job that did not end well"
    if overwrite:
        return TargetState(says=f"The output {whose} is here; it will be replaced.", holds_output=True)
    problem = f"The output {whose} is here already; choose another folder, or replace what is there."
    return TargetState(problem, holds_output=True)
