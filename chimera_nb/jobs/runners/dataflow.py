"""`--runner dataflow`: submitted by a process of its own, then followed through Dataflow's API by whoever looks.

The job is on record before anything is sent, and its name at Dataflow is made of its id: so one whose submitter
died in between is found again by that name. Nobody has to stay for a job to go on or to be brought to its end.

Whether a job was sent is on record: the submitter sets dataflowRequestedAt before it asks Dataflow for the job, and
cannot where cancelRequestedAt is set already.

    dataflowRequestedAt   cancelRequestedAt   then
    not set               set                 Dataflow was never asked: the job is cancelled at once
    set                   set                 the job may yet appear: whoever sees it first cancels it at Dataflow
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from chimera_nb.jobs.liveness import Liveness
from chimera_nb.jobs.log.protocol import JobLog
from chimera_nb.jobs.log_line import LogLine
from chimera_nb.jobs.outcome import end
from chimera_nb.jobs.record import JobRecord, Status, timestamp
from chimera_nb.jobs.runners.dataflow_client import DataflowApi, DataflowJob
from chimera_nb.jobs.runners.dataflow_progress import failure, running_change, since
from chimera_nb.jobs.runners.protocol import Runner
from chimera_nb.jobs.runners.spawn import spawn
from chimera_nb.jobs.transitions import Change
from chimera_nb.settings import Settings
from pipeline.errors import DataflowError, RefusedError, SettingsError
from pipeline.spec import JobSpec

_log = logging.getLogger(__name__)

# A record is renewed at most once in this time, by however many viewers. By the clock, since nothing hangs on it: one
# that is wrong by more, in either direction, has the job looked at more often.
_EVERY = timedelta(seconds=1)
# A job that was just sent may not be in Dataflow's lists yet. Counted from when it was first missed (`Sightings`).
_APPEARS_WITHIN = 600.0
_GRACE_SECONDS = 8.0
_SAID_AFTER = 30.0  # seconds for which no viewer could bring a record up to date

# On a local stack there are no projects, and one region is as good as another; the API wants names for them.
LOCAL_PROJECT, LOCAL_REGION, LOCAL_TEMP = "local-project", "local-region1", "gs://chimera-temp/dataflow"


def options_of(settings: Settings, **requested: Any) -> dict[str, Any]:
    """What a record keeps of how its job runs: the project, and the options in force.

    Raises SettingsError when something is missing that Dataflow cannot do without.
    """
    options = settings.dataflow_options(**requested)
    project = settings.project
    if settings.dataflow_endpoint:
        project = project or LOCAL_PROJECT
        options = options.under(
            region=options.region or LOCAL_REGION, temp_location=options.temp_location or LOCAL_TEMP
        )
    elif settings.place == "local":
        raise SettingsError(
            "no local stack with a Dataflow runs; start one with `chimera up --detach`, or set CHIMERA_PLACE=cloud"
        )
    needed = {"project": project, "region": options.region, "temp_location": options.temp_location}
    for name, value in needed.items():
        if not value:
            raise SettingsError(
                f"a Dataflow job needs a {name}: set CHIMERA_{name.upper()}, or {name} in chimera.toml"
            )
    return {"project": project, **options.to_json()}


def job_name(job_id: str) -> str:
    """The job's name at Dataflow: small letters, digits and '-', beginning with a letter."""
    return f"chimera-{job_id.lower()}"


def job_url(record: JobRecord, dataflow_job_id: str) -> str:
    """The job's page in Google Cloud's console."""
    options = record.runner_options
    return (
        f"https://console.cloud.google.com/dataflow/jobs/{options['region']}/{dataflow_job_id}"
        f"?project={options['project']}"
    )


def sent(record: JobRecord, dataflow_job_id: str) -> Change:
    """The change for a job that Dataflow has taken."""
    return Change(
        dataflow_job_id=dataflow_job_id,
        dataflow_url=job_url(record, dataflow_job_id),
        logs=(f"Dataflow has taken it as job {dataflow_job_id}",),
    )


