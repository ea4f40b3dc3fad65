"""`--runner dataflow`: submitted by a process of its own, then followed through Dataflow's API by whoever looks.

The job is on record before anything is sent, and its name at Dataflow is made of its id: so one whose submitter
died in between is found again by that name. Nobody has to stay for a job to go on or to be brought to its end.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from chimera_nb.jobs import process
from chimera_nb.jobs.change import Change
from chimera_nb.jobs.dataflow_api import DataflowApi, DataflowJob
from chimera_nb.jobs.dataflow_view import failure, running_change, since
from chimera_nb.jobs.ending import end
from chimera_nb.jobs.log import JobLog
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.spawn import spawn, terminate
from chimera_nb.settings import Settings
from pipeline.errors import DataflowError, SettingsError
from pipeline.storage import Store

# A record is renewed at most once in this time, by however many viewers.
_EVERY = timedelta(seconds=1)
_STARTS_WITHIN = timedelta(seconds=60)
# A job that was just sent may not be in Dataflow's lists yet.
_APPEARS_WITHIN = timedelta(seconds=15)
# Of another machine, whose clock may differ by minutes.
_SUBMITTER_SILENT_FOR = timedelta(hours=1)

# On a local stack there are no projects, and one region is as good as another; the API wants names for them.
LOCAL_PROJECT, LOCAL_REGION, LOCAL_TEMP = "local-project", "local-region1", "gs://chimera-temp/dataflow"


def options_of(settings: Settings, **wanted: Any) -> dict[str, Any]:
    """What a record keeps of how its job runs: the project, and the options in force.

    Raises SettingsError when something is missing that Dataflow cannot do without.
    """
    options = settings.dataflow_options(**wanted)
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


def launch(record: JobRecord, log: JobLog, settings: Settings) -> JobRecord:
    """Start the process that submits a job on record; the record with the process in it. Raises JobError."""
    return spawn("chimera_nb.jobs.dataflow_submit", record, log, settings)


def settle(record: JobRecord, log: JobLog, settings: Settings) -> JobRecord:
    """Bring the record up to date with Dataflow. While Dataflow cannot be asked, it stays as it is."""
    now = datetime.now(UTC)
    silent = now - datetime.fromisoformat(record.updated_at)
    try:
        api = _api(record, settings)
        if record.dataflow_job_id is None:
            return _look_for(settings.store, record, log, api, silent)
        if (
            abs(silent) < _EVERY
        ):  # a record from the future is by a clock that is ahead: it is looked after too
            return record
        job = api.get(record.dataflow_job_id)
        if job is None:
            if silent < _APPEARS_WITHIN:
                return record
            why = f"Dataflow does not know job {record.dataflow_job_id} any more"
            return end(settings.store, record, log, Status.FAILED, why)
        return _follow(settings.store, record, log, api, job)
    except DataflowError:
        return record


def cancel(record: JobRecord, log: JobLog, settings: Settings) -> JobRecord:
    """Ask Dataflow to end the job; `settle` puts the end on record when it has come. Raises DataflowError."""
    api = _api(record, settings)
    log.update(record.job_id, Change(logs=("asked to cancel",)))
    job_id = record.dataflow_job_id
    if job_id is None:
        terminate(record)
        record = log.get(record.job_id)
        found = api.find(job_name(record.job_id))
        job_id = record.dataflow_job_id or (found.id if found else None)
        if job_id is None:
            return (
                record
                if record.status.is_final
                else end(settings.store, record, log, Status.CANCELLED, "cancelled before it was sent")
            )
        log.update(record.job_id, sent(record, job_id))
    api.cancel(job_id)
    return log.get(record.job_id)


def sent(record: JobRecord, dataflow_job_id: str) -> Change:
    """The change for a job that Dataflow has taken."""
    return Change(
        dataflow_job_id=dataflow_job_id,
        dataflow_url=job_url(record, dataflow_job_id),
        logs=(f"Dataflow has taken it as job {dataflow_job_id}",),
    )


def _look_for(store: Store, record: JobRecord, log: JobLog, api: DataflowApi, silent: timedelta) -> JobRecord:
    """A job that has no Dataflow id yet: its submitter is at work, or died before it could tell."""
    if _submitting(record, silent):
        return record
    record = log.get(record.job_id)  # it may have told between the two looks
    if record.status.is_final or record.dataflow_job_id:
        return record
    found = api.find(job_name(record.job_id))
    if found:
        return log.update(record.job_id, sent(record, found.id))
    if silent < _APPEARS_WITHIN:
        return record
    return end(
        store,
        record,
        log,
        Status.FAILED,
        "the submitting process ended before Dataflow had the job; submit it again",
    )


def _submitting(record: JobRecord, silent: timedelta) -> bool:
    if record.worker is None:
        return silent < _STARTS_WITHIN
    alive = process.is_alive(record.worker)
    return silent < _SUBMITTER_SILENT_FOR if alive is None else alive


def _follow(store: Store, record: JobRecord, log: JobLog, api: DataflowApi, job: DataflowJob) -> JobRecord:
    told = api.messages(job.id, since(record))
    change = running_change(record, job, told, api.counters(job.id), datetime.now(UTC))
    if not job.has_ended:
        latest = log.get(record.job_id)  # another viewer may have been here meanwhile
        return latest if latest.updated_at > record.updated_at else log.update(record.job_id, change)
    if job.state == "FAILED":
        everything = api.messages(job.id, 0)
        return end(store, record, log, Status.FAILED, failure(everything), change=change)
    if job.state == "CANCELLED":
        return end(store, record, log, Status.CANCELLED, "cancelled", change=change)
    return end(
        store,
        record,
        log,
        Status.COMPLETE,
        f"Dataflow says that the job is {job.state.lower()}",
        change=change,
    )


def _api(record: JobRecord, settings: Settings) -> DataflowApi:
    """Raises DataflowError for a local stack's job while no stack runs: Google does not know it."""
    options = record.runner_options
    if settings.place == "local" and not settings.dataflow_endpoint:
        raise DataflowError(
            f"job {record.job_id} is a local stack's, and none runs; start it with `chimera up --detach`"
        )
    return DataflowApi(options["project"], options["region"], settings.dataflow_endpoint)
