"""Dataflow, and the job log: Firestore with its indexes, or a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import Any

from chimera_nb.doctor.credentials import LOGIN, NETWORK, WITHOUT_CREDENTIALS, member
from chimera_nb.doctor.finding import Finding, fault, off, ok
from chimera_nb.jobs.log.firestore import FirestoreJobLog
from chimera_nb.jobs.log.protocol import JobLog
from chimera_nb.jobs.open_log import open_log
from chimera_nb.jobs.record import Status
from chimera_nb.jobs.runners.dataflow_client import DataflowApi
from chimera_nb.settings import Settings
from pipeline.errors import ChimeraError, DataflowError
from pipeline.storage.gcs_answers import said

# The queries of a list of jobs that Firestore has no index for by itself, by the fields of the index that each needs.
INDEXES: Mapping[tuple[str, ...], Mapping[str, Any]] = {
    ("status", "createdAt"): {"statuses": (Status.FAILED,)},
    ("sourceType", "createdAt"): {"source": "ndjson"},
    ("sourceType", "status", "createdAt"): {"statuses": (Status.FAILED,), "source": "ndjson"},
    ("createdBy", "createdAt"): {"created_by": "nobody"},
    ("createdBy", "status", "createdAt"): {"created_by": "nobody", "statuses": (Status.FAILED,)},
    ("createdBy", "sourceType", "createdAt"): {"created_by": "nobody", "source": "ndjson"},
    ("createdBy", "sourceType", "status", "createdAt"): {
        "created_by": "nobody",
        "statuses": (Status.FAILED,),
        "source": "ndjson",
    },
}
# That of the search in text, which reads every job where it is missing: `FirestoreJobLog.check_search` asks for it.
SEARCH_INDEX = ("searchTokens", "createdAt")
_CONFIG = {"createdAt": "order=descending", "searchTokens": "array-config=contains"}


def check_dataflow(settings: Settings, api: DataflowApi | None = None) -> Iterator[Finding]:
    """Ask Dataflow for a job that does not exist, which needs a viewer's permissions only."""
    name = "dataflow"
    if settings.place == "local":
        yield off(name, "Google's is not asked, the place is local; a local stack has its own")
        return
    named = {"CHIMERA_REGION": settings.region, "CHIMERA_TEMP_LOCATION": settings.temp_location}
    missing = {variable: value for variable, value in named.items() if not value}
    export = "export CHIMERA_REGION=europe-west1 CHIMERA_TEMP_LOCATION=gs://BUCKET/dataflow"
    if missing:
        says = f"{' and '.join(missing)} not set, so no job can go there"
        yield off(name, says, export) if len(missing) == len(named) else fault(name, says, export)
        return
    if not settings.project:
        yield fault(name, "there is no project", "export GOOGLE_CLOUD_PROJECT=PROJECT")
        return
    try:
        (api or DataflowApi(settings.project, str(settings.region), settings.dataflow_endpoint)).find(
            "chimera-doctor"
        )
    except DataflowError as e:
        yield fault(name, _said(e), _dataflow_remedy(e.__cause__, settings.project))
    else:
        yield ok(
            name,
            f"answers for {settings.project} in {settings.region}; workers stage in {settings.temp_location}",
        )


def _dataflow_remedy(cause: BaseException | None, project: str) -> str:
    from google.api_core.exceptions import Forbidden, Unauthorized
    from google.auth.exceptions import GoogleAuthError, TransportError

    if isinstance(cause, Forbidden):
        if is_disabled(cause):
            return (
                f"gcloud services enable dataflow.googleapis.com compute.googleapis.com --project={project}"
            )
        return _grant(project, "roles/dataflow.developer")
    if isinstance(cause, GoogleAuthError | Unauthorized) and not isinstance(cause, TransportError):
        return LOGIN
    return NETWORK


