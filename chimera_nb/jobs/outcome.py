"""How a job's record comes to its end when the job itself does not say so: by what stands at its target.

Several viewers may do this at once: each step may be repeated, and the record moves forward only.
"""

from __future__ import annotations

from typing import Any

from chimera_nb.jobs.liveness import SILENT_ELSEWHERE_FOR
from chimera_nb.jobs.log.patience import until_log_answers
from chimera_nb.jobs.log.protocol import JobLog
from chimera_nb.jobs.record import JobRecord, Status, timestamp
from chimera_nb.jobs.transitions import Change
from pipeline.errors import ObjectNotFoundError, StorageError, TargetError
from pipeline.own_temporary import remove_left_behind
from pipeline.spec import JobSpec
from pipeline.storage import Store
from pipeline.target.lifecycle import abandon_target, lost


def end(
    store: Store, record: JobRecord, log: JobLog, status: Status, why: str, *, change: Change | None = None
) -> JobRecord:
    """Bring a job's record to its end by the state of its target; `change` is what else is known of the job.

    target                    status given   record
    whole, this job's         any            complete, with the summary
    abandoned, or another's   complete       failed; `why` says who has the target
    abandoned, or another's   failed,        that status
                              cancelled
    no bucket, or a summary   complete       failed; `why` says what is there
    that no job wrote         failed,        that status; `why` says what is there
                              cancelled
    the store does not        any            not final yet; `why` is kept as its error, or the request to cancel,
    answer                                   for the next who asks; logged for the first alone
    """
    remove_left_behind(record.job_id)
    known = vars(change or Change())
    spec = JobSpec.from_json(record.spec)
    store = store.billed_to(spec.user_project)
    try:
        summary = abandon_target(store, spec)
        if summary is not None:
            return log.update(
                record.job_id, Change(**{**known, "status": Status.COMPLETE, "summary": summary})
            )
        if status is Status.COMPLETE:
            status, why = Status.FAILED, f"{why}, but {lost(store, spec)}"
    except (ObjectNotFoundError, TargetError) as e:  # no bucket, or a summary that no job wrote: for good
        status = Status.FAILED if status is Status.COMPLETE else status
        why = f"{why}; its output cannot be looked at: {e}"
    except StorageError as e:
        kept = {"status": None, "target_unseen_since": timestamp(), **_said(record, status, why)}
        if record.target_unseen_since is None:
            kept["logs"] = (*known["logs"], f"its target cannot be looked at yet ({e}): {why}")
        return log.update(record.job_id, Change(**{**known, **kept}))
    last = {"status": status, "error": why if status is Status.FAILED else None}
    return log.update(record.job_id, Change(**{**known, **last, "logs": (*known["logs"], why)}))


def last_word(
    store: Store, log: JobLog, job_id: str, status: Status, why: str, *, change: Change | None = None
) -> None:
    """The same, said by the job's own process as it ends, and tried again while the job log is away.

    For as long as viewers elsewhere wait for a sign of it; after that, whoever looks at the record ends it.
    """

    def say() -> None:
        record = log.get(job_id)
        # Somebody may have taken it for dead, or cancelled, before its process was through.
        said = f"its process has ended: {why}" if record.status.is_final else why
        end(store, record, log, status, said, change=change)

    until_log_answers(say, SILENT_ELSEWHERE_FOR)


def _said(record: JobRecord, status: Status, why: str) -> dict[str, Any]:
    """How a job ended, as fields of a record that has not."""
    if record.status.is_final or status is Status.COMPLETE:
        return {}
    return {"error": why} if status is Status.FAILED else {"cancel_requested_at": timestamp()}
