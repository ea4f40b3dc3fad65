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
    course         raw bytes over time (`chimera_nb.jobs.course`)
    logs           "[timestamp] message" (`chimera_nb.jobs.log_line`), oldest first; of older lines only the count
                   is kept (logsLeftOut)
    error          why the job failed, for a person to read
    createdAt, updatedAt, startedAt, finishedAt
                   RFC 3339 in UTC with milliseconds, so that their order as text is their order in time
    createdBy      who asked for it
    name, note, tags
                   what people say of it; they may change at any time
    announcedBy    a mark of whoever tells others of its end (`chimera_nb.jobs.announce`), so that one does
    dataflowJobId, dataflowUrl
    cancelRequestedAt
                   when the job was asked to end; until it is final, it is being cancelled
    targetUnseenSince
                   since when the job has ended as far as is known, and its target cannot be looked at; until it can,
                   the job is not final
    dataflowRequestedAt
                   when its submitter was about to ask Dataflow for it; without this Dataflow was never asked
    worker         host, pid and so on of the process that runs a direct job, or submits one to Dataflow
                   (`chimera_nb.jobs.process`)
    runnerOptions  what the runner was asked for: machine type, region and so on
    summary        the content of summary.json, once it is written
    forecast       what it was said to come to before it ran (`chimera_nb.jobs.forecast.model`)
    spec           JobSpec.to_json() whole, as JSON text: as a map each of its paths would be an entry in
                   Firestore's indexes, of which a document may have 40,000
    searchTokens   in Firestore alone, of no record: what its text is made of (`chimera_nb.jobs.log.firestore_words`)
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

from chimera_nb.jobs.document import brief, problem_of
from chimera_nb.jobs.limits import (
    MAX_ERROR_BYTES,
    MAX_PATHS,
    MAX_PATHS_BYTES,
    MAX_SPEC_BYTES,
    cut,
    dump,
    first,
    small,
    storable,
    summary_within,
)
from pipeline.errors import JobLogError, UnknownNameError, UnreadableRecordError
from pipeline.options import camel
from pipeline.spec import JobSpec
from pipeline.uri import join_uri

