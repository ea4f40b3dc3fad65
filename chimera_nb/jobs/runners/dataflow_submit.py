"""The process that submits a job to Dataflow: `python -m chimera_nb.jobs.runners.dataflow_submit JOB_ID`.

Beam's own DataflowRunner does it, unchanged; only the endpoint differs between a local stack and Google Cloud. The
process ends when Dataflow has the job. Exit 0 sent, 1 not. SIGTERM and SIGINT end it, with the target given back,
until it is about to ask Dataflow for the job: from then on it stays until it has told what came of that.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from chimera_nb.dataflow_options import DataflowOptions
from chimera_nb.jobs.check_access import check_access
from chimera_nb.jobs.liveness import SILENT_ELSEWHERE_FOR
from chimera_nb.jobs.log.patience import until_log_answers
from chimera_nb.jobs.log.protocol import JobLog
from chimera_nb.jobs.open_log import open_log
from chimera_nb.jobs.outcome import last_word
from chimera_nb.jobs.record import JobRecord, Status, timestamp
from chimera_nb.jobs.runners.dataflow import DataflowJobs, job_name, sent
from chimera_nb.jobs.runners.wheels import build_packages
from chimera_nb.jobs.transitions import Change
from chimera_nb.settings import Settings, load_settings
from pipeline.failure_cause import cause_of
from pipeline.imports import import_beam
from pipeline.inputs.manifest import read_patterns
from pipeline.interruption import Interrupted, Interruptions, interruptions
from pipeline.own_temporary import own_temporary_folder
from pipeline.spec import JobSpec
from pipeline.target.lifecycle import begin_target
from pipeline.uri import Uri

_log = logging.getLogger(__name__)
# Seconds for which the job log may be away when Dataflow has the job. After that it is found by its name.
_TELLS_WITHIN = 300


class _UnwantedError(Exception):
    """The job has ended, or was asked to, before it was sent."""


def main(job_id: str) -> int:
    settings = load_settings()
    log = open_log(settings)
    record = until_log_answers(lambda: log.get(job_id), settings.job_store.patience.seconds)
    if record.status.is_final or record.dataflow_job_id:
        return 1
    with interruptions() as signals:
        try:
            signals.heed()
            with own_temporary_folder(job_id) as folder:
                dataflow_job_id = _submit(record, log, folder, settings, signals)
        except (_UnwantedError, Interrupted) as e:
            signals.hold()
            last_word(settings.store, log, job_id, Status.CANCELLED, f"cancelled before it was sent ({e})")
            return 1
        except Exception as e:  # noqa: BLE001 - whatever Beam or Google raise, the record says so
            signals.hold()
            _log.exception("job %s was not sent", job_id)
            _tell_not_sent(e, job_id, log, settings)
            return 1
        told = sent(record, dataflow_job_id)
        record = until_log_answers(lambda: log.update(job_id, told), _TELLS_WITHIN)
        if record.is_cancelling:  # it was asked to end while it was on its way
            DataflowJobs(log, settings).cancel(record)
    return 0


def beam_arguments(record: JobRecord, packages: Sequence[Path], endpoint: str | None) -> list[str]:
    """The command line of Beam for this job."""
    stored = dict(record.runner_options)
    project = stored.pop("project")
    options = DataflowOptions.from_json(stored)
    own = {
        "project": project,
        "region": options.region,
        "job_name": job_name(record.job_id),
        "temp_location": f"{options.temp_location}/temp",
        "staging_location": f"{options.temp_location}/staging",
        "sdk_location": "container",  # Beam is in the worker's image; nothing is fetched for it
    }
    arguments = [f"--{name}={value}" for name, value in own.items()]
    arguments += [f"--extra_package={package}" for package in packages]
    arguments += [f"--dataflow_endpoint={endpoint}"] if endpoint else []
    return [*arguments, f"--label=chimera-job={record.job_id}", *options.arguments()]


def _submit(record: JobRecord, log: JobLog, folder: Path, settings: Settings, signals: Interruptions) -> str:
    """Build the workers' packages and the graph, and send them; the job's id at Dataflow.

    Raises _UnwantedError when nobody wants it any more. After this step nothing may break it off: whoever cancels
    the job waits for it to appear.
    """
    import_beam()
    import apache_beam as beam
    from apache_beam.runners.dataflow.dataflow_runner import DataflowRunner

    from pipeline.beam_options import Options
    from pipeline.graph.build import build

    spec, endpoint = JobSpec.from_json(record.spec), settings.dataflow_endpoint
    store = settings.job_store.billed_to(spec.user_project)
    patterns = read_patterns(store, spec)
    # Once more, of what is sent: the record and the patterns may have been changed since the job was admitted.
    check_access((*spec.inputs, *patterns), spec.target, record.runner_options, settings)
    packages = build_packages(spec.source, folder)
    bucket = Uri.parse(str(record.runner_options["temp_location"])).bucket
    if endpoint and not store.bucket_exists(bucket):
        store.make_bucket(bucket)
    options = Options(beam_arguments(record, packages, endpoint))
    root = beam.Pipeline(runner=DataflowRunner(), options=options)
    build(root, store, spec, patterns)
    patience = store.patience.seconds
    # Before a result is deleted for it:
    _check_wanted(until_log_answers(lambda: log.get(record.job_id), patience))
    begin_target(store, spec)
    signals.hold()
    if signals.number is not None:  # library code has made something else of it
        raise Interrupted(signals.number)
    asking = Change(dataflow_requested_at=timestamp())
    _check_wanted(until_log_answers(lambda: log.update(record.job_id, asking), patience))
    return str(root.run().job_id())


def _tell_not_sent(error: Exception, job_id: str, log: JobLog, settings: Settings) -> None:
    """End the record of a job that Dataflow does not have; where that is not sure, it is left to be found there."""
    why = f"it could not be sent to Dataflow: {cause_of(error)}"
    record = until_log_answers(lambda: log.get(job_id), SILENT_ELSEWHERE_FOR)
    if record.dataflow_requested_at is None or not _is_unsure(error):
        last_word(settings.store, log, job_id, Status.FAILED, why)
        return
    note = Change(logs=(f"{why}; it may have it all the same, and is then found there by its name",))
    until_log_answers(lambda: log.update(job_id, note), SILENT_ELSEWHERE_FOR)


def _is_unsure(error: Exception) -> bool:
    """Whether Dataflow may have done what it was asked, and only the answer is wanting."""
    from google.api_core.exceptions import RetryError, ServerError

    return isinstance(error, ServerError | RetryError | OSError)


def _check_wanted(record: JobRecord) -> None:
    if record.status.is_final or record.is_cancelling:
        raise _UnwantedError(f"it is {record.status_word}")


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    sys.exit(main(sys.argv[1]))
