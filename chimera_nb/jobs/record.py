"""The job document: what it holds, how it moves forward, and what keeps it under Firestore's 1 MiB.

The document has the names of the public contract (camelCase; fields are added, never renamed):

    jobId          YYYY-MM-DD-xxxxxxxx, given once
    sourceType     the source plugin
    sourceBucket   the bucket of the inputs; "" for local files
    selectedPaths  the inputs within it, the first 1,000 of selectedPathsTotal
    targetBucket, outputPrefix
                   where output/, ledger/ and summary.json go
    runner         direct | dataflow
    status         pending | running | complete | failed | cancelled; the last three are final
    stages         {read, decompress, write}: waiting | running | complete | failed
    progress       numbers by name, as the runner tells them
    logs           "[timestamp] message", oldest first; of older lines only the count is kept (logsLeftOut)
    error          why the job failed, for a person to read
    createdAt, updatedAt, startedAt, finishedAt
                   RFC 3339 in UTC with milliseconds, so that their order as text is their order in time
    createdBy      who asked for it
    dataflowJobId, dataflowUrl
    worker         host, pid and so on of the process that runs a direct job
    summary        the content of summary.json, once it is written
    spec           JobSpec.to_json() whole, as JSON text: as a map each of its paths would be an entry in
                   Firestore's indexes, of which a document may have 40,000
"""

from __future__ import annotations

import json
import math
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self, TypeVar

from pipeline.errors import JobLogError, UnknownNameError
from pipeline.patterns import split_uri
from pipeline.spec import JobSpec

STAGES = ("read", "decompress", "write")
RUNNERS = ("direct", "dataflow")

# Together under 1 MiB, which is all a Firestore document may have, with room for the fields not named here.
MAX_SPEC_BYTES = 512 << 10
MAX_LOG_BYTES = 256 << 10
MAX_PATHS_BYTES = 96 << 10
MAX_SUMMARY_BYTES = 64 << 10
MAX_ERROR_BYTES = 16 << 10
MAX_SMALL_BYTES = 16 << 10  # worker, progress
MAX_LOG_LINES = 1000
MAX_LINE_BYTES = 4 << 10
MAX_PATHS = 1000

_STAMP = re.compile(r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] ")


