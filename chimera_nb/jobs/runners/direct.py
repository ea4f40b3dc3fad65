"""`--runner direct`: the job in a process of its own on this machine, which outlives whoever started it.

The process writes its own record while it runs. When it is killed, nobody does; so whoever looks at the record
looks whether the process lives, and brings the record to its end (`settle`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chimera_nb.jobs.liveness import Liveness
from chimera_nb.jobs.log.protocol import JobLog
from chimera_nb.jobs.outcome import end
from chimera_nb.jobs.record import JobRecord, Status, timestamp
from chimera_nb.jobs.runners.protocol import Runner
from chimera_nb.jobs.runners.spawn import spawn
from chimera_nb.jobs.transitions import Change
from chimera_nb.settings import Settings
from pipeline.errors import RefusedError
from pipeline.spec import JobSpec

_GRACE_SECONDS = 8.0


class DirectJobs(Runner):
    """The direct jobs of one job log."""

    def __init__(self, log: JobLog, settings: Settings) -> None:
        self._log, self._settings = log, settings
        self._liveness = Liveness(settings.folder)

    def options_of(self, spec: JobSpec, requested: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002 - all do
        """No options: a direct job takes none. Raises RefusedError where `requested` has any."""
        if requested:
            raise RefusedError(
                f"{', '.join(sorted(map(str, requested)))}: only for --runner dataflow; leave out, or choose that"
            )
        return {}

    def launch(self, record: JobRecord) -> JobRecord:
        """Start the process of a job that is on record; the record with the process in it. Raises JobError."""
        return spawn("chimera_nb.jobs.runners.direct_worker", record, self._log, self._settings)

    def settle(self, record: JobRecord) -> JobRecord:
        """Bring the record of a job whose process is gone to its end; any other is given back as it is."""
        if record.is_cancelling and record.status is Status.PENDING:
            # Its process sees the request in the same step that would take it from pending to running.
            return self._end(record, Status.CANCELLED, "cancelled before it was started")
        if self._liveness.gone(record) is None:
            return record
        # Once more from the log: the process may have ended well between the two looks.
        record = self._log.get(record.job_id)
        why = None if record.status.is_final else self._liveness.gone(record)
        if why is None:
            return record
        if record.error is not None:  # its process had said why, and could not bring the record to its end
            return self._end(record, Status.FAILED, record.error)
        if record.is_cancelling:
            return self._end(record, Status.CANCELLED, "cancelled")
        return self._end(record, Status.FAILED, f"{why}; submit it again with --overwrite")

    def cancel(self, record: JobRecord) -> JobRecord:
        """Put the request on record, and end the job's process if it is here.

        Wherever it runs, it sees the request within seconds and brings the job to its end; if it cannot, that is
        done by whoever looks.
        """
        record = self._log.update(record.job_id, Change(cancel_requested_at=timestamp()))
        if record.status.is_final:
            return record
        self._liveness.terminate(record, _GRACE_SECONDS)
        record = self._log.get(record.job_id)
        return record if record.status.is_final else self.settle(record)

    def _end(self, record: JobRecord, status: Status, why: str, *, change: Change | None = None) -> JobRecord:
        return end(self._settings.store, record, self._log, status, why, change=change)
