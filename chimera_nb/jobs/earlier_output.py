"""The output of the job that a new one adds to, where it is named by the job's id."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from chimera_nb.jobs.record import JobRecord, Status
from pipeline.errors import RefusedError
from pipeline.job_options import LAST
from pipeline.spec import JobSpec
from pipeline.storage import Store
from pipeline.target.layout import additions
from pipeline.target.results import check_still_of


def with_earlier_target(
    store: Store, spec: JobSpec, find: Callable[[str], JobRecord], running: Callable[[], Iterable[JobRecord]]
) -> JobSpec:
    """The specification with the folder that a job wrote in place of its id under `since`; as it is without one.

    `find` gives a job's record, `running` those of jobs that had not ended. Raises what these do, and RefusedError for
    a job that left no output, or whose target is another's by now; and for the target's last job while another adds to
    it: both would read the same files.
    """
    if spec.since == LAST:
        _check_none_runs(spec, running())
    if spec.since in (None, LAST, ".", "..") or "/" in str(spec.since):
        return spec
    record = find(str(spec.since))
    if record.status is not Status.COMPLETE:
        raise RefusedError(
            f"job {record.job_id} is {record.status.value}: it left no output to add to; give one that is complete"
        )
    earlier = JobSpec.from_json(record.spec)
    check_still_of(store, earlier.target, record.job_id)
    return replace(spec, since=earlier.target)


def _check_none_runs(spec: JobSpec, running: Iterable[JobRecord]) -> None:
    for record in running:
        if record.status.is_final:
            continue
        target = record.target
        if target == spec.target or target.startswith(additions(spec.target)):
            raise RefusedError(
                f"job {record.job_id} is {record.status_word}, and writes to {target}; both would read the same "
                "files: wait for its end, or cancel it"
            )
