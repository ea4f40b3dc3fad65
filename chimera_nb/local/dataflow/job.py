"""What a job is, and the words that the v1b3 API has for it.

Enums come as names or as numbers: the REST client sends `$alt=json;enum-encoding=int`, others send names.
Source: https://cloud.google.com/dataflow/docs/reference/rest/v1b3/projects.jobs
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Those that a job has here."""

    QUEUED = "JOB_STATE_QUEUED"
    RUNNING = "JOB_STATE_RUNNING"
    CANCELLING = "JOB_STATE_CANCELLING"
    DONE = "JOB_STATE_DONE"
    FAILED = "JOB_STATE_FAILED"
    CANCELLED = "JOB_STATE_CANCELLED"

    @property
    def is_final(self) -> bool:
        return self in {State.DONE, State.FAILED, State.CANCELLED}


STATES = {1: "STOPPED", 2: "RUNNING", 3: "DONE", 4: "FAILED", 5: "CANCELLED", 6: "UPDATED", 7: "DRAINING"}
JOB_STATES = {number: f"JOB_STATE_{name}" for number, name in STATES.items()}
JOB_TYPES = {1: "JOB_TYPE_BATCH", 2: "JOB_TYPE_STREAMING"}
VIEWS = {0: "JOB_VIEW_UNKNOWN", 1: "JOB_VIEW_SUMMARY", 2: "JOB_VIEW_ALL", 3: "JOB_VIEW_DESCRIPTION"}
FILTERS = {0: "UNKNOWN", 1: "ALL", 2: "TERMINATED", 3: "ACTIVE"}
IMPORTANCES = {  # from the least to the most
    0: "JOB_MESSAGE_IMPORTANCE_UNKNOWN",
    1: "JOB_MESSAGE_DEBUG",
    2: "JOB_MESSAGE_DETAILED",
    5: "JOB_MESSAGE_BASIC",
    3: "JOB_MESSAGE_WARNING",
    4: "JOB_MESSAGE_ERROR",
}


def enum_name(value: Any, names: Mapping[int, str], field: str) -> str:
    """The name of an enum's value that came as number or name. Raises ValueError for one there is not."""
    text = str(value)
    name = names.get(int(text)) if text.isdecimal() else text if text in names.values() else None
    if name is None:
        raise ValueError(f"{field} is {value!r}; it is one of {', '.join(names.values())}")
    return name


@dataclass(frozen=True)
class Job:
    """One job; times are RFC 3339."""

    id: str
    project: str
    location: str
    name: str
    state: State
    state_time: str
    create_time: str
    start_time: str | None
    request: dict[str, Any]  # as it was posted

    @classmethod
    def new(cls, project: str, location: str, name: str, request: dict[str, Any]) -> Job:
        """One that waits to be run."""
        time = now()
        stamp = datetime.now(UTC).strftime("%Y-%m-%d_%H_%M_%S")
        job_id = f"{stamp}-{secrets.randbelow(9 * 10**17) + 10**17}"
        return cls(job_id, project, location, name, State.QUEUED, time, time, None, request)

    def to(self, state: State) -> Job:
        """The same in another state, from now on."""
        time = now()
        started = time if state is State.RUNNING else self.start_time
        return replace(self, state=state, state_time=time, start_time=started)

    @property
    def request_id(self) -> str:
        """What the client made up, so that a request that is sent twice makes one job."""
        return str(self.request.get("clientRequestId", ""))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Job:
        return cls(**{**document, "state": State(document["state"])})

    def to_document(self, view: str) -> dict[str, Any]:
        """The API's Job. The summary leaves out how the job was asked for: that may be megabytes."""
        request = dict(self.request)
        if view in {"JOB_VIEW_UNKNOWN", "JOB_VIEW_SUMMARY"}:
            request.pop("environment", None)
            request.pop("steps", None)
        request.pop("requestedState", None)
        found = {
            "id": self.id,
            "projectId": self.project,
            "location": self.location,
            "name": self.name,
            "currentState": self.state.value,
            "currentStateTime": self.state_time,
            "createTime": self.create_time,
        }
        return request | found | ({"startTime": self.start_time} if self.start_time else {})


def now() -> str:
    """The time in RFC 3339, UTC, to the microsecond, so that what is written in order sorts in order."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def read_time(text: str, field: str) -> datetime:
    """A time of a request. Raises ValueError for what is none."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{field} is {text!r}; write a time as {now()}") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
