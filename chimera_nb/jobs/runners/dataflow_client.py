"""Google Dataflow's API, as far as a job is followed: the real client, its answers as plain data.

The client is google-cloud-dataflow-client; with an endpoint (a local stack's) it speaks REST to that, without
credentials, and else gRPC to Google. Errors are mapped once, here: DataflowError. Nothing waits for ever.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pipeline.errors import DataflowError
from pipeline.proxies import reach_directly, through_proxy

_SECONDS = 20.0  # for one call, its repeats included
_GOOGLE = "https://dataflow.googleapis.com"
ENDED = ("DONE", "FAILED", "CANCELLED", "UPDATED", "DRAINED")


@dataclass(frozen=True)
class DataflowJob:
    """A job as Dataflow has it; state without its JOB_STATE_ prefix."""

    id: str
    name: str
    state: str

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED


@dataclass(frozen=True)
class Message:
    """One job message; time in RFC 3339 to the millisecond, severity BASIC, WARNING or ERROR."""

    time: str
    severity: str
    text: str


@dataclass(frozen=True)
class Messages:
    """What is new in a job's messages, oldest first, and the number of workers if it was told."""

    messages: tuple[Message, ...]
    workers: int | None


class DataflowApi:
    """The jobs of one project and region. Its methods raise DataflowError, and may be called from any thread.

    Its clients are made when they are first needed, and kept: Google's are made for many threads, and keep their
    connection and their credentials fresh by themselves.
    """

    def __init__(self, project: str, region: str, endpoint: str | None = None) -> None:
        self._where = {"project_id": project, "location": region}
        self._endpoint = endpoint
        self._clients: dict[str, Any] = {}
        self._making = threading.Lock()

    def get(self, job_id: str) -> DataflowJob | None:
        """The job, or None if Dataflow does not know it (any more)."""
        from google.api_core.exceptions import NotFound

        with _mapped(self._endpoint, f"job {job_id}"):
            try:
                found = self._client("Jobs").get_job({**self._where, "job_id": job_id}, timeout=_SECONDS)
            except NotFound:
                return None
        return _job(found)

    def find(self, name: str) -> DataflowJob | None:
        """The newest job of that name."""
        with _mapped(self._endpoint, f"job named {name}"):
            pages = self._client("Jobs").list_jobs({**self._where, "name": name}, timeout=_SECONDS)
            found = [job for job in pages if job.name == name]  # in case the server did not filter
        return _job(max(found, key=lambda job: job.create_time)) if found else None

    def cancel(self, job_id: str) -> None:
        """Ask for the job's end; Dataflow takes its time."""
        with _mapped(self._endpoint, f"job {job_id}"):
            request = {**self._where, "job_id": job_id, "job": {"requested_state": "JOB_STATE_CANCELLED"}}
            self._client("Jobs").update_job(request, timeout=_SECONDS)

    def messages(self, job_id: str, since: float) -> Messages:
        """Messages from a time on (seconds since 1970), of BASIC importance and above."""
        request: dict[str, Any] = {
            **self._where,
            "job_id": job_id,
            "minimum_importance": "JOB_MESSAGE_BASIC",
            "start_time": {"seconds": int(since)},
        }
        found: list[Message] = []
        workers = None
        with _mapped(self._endpoint, f"job {job_id}"):
            pages = self._client("Messages").list_job_messages(request, timeout=_SECONDS)
            for page in pages.pages:
                found += [_message(message) for message in page.job_messages]
                for event in page.autoscaling_events:
                    workers = int(event.current_num_workers)
        return Messages(tuple(sorted(found, key=lambda message: message.time)), workers)

    def counters(self, job_id: str) -> dict[str, int]:
        """The job's own counters (`pipeline.graph.counters`), each summed over the steps that count it.

        Tentative values run ahead of the committed ones while bundles are under way; the larger one is taken.
        """
        with _mapped(self._endpoint, f"job {job_id}"):
            request = {**self._where, "job_id": job_id}
            metrics = self._client("Metrics").get_job_metrics(request, timeout=_SECONDS).metrics
        steps: dict[tuple[str, str], int] = {}
        for metric in metrics:
            context = dict(metric.name.context)
            if metric.name.origin == "user" and context.get("namespace") == "chimera":
                step = (metric.name.name, context.get("step", ""))
                steps[step] = max(steps.get(step, 0), int(metric.scalar or 0))
        sums: dict[str, int] = {}
        for (name, _), value in steps.items():
            sums[name] = sums.get(name, 0) + value
        return sums

    def _client(self, kind: str) -> Any:
        with self._making:
            if kind not in self._clients:
                self._clients[kind] = _made(kind, self._endpoint)
            return self._clients[kind]


def _made(kind: str, endpoint: str | None) -> Any:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import dataflow_v1beta3

    client = getattr(dataflow_v1beta3, f"{kind}V1Beta3Client")
    if endpoint is None:
        with _mapped(endpoint, "Dataflow"):
            return client()
    transport = client.get_transport_class("rest")(host=endpoint, credentials=AnonymousCredentials())
    reach_directly(transport._session, endpoint)  # noqa: SLF001 - there is no public way to it
    return client(transport=transport)


def _job(found: Any) -> DataflowJob:
    return DataflowJob(found.id, found.name, found.current_state.name.removeprefix("JOB_STATE_"))


def _message(found: Any) -> Message:
    time = found.time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Message(time, found.message_importance.name.removeprefix("JOB_MESSAGE_"), found.message_text)


@contextmanager
def _mapped(endpoint: str | None, what: str) -> Iterator[None]:
    """Whatever the client raises, as a DataflowError about that."""
    import requests
    from google.api_core.exceptions import GoogleAPIError, RetryError, ServiceUnavailable
    from google.auth.exceptions import GoogleAuthError

    from pipeline.storage.gcs_answers import said, status_of

    try:
        yield
    except GoogleAuthError as e:
        raise DataflowError(
            f"Dataflow, {what}: no credentials were found or they do not work ({said(e)}); "
            "run `gcloud auth application-default login`"
        ) from e
    except (ServiceUnavailable, RetryError, requests.RequestException) as e:
        through = through_proxy(endpoint or _GOOGLE)
        raise DataflowError(f"Dataflow, {what}: it does not answer{through}: {said(e)}") from e
    except GoogleAPIError as e:
        status = status_of(e)
        raise DataflowError(f"Dataflow, {what}: {f'{status}, ' if status else ''}{said(e)}") from e