class DataflowJobs(Runner):
    """The Dataflow jobs of one job log.

    The clients of a project and region are made once and kept: each costs a connection and a search for credentials.
    """

    def __init__(self, log: JobLog, settings: Settings) -> None:
        self._log, self._settings = log, settings
        self._liveness = Liveness(settings.folder)
        self._apis: dict[tuple[str, str], DataflowApi] = {}
        self._making = threading.Lock()

    def options_of(self, spec: JobSpec, requested: Mapping[str, Any]) -> dict[str, Any]:
        """The project, and the `DataflowOptions` in force. All that a job reads and writes has to be in buckets."""
        for path in (spec.inputs[0], spec.target):
            if not path.startswith("gs://"):
                raise RefusedError(
                    f"{path} is on this machine, where Dataflow's workers cannot read; use gs://"
                )
        return options_of(self._settings, **requested)

    def launch(self, record: JobRecord) -> JobRecord:
        """Start the process that submits a job on record; the record with the process in it. Raises JobError."""
        return spawn("chimera_nb.jobs.runners.dataflow_submit", record, self._log, self._settings)

    def settle(self, record: JobRecord) -> JobRecord:
        """Bring the record up to date with Dataflow. While Dataflow cannot be asked, it stays as it is, but says so."""
        try:
            if record.dataflow_job_id is None:
                return self._look_for(record)
            now = datetime.now(UTC)
            if abs(now - datetime.fromisoformat(record.updated_at)) < _EVERY:
                return record
            api = self._api(record)
            job = api.get(record.dataflow_job_id)
            if job is None:
                return self._missed(record)
            return self._follow(record, api, job, now)
        except DataflowError as e:
            return self._not_asked(record, str(e))

    def cancel(self, record: JobRecord) -> JobRecord:
        """Ask Dataflow to end the job; `settle` puts the end on record when it has come.

        One that Dataflow does not have yet is asked to end on record. Raises DataflowError, with nothing on record of
        it, when Dataflow refuses.
        """
        asked = Change(cancel_requested_at=timestamp())
        if record.dataflow_job_id is not None:
            self._api(record).cancel(record.dataflow_job_id)
            return self._log.update(record.job_id, asked)
        record = self._log.update(record.job_id, asked)
        if record.dataflow_requested_at is None and not record.status.is_final:
            # It would see the request itself before it sends anything; it need not get so far.
            self._liveness.terminate(record, _GRACE_SECONDS)
            record = self._log.get(record.job_id)
        return record if record.status.is_final else self.settle(record)

    def _not_asked(self, record: JobRecord, why: str) -> JobRecord:
        """The record; once nobody has brought it up to date for a while, its log has why."""
        note = f"how it stands at Dataflow cannot be asked from here: {why}"
        if self._liveness.unchanged_for(record) < _SAID_AFTER or any(
            note in line for line in record.logs[-3:]
        ):
            return record
        return self._log.update(record.job_id, Change(logs=(LogLine("", "warning", note),)))

    def _look_for(self, record: JobRecord) -> JobRecord:
        """A job that has no Dataflow id yet: its submitter is at work, or died before it could tell."""
        if record.dataflow_requested_at is not None:
            return self._look_there(record)
        if record.is_cancelling:
            return self._end(record, Status.CANCELLED, "cancelled before it was sent")
        if self._liveness.gone(record) is None:
            return record
        record = self._log.get(record.job_id)  # it may have gone on between the two looks
        has_gone_on = record.dataflow_requested_at or record.dataflow_job_id or record.status.is_final
        return record if has_gone_on or self._liveness.gone(record) is None else self._never_sent(record)

    def _look_there(self, record: JobRecord) -> JobRecord:
        """A job that Dataflow was asked for, and whose submitter has not told what came of that."""
        if self._liveness.is_alive(record):
            return record
        api = self._api(record)
        found = api.find(job_name(record.job_id))
        if found is not None:
            record = self._log.update(record.job_id, sent(record, found.id))
            return self._carried_out(record, api, found)
        record = self._log.get(record.job_id)  # it may have told meanwhile
        is_open = record.dataflow_job_id is None and not record.status.is_final
        if is_open and self._liveness.unchanged_for(record) > _APPEARS_WITHIN:
            return self._never_sent(record)
        return record

    def _never_sent(self, record: JobRecord) -> JobRecord:
        if record.error is None and record.is_cancelling:
            return self._end(record, Status.CANCELLED, "cancelled; Dataflow never had it")
        why = record.error or "the submitting process ended before Dataflow had the job; submit it again"
        return self._end(record, Status.FAILED, why)

    def _missed(self, record: JobRecord) -> JobRecord:
        """A job that Dataflow has taken, and does not know now: it has yet to appear there, or is forgotten."""
        if record.status is Status.PENDING and self._liveness.unchanged_for(record) < _APPEARS_WITHIN:
            return record
        why = f"Dataflow does not know job {record.dataflow_job_id} any more"
        if record.is_cancelling:
            return self._end(record, Status.CANCELLED, f"cancelled; {why}")
        return self._end(record, Status.FAILED, why)

    def _follow(self, record: JobRecord, api: DataflowApi, job: DataflowJob, now: datetime) -> JobRecord:
        told = api.messages(job.id, since(record))
        change = running_change(record, job, told, api.counters(job.id), now)
        if not job.has_ended:
            latest = self._log.get(record.job_id)  # another viewer may have been here meanwhile
            if latest.updated_at == record.updated_at:
                latest = self._log.update(record.job_id, change)
            return self._carried_out(latest, api, job)
        if job.state == "FAILED":
            everything = api.messages(job.id, 0)
            return self._end(record, Status.FAILED, failure(everything), change=change)
        if job.state == "CANCELLED":
            return self._end(record, Status.CANCELLED, "cancelled", change=change)
        why = f"Dataflow says that the job is {job.state.lower()}"
        return self._end(record, Status.COMPLETE, why, change=change)

    def _carried_out(self, record: JobRecord, api: DataflowApi, job: DataflowJob) -> JobRecord:
        """The record; a job on it that was asked to end is asked so at Dataflow, too, unless it ends already."""
        if record.is_cancelling and not job.has_ended and job.state != "CANCELLING":
            try:
                api.cancel(job.id)
            except DataflowError as e:  # the next look tries again, by whoever it is
                _log.warning("job %s was asked to end, and Dataflow refuses: %s", record.job_id, e)
        return record

    def _end(self, record: JobRecord, status: Status, why: str, *, change: Change | None = None) -> JobRecord:
        return end(self._settings.store, record, self._log, status, why, change=change)

    def _api(self, record: JobRecord) -> DataflowApi:
        """Raises DataflowError for a local stack's job while no stack runs: Google does not know it."""
        settings = self._settings
        if settings.place == "local" and not settings.dataflow_endpoint:
            raise DataflowError(
                f"job {record.job_id} is a local stack's, and none runs; start it with `chimera up --detach`"
            )
        where = str(record.runner_options["project"]), str(record.runner_options["region"])
        with self._making:
            if where not in self._apis:
                self._apis[where] = DataflowApi(*where, settings.dataflow_endpoint)
            return self._apis[where]