class Status(StrEnum):
    """Where a job stands; it moves forward only, and a final one never changes."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self.rank == 2

    @property
    def rank(self) -> int:
        """0 pending, 1 running, 2 final."""
        return {Status.PENDING: 0, Status.RUNNING: 1}.get(self, 2)


class Stage(StrEnum):
    """Where one stage of a job stands; it moves forward only."""

    WAITING = "waiting"
    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"

    @property
    def rank(self) -> int:
        """0 waiting, 1 running, 2 ended."""
        return {Stage.WAITING: 0, Stage.RUNNING: 1}.get(self, 2)


@dataclass(frozen=True, kw_only=True)
class JobRecord:
    """One job as the log has it; the module's docstring has the fields.

    What would not fit in a document is cut when a record is made, so a record and its document say the same.
    Raises JobLogError when `worker`, `progress` or `summary` is far larger than it can sensibly be.
    """

    job_id: str
    source_type: str
    source_bucket: str
    selected_paths: tuple[str, ...]
    target_bucket: str
    output_prefix: str
    created_at: str
    status: Status = Status.PENDING
    runner: str = "dataflow"
    updated_at: str = ""
    started_at: str | None = None
    finished_at: str | None = None
    created_by: str | None = None
    dataflow_job_id: str | None = None
    dataflow_url: str | None = None
    stages: Mapping[str, Stage] = field(default_factory=lambda: dict.fromkeys(STAGES, Stage.WAITING))
    progress: Mapping[str, int | float | None] = field(default_factory=dict)
    logs: tuple[str, ...] = ()
    logs_left_out: int = 0
    error: str | None = None
    spec: Mapping[str, Any] = field(default_factory=dict)
    worker: Mapping[str, Any] | None = None
    summary: Mapping[str, Any] | None = None
    selected_paths_total: int = 0

    def __post_init__(self) -> None:
        paths = [_storable(path) for path in self.selected_paths[:MAX_PATHS]]
        fixed: dict[str, Any] = {
            **{n: _storable(value) for n, value in self.__dict__.items() if type(value) is str},
            "selected_paths": _first(paths, MAX_PATHS_BYTES),
            "selected_paths_total": max(self.selected_paths_total, len(self.selected_paths)),
            "updated_at": self.updated_at or self.created_at,
            "progress": self._small("progress", self.progress, MAX_SMALL_BYTES),
            "worker": self._small("worker", self.worker, MAX_SMALL_BYTES),
            "summary": self._small("summary", _without_long_lists(self.summary), MAX_SUMMARY_BYTES),
            "error": _cut(_storable(self.error), MAX_ERROR_BYTES) if self.error else None,
        }
        for name, value in fixed.items():
            object.__setattr__(self, name, value)

    def _small(self, name: str, value: Any, limit: int) -> Any:
        value = _plain(value)
        if (size := _weigh(value)) > limit:
            raise JobLogError(
                f"job {self.job_id}: {name} has {size:,} bytes, and a record keeps {limit:,}; leave parts of it out"
            )
        return value

    @classmethod
    def from_spec(
        cls, spec: JobSpec, *, runner: str, created_by: str | None = None, now: str | None = None
    ) -> Self:
        """The record of a job that has just been asked for. Raises UnknownNameError for the runner."""
        if runner not in RUNNERS:
            raise UnknownNameError("runner", runner, list(RUNNERS))
        bucket, prefix = split_uri(spec.target)
        return cls(
            job_id=spec.job_id,
            source_type=spec.source,
            source_bucket=spec.bucket,
            selected_paths=spec.paths,
            target_bucket=bucket,
            output_prefix=prefix,
            created_at=now or timestamp(),
            runner=runner,
            created_by=created_by,
            spec=spec.to_json(),
        )

    def to_document(self) -> dict[str, Any]:
        """The document, of JSON's own types. Raises JobLogError when its spec is over 512 KiB."""
        spec = _dump(self.spec)
        if (size := len(spec.encode())) > MAX_SPEC_BYTES:
            raise JobLogError(
                f"job {self.job_id}: its specification has {size:,} bytes, and the job log keeps {MAX_SPEC_BYTES:,};"
                f" select a folder or a glob instead of {self.selected_paths_total:,} single paths"
            )
        values = {
            **self.__dict__,
            "status": self.status.value,
            "stages": {name: stage.value for name, stage in self.stages.items()},
            "selected_paths": [*self.selected_paths],
            "logs": [*self.logs],
            "spec": spec,
        }
        return {name: values[attribute] for name, attribute in _ATTRIBUTES.items()}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `to_document`; fields it does not know are left out.

        Raises JobLogError when a field of the contract is missing or makes no sense.
        """
        values = {_ATTRIBUTES[name]: value for name, value in document.items() if name in _ATTRIBUTES}
        stages = values.get("stages") or {}
        try:
            values |= {
                "status": Status(values["status"]),
                "stages": {name: Stage(stages.get(name, Stage.WAITING)) for name in STAGES},
                "selected_paths": tuple(values["selected_paths"]),
                "logs": tuple(values.get("logs", ())),
                "spec": json.loads(values.get("spec") or "{}"),
            }
            return cls(**values)
        except (KeyError, TypeError, ValueError, AttributeError) as e:
            raise JobLogError(
                f"job {document.get('jobId')!r}: its document cannot be read, a field is missing or makes no sense"
                f" ({e}); it may come from a later version: upgrade chimera-nb"
            ) from e


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


_ATTRIBUTES = {_camel(name): name for name in JobRecord.__dataclass_fields__}


@dataclass(frozen=True, kw_only=True)
class Change:
    """What to bring into a record; what is left out stays as it is. Raises UnknownNameError for a stage.

    A message of `logs` gets the time of the update. One that begins with its own "[timestamp] ", to the
    millisecond, keeps it and is taken in once only, so several viewers may pass on the same messages of Dataflow.
    """

    status: Status | None = None
    stages: Mapping[str, Stage] = field(default_factory=dict)
    logs: Sequence[str] = ()
    progress: Mapping[str, int | float | None] = field(default_factory=dict)
    error: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    dataflow_job_id: str | None = None
    dataflow_url: str | None = None
    worker: Mapping[str, Any] | None = None
    summary: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        for name in self.stages:
            if name not in STAGES:
                raise UnknownNameError("stage", name, list(STAGES))


def advance(record: JobRecord, change: Change, now: str) -> JobRecord:
    """The record with the change in it, as far as that is forward; the same object if nothing changes.

    Two viewers that see a job at different times never fight: what comes late is not applied, and is no error.
    A final record takes log lines, and what it lacks: the Dataflow job's id and address, and, from a change of
    no other status, its summary and error. `dataflow_job_id` and `dataflow_url` are set once.
    """
    moved = _fill(record, change) if record.status.is_final else _move(record, change, now)
    logs, left_out = _append(record, change.logs, now)
    moved = replace(moved, logs=logs, logs_left_out=left_out)
    return record if moved == record else replace(moved, updated_at=max(now, record.updated_at))


def _fill(record: JobRecord, change: Change) -> JobRecord:
    agrees = change.status in (None, record.status)
    failed = record.status is not Status.COMPLETE
    return replace(
        record,
        dataflow_job_id=record.dataflow_job_id or change.dataflow_job_id,
        dataflow_url=record.dataflow_url or change.dataflow_url,
        summary=change.summary if agrees and record.summary is None else record.summary,
        error=change.error if agrees and failed and record.error is None else record.error,
    )


def _move(record: JobRecord, change: Change, now: str) -> JobRecord:
    status = _later(record.status, change.status)
    stages = {name: _later(stage, change.stages.get(name)) for name, stage in record.stages.items()}
    if status is Status.COMPLETE:
        stages = dict.fromkeys(STAGES, Stage.COMPLETE)
    elif status.is_final:
        stages = {n: Stage.FAILED if stage is Stage.RUNNING else stage for n, stage in stages.items()}
    has_run = status in (Status.RUNNING, Status.COMPLETE)
    return replace(
        record,
        status=status,
        stages=stages,
        progress={**record.progress, **change.progress},
        error=None if status is Status.COMPLETE else change.error or record.error,
        started_at=record.started_at or change.started_at or (now if has_run else None),
        finished_at=(change.finished_at or now) if status.is_final else None,
        dataflow_job_id=record.dataflow_job_id or change.dataflow_job_id,
        dataflow_url=record.dataflow_url or change.dataflow_url,
        worker=record.worker if change.worker is None else change.worker,
        summary=record.summary if change.summary is None else change.summary,
    )


_Step = TypeVar("_Step", Status, Stage)


def _later(stands: _Step, asked: _Step | None) -> _Step:
    return asked if asked is not None and asked.rank > stands.rank else stands


def _append(record: JobRecord, messages: Sequence[str], now: str) -> tuple[tuple[str, ...], int]:
    """The log with the messages at its end, within its bounds, and how many lines it has left out by then.

    Of lines left out, the first entry tells how many, under the latest of their times: a message with a time of
    its own that is no later was among them, so it is not taken in again.
    """
    left_out = record.logs_left_out
    lines = list(record.logs[1:] if left_out else record.logs)
    horizon = _stamp(record.logs[0]) if left_out else ""
    known = set(lines)
    for message in map(_storable, messages):
        own = _stamp(message)
        line = _cut(message if own else f"[{now}] {message}", MAX_LINE_BYTES)
        if not own or (own > horizon and line not in known):
            lines.append(line)
            known.add(line)
    weight = sum(map(_weigh, lines))
    dropped = 0
    while weight > MAX_LOG_BYTES - 128 or len(lines) - dropped > MAX_LOG_LINES - bool(left_out + dropped):
        weight -= _weigh(lines[dropped])
        horizon = max(horizon, _stamp(lines[dropped]))
        dropped += 1
    left_out += dropped
    first = (
        [f"{horizon or f'[{record.created_at}] '}… {left_out:,} earlier lines left out"] if left_out else []
    )
    return (*first, *lines[dropped:]), left_out


def _stamp(line: str) -> str:
    """The "[timestamp] " that a line begins with, or "". As text these are in the order of time."""
    found = _STAMP.match(line)
    return found[0] if found else ""


def timestamp(when: datetime | None = None) -> str:
    """A time, by default now, as records have it: RFC 3339, UTC, milliseconds. Without a zone it is UTC."""
    when = when or datetime.now(UTC)
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_job_id(now: datetime | None = None) -> str:
    """An id for a new job: the date in UTC and 8 random hexadecimal digits."""
    return f"{timestamp(now)[:10]}-{secrets.token_hex(4)}"


def _storable(text: str) -> str:
    """The text as UTF-8 can hold it: names of local files need not be, and Firestore takes nothing else."""
    return text.encode(errors="backslashreplace").decode()


def _plain(value: Any) -> Any:
    """The value in JSON's own types; a number that is not finite becomes None."""
    if isinstance(value, Mapping):
        return {_storable(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return _storable(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _dump(spec: Mapping[str, Any]) -> str:
    text = json.dumps(spec, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:  # a local name that is no UTF-8: escaped, so that nothing of it is lost
        text = json.dumps(spec, separators=(",", ":"))
    return text


def _weigh(value: Any) -> int:
    """Bytes in a document (firebase.google.com/docs/firestore/storage-size)."""
    if isinstance(value, str):
        return len(value.encode()) + 1
    if isinstance(value, Mapping):
        return sum(len(key.encode()) + 1 + _weigh(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return sum(map(_weigh, value))
    return 1 if value is None or isinstance(value, bool) else 8


def _first(texts: Iterable[str], limit: int) -> tuple[str, ...]:
    """As many of the texts, from the first, as have no more than that many bytes together."""
    kept, weight = [], 0
    for text in texts:
        weight += _weigh(text)
        if weight > limit:
            break
        kept.append(text)
    return tuple(kept)


def _cut(text: str, limit: int) -> str:
    """The text in no more than that many bytes. It loses its middle: tracebacks tell the most at their ends."""
    data = text.encode()
    if len(data) <= limit:
        return text
    head = limit // 4
    tail = limit - head - 64
    mark = f" … {len(data) - head - tail:,} bytes cut … "
    return data[:head].decode(errors="ignore") + mark + data[-tail:].decode(errors="ignore")


def _without_long_lists(summary: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The summary, without its lists when it is large: a job may have a thousand patterns of a kilobyte."""
    if summary is None or _weigh(_plain(summary)) <= MAX_SUMMARY_BYTES:
        return summary
    return {name: value for name, value in summary.items() if not isinstance(value, list | tuple)}