def check_job_log(settings: Settings, log: JobLog | None = None) -> Iterator[Finding]:
    name = "job log"
    if settings.job_log == "sqlite":
        file = settings.folder / "jobs.sqlite"
        if log is None and not file.exists():
            yield ok(name, f"{file}, made with the first job")
            return
        try:
            with closing(log or open_log(settings)) as opened:
                opened.list(limit=1)
        except ChimeraError as e:
            yield fault(
                name, str(e), f"mv {file} {file}.broken    (jobs begin a new one; the old one stays for help)"
            )
        else:
            yield ok(name, str(file))
        return
    where = f"Firestore {settings.project}/{settings.firestore_database}, {settings.firestore_collection}"
    try:
        opened = log or open_log(settings)
        opened.list(limit=1)
    except ChimeraError as e:
        yield fault(name, f"{where}: {_said(e)}", _firestore_remedy(e.__cause__, settings))
        return
    yield ok(name, f"{where} answers")
    with closing(opened):
        yield from _indexes(opened, settings)


def _indexes(log: JobLog, settings: Settings) -> Iterator[Finding]:
    from google.api_core.exceptions import FailedPrecondition

    present = 0
    asked: dict[tuple[str, ...], Callable[[], object]] = {
        fields: partial(log.list, limit=1, **filters) for fields, filters in INDEXES.items()
    }
    if isinstance(log, FirestoreJobLog):
        asked[SEARCH_INDEX] = log.check_search
    for fields, ask in asked.items():
        check = f"index {'+'.join(fields)}"
        try:
            ask()
            present += 1
        except ChimeraError as e:
            if isinstance(e.__cause__, FailedPrecondition):
                yield fault(
                    check,
                    "is missing or not built yet, so filtered lists of jobs "
                    + ("are slow" if fields == SEARCH_INDEX else "fail"),
                    create_index(fields, settings),
                )
            else:
                yield fault(check, _said(e), _firestore_remedy(e.__cause__, settings))
    if present == len(asked):
        yield ok("indexes", f"all {present} are there")


def create_index(fields: tuple[str, ...], settings: Settings) -> str:
    """The command that makes one index, as docs/firestore.indexes.json has it."""
    configured = " ".join(
        f"--field-config=field-path={field},{_CONFIG.get(field, 'order=ascending')}" for field in fields
    )
    return (
        f"gcloud firestore indexes composite create --project={settings.project} "
        f"--database='{settings.firestore_database}' --collection-group={settings.firestore_collection} {configured}"
    )


def _firestore_remedy(cause: BaseException | None, settings: Settings) -> str:
    from google.api_core.exceptions import Forbidden, NotFound, Unauthorized
    from google.auth.exceptions import GoogleAuthError, TransportError

    if isinstance(cause, Forbidden):
        if is_disabled(cause):
            return f"gcloud services enable firestore.googleapis.com --project={settings.project}"
        return _grant(str(settings.project), "roles/datastore.user")
    if isinstance(cause, NotFound):
        database = settings.firestore_database
        return f"gcloud firestore databases create --project={settings.project} --database='{database}' --location=eur3"
    if isinstance(cause, GoogleAuthError | Unauthorized) and not isinstance(cause, TransportError):
        return LOGIN
    return NETWORK


def _said(error: ChimeraError) -> str:
    """What Google has answered, without the advice that is added to it elsewhere."""
    from google.auth.exceptions import GoogleAuthError, TransportError

    cause = error.__cause__
    if isinstance(cause, GoogleAuthError) and not isinstance(cause, TransportError):
        return WITHOUT_CREDENTIALS
    return said(cause) if cause is not None else str(error)


def is_disabled(cause: BaseException) -> bool:
    """Whether Google says that the service is not switched on in the project."""
    text = str(cause)
    return "SERVICE_DISABLED" in text or "has not been used in project" in text or "it is disabled" in text


def _grant(project: str, role: str) -> str:
    return f"gcloud projects add-iam-policy-binding {project} --member={member()} --role={role}    (by its owner)"