STAGES = ("read", "decompress", "write")
RUNNERS = ("direct", "dataflow")


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
    cancel_requested_at: str | None = None
    target_unseen_since: str | None = None
    created_by: str | None = None
    name: str | None = None
    note: str | None = None
    tags: tuple[str, ...] = ()
    announced_by: str | None = None
    dataflow_requested_at: str | None = None
    dataflow_job_id: str | None = None
    dataflow_url: str | None = None
    stages: Mapping[str, Stage] = field(default_factory=lambda: dict.fromkeys(STAGES, Stage.WAITING))
    progress: Mapping[str, int | float | None] = field(default_factory=dict)
    course: tuple[int | float, ...] = ()
    logs: tuple[str, ...] = ()
    logs_left_out: int = 0
    error: str | None = None
    spec: Mapping[str, Any] = field(default_factory=dict)
    runner_options: Mapping[str, Any] = field(default_factory=dict)
    worker: Mapping[str, Any] | None = None
    summary: Mapping[str, Any] | None = None
    forecast: Mapping[str, Any] | None = None
    selected_paths_total: int = 0

    @property
    def target(self) -> str:
        """The URI of the folder that takes its output."""
        return join_uri(self.target_bucket, self.output_prefix)

    def inputs(self, most: int) -> list[str]:
        """The URIs of its first inputs."""
        return [join_uri(self.source_bucket, path) for path in self.selected_paths[:most]]

    @property
    def is_cancelling(self) -> bool:
        """Whether it was asked to end and has not ended yet."""
        return self.cancel_requested_at is not None and not self.status.is_final

    @property
    def failed_files(self) -> int:
        """How many files are known to have failed."""
        files = (self.summary or {}).get("files")
        told = [files.get("failed") if isinstance(files, Mapping) else None, self.progress.get("filesFailed")]
        return max(
            (int(number) for number in told if isinstance(number, int | float) and number > 0), default=0
        )

    @property
    def status_word(self) -> str:
        """The status as a person is told it: "cancelling" from the request to the end, "complete, 6 failed"."""
        if self.is_cancelling:
            return "cancelling"
        failed = self.failed_files if self.status is Status.COMPLETE else 0
        return f"complete, {failed:,} failed" if failed else self.status.value

    @property
    def shade(self) -> str:
        """What the status looks like: itself, or "partial" for a job that is complete but for files that failed."""
        return "partial" if self.status is Status.COMPLETE and self.failed_files else self.status.value

    def __post_init__(self) -> None:
        paths = [storable(path) for path in self.selected_paths[:MAX_PATHS]]
        fixed: dict[str, Any] = {
            **{n: storable(value) for n, value in self.__dict__.items() if type(value) is str},
            "selected_paths": first(paths, MAX_PATHS_BYTES),
            "selected_paths_total": max(self.selected_paths_total, len(self.selected_paths)),
            "updated_at": self.updated_at or self.created_at,
            "progress": small(self.progress, f"job {self.job_id}: progress"),
            "runner_options": small(self.runner_options, f"job {self.job_id}: runnerOptions"),
            "forecast": small(self.forecast, f"job {self.job_id}: forecast"),
            "worker": small(self.worker, f"job {self.job_id}: worker"),
            "summary": summary_within(self.summary, f"job {self.job_id}: summary"),
            "error": cut(storable(self.error), MAX_ERROR_BYTES) if self.error else None,
        }
        for name, value in fixed.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_spec(
        cls,
        spec: JobSpec,
        *,
        runner: str,
        runner_options: Mapping[str, Any] | None = None,
        created_by: str | None = None,
        forecast: Mapping[str, Any] | None = None,
        now: str | None = None,
    ) -> Self:
        """The record of a job that has just been asked for. Raises UnknownNameError for the runner."""
        if runner not in RUNNERS:
            raise UnknownNameError("runner", runner, list(RUNNERS))
        bucket, prefix = spec.writes.bucket, spec.writes.path
        return cls(
            job_id=spec.job_id,
            source_type=spec.source,
            source_bucket=spec.bucket,
            selected_paths=spec.paths,
            selected_paths_total=spec.inputs_total or len(spec.inputs),
            target_bucket=bucket,
            output_prefix=prefix,
            created_at=now or timestamp(),
            runner=runner,
            runner_options=runner_options or {},
            created_by=created_by,
            forecast=forecast,
            spec=spec.to_json(),
        )

    def to_document(self) -> dict[str, Any]:
        """The document, of JSON's own types. Raises JobLogError when its spec is over 512 KiB."""
        spec = dump(self.spec)
        if (size := len(spec.encode())) > MAX_SPEC_BYTES:
            raise JobLogError(
                f"job {self.job_id}: its specification has {size:,} bytes, and the job log keeps {MAX_SPEC_BYTES:,};"
                f" select a folder or a glob instead of {self.selected_paths_total:,} single paths"
            )
        return self.fields() | {"spec": spec}

    def fields(self) -> dict[str, Any]:
        """The document without its specification, which never changes."""
        values = {
            **self.__dict__,
            "status": self.status.value,
            "stages": {name: stage.value for name, stage in self.stages.items()},
            **{name: [*values] for name, values in self.__dict__.items() if isinstance(values, tuple)},
        }
        return {name: values[attribute] for name, attribute in _ATTRIBUTES.items() if name != "spec"}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `to_document`; fields it does not know are left out.

        Raises UnreadableRecordError when a field of the contract is missing or makes no sense.
        """
        if problem := problem_of(document) or _unknown_word(document):
            job_id = document.get("jobId") if isinstance(document, Mapping) else None
            raise UnreadableRecordError(str(job_id), problem)
        values = {_ATTRIBUTES[name]: value for name, value in document.items() if name in _ATTRIBUTES}
        stages = values.get("stages") or {}
        try:
            values |= {
                "status": Status(values["status"]),
                "stages": {name: Stage(stages.get(name, Stage.WAITING)) for name in STAGES},
                "selected_paths": tuple(values["selected_paths"]),
                **{name: tuple(values.get(name) or ()) for name in ("logs", "course", "tags")},
                "spec": json.loads(values.get("spec") or "{}"),
            }
            return cls(**values)
        except JobLogError as e:
            raise UnreadableRecordError(document["jobId"], str(e)) from e


def _unknown_word(document: Mapping[str, Any]) -> str | None:
    stages = document.get("stages") or {}
    words: list[tuple[str, str, Iterable[str]]] = [
        ("status", document["status"], Status),
        ("runner", document.get("runner", "dataflow"), RUNNERS),
        *((f"stage {name}", stages.get(name, Stage.WAITING), Stage) for name in STAGES),
    ]
    for name, word, known in words:
        if word not in tuple(known):
            return f"{name} is {brief(word)}, which is not known here"
    return None


_ATTRIBUTES = {camel(name): name for name in JobRecord.__dataclass_fields__}


def timestamp(when: datetime | None = None) -> str:
    """A time, by default now, as records have it: RFC 3339, UTC, milliseconds. Without a zone it is UTC."""
    when = when or datetime.now(UTC)
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
