"""Jobs, for whoever wants to have one run or to see one: the command line, the widgets, the dashboard.

Importing this imports no Beam: a job runs in another process.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from chimera_nb.arguments import AnyPath, path_text, path_texts, whole_number
from chimera_nb.jobs.check_access import check_access
from chimera_nb.jobs.earlier_output import with_earlier_target
from chimera_nb.jobs.failures import Outlook, failures_of, outlook
from chimera_nb.jobs.forecast.budget import Budget
from chimera_nb.jobs.forecast.model import Forecast
from chimera_nb.jobs.labels import labels
from chimera_nb.jobs.log.entries import Entry
from chimera_nb.jobs.log.ids import new_job_id
from chimera_nb.jobs.log.protocol import JobLog, RecordPage
from chimera_nb.jobs.log.query import MAX_LIMIT
from chimera_nb.jobs.open_log import open_log
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.requester import local_user
from chimera_nb.jobs.runners.dataflow import DataflowJobs
from chimera_nb.jobs.runners.direct import DirectJobs
from chimera_nb.jobs.runners.protocol import Runner
from chimera_nb.jobs.settling import Settling
from chimera_nb.jobs.transitions import Change
from chimera_nb.settings import Settings
from pipeline.admit import admit, withdraw
from pipeline.errors import (
    JobNotFoundError,
    RefusedError,
    StorageError,
    UnknownNameError,
    UnreadableRecordError,
)
from pipeline.inputs.manifest import all_inputs, with_manifest
from pipeline.inputs.since import onto_earlier
from pipeline.job_options import JobOptions
from pipeline.options import table
from pipeline.sources.view_options import options_text
from pipeline.spec import JobSpec
from pipeline.target.results import check_still_of, ledger_records

_LOOK_EVERY = 0.3  # seconds
_OPTIONS = {option.name: option for option in table(JobOptions)}


class Again(NamedTuple):
    """A job that is to be submitted once more: its inputs, its target, its options, and where it runs."""

    inputs: tuple[str, ...]
    target: str
    options: dict[str, Any]
    runner: str
    runner_options: dict[str, Any]


class JobService:
    """Submits jobs and tells how they stand. One for each process; its methods may be called from any thread.

    `user` says who is asking, each time that a job is submitted; left out, it is the user of this process.
    """

    def __init__(
        self, settings: Settings, log: JobLog | None = None, *, user: Callable[[], str] | None = None
    ) -> None:
        self.settings = settings
        self.store = settings.store
        self.log = log or open_log(settings)
        self._user = user or local_user
        self._runners: dict[str, Runner] = {
            "direct": DirectJobs(self.log, settings),
            "dataflow": DataflowJobs(self.log, settings),
        }
        self._settling = Settling(self._runners, self.log, settings.prices.currency)

    @property
    def user(self) -> str:
        """Who is asking."""
        return self._user() or "unknown"

    def describe(
        self,
        job_id: str,
        *,
        name: str | None = None,
        note: str | None = None,
        tags: Sequence[str] | None = None,
    ) -> JobRecord:
        """Name a job, note something of it, tag it; what is left out stays, "" and () take it away. At any time.

        Raises RefusedError for what is too long, JobNotFoundError.
        """
        return self.log.update(job_id, Change(**labels(name=name, note=note, tags=tags)))

    def submit(
        self,
        inputs: AnyPath | Sequence[AnyPath],
        target: AnyPath,
        *,
        runner: str = "direct",
        runner_options: dict[str, Any] | None = None,
        forecast: Forecast | None = None,
        **options: Any,
    ) -> JobRecord:
        """Check a job, put it on record and have it run; its record, pending or running.

        Options are those of `pipeline.job_options.JobOptions`, of which view_options may be a dict, and runner_options
        those of `chimera_nb.dataflow_options.DataflowOptions`; `forecast` goes on record, and against the budget.
        Raises RefusedError, with nothing on record, when the request is wrong, NothingNewError where `since` finds
        nothing to read; then no file has been touched.
        """
        if not isinstance(runner, str) or runner not in self._runners:
            raise UnknownNameError("runner", runner, list(self._runners))
        # On record, so that whoever looks at the job or repeats it asks as it did.
        options["user_project"] = options.get("user_project") or self.settings.user_project
        spec = JobSpec(
            inputs=tuple(path_texts(inputs)),
            target=path_text(target),
            job_id=new_job_id(),
            **_checked(options),
        )
        if not isinstance(runner_options, dict | None):
            raise RefusedError(f"runner_options is {runner_options!r}; give a dict of names and values")
        store = self.store.billed_to(spec.user_project)
        how = self._runners[runner].options_of(spec, runner_options or {})
        check_access(spec.inputs, spec.target, how, self.settings)
        spec = self.onto_earlier(spec)
        created_by = self.user
        told = forecast.to_json() if forecast else None
        budget = Budget.of(spec.budget, self.settings.prices.currency)
        if budget and forecast and (why := budget.passed_by(forecast)):
            raise RefusedError(f"{why}; allow more with --budget, or read less")
        admit(store, spec, self._may_be_running, makes_bucket=self.settings.place == "local")
        try:
            spec = with_manifest(store, spec)
            record = JobRecord.from_spec(
                spec, runner=runner, runner_options=how, created_by=created_by, forecast=told
            )
            self.log.create(record)
        except BaseException:
            withdraw(store, spec)
            raise
        return self._runners[runner].launch(record)

    def onto_earlier(self, spec: JobSpec) -> JobSpec:
        """The specification with the output that it adds to, if it does; raises as `pipeline.inputs.since`."""
        store = self.store.billed_to(spec.user_project)
        return onto_earlier(store, with_earlier_target(store, spec, self.get, self._looked_at))

    def get(self, job_id: str) -> JobRecord:
        """The record as it stands, brought up to date. Raises JobNotFoundError."""
        return self._settling.record(self.log.get(job_id))

    def list(self, **filters: Any) -> RecordPage:
        """One page of the log, newest first, brought up to date; the filters are those of JobLog.list."""
        page = self.log.list(**filters)
        return RecordPage(self._settling.entries(page.entries), page.next_page_token)

    def newest(self, n: int, **filters: Any) -> Iterator[Entry]:
        """The first `n` of them, over as many pages as that takes."""
        token = None
        while n:
            page = self.list(limit=min(n, MAX_LIMIT), page_token=token, **filters)
            yield from page.entries
            n -= len(page.entries)
            token = page.next_page_token
            if token is None:
                return

    def wait(
        self, job_id: str, on_change: Callable[[JobRecord], None] | None = None, seconds: float | None = None
    ) -> JobRecord:
        """The record once it is final, or after that many seconds; `on_change` sees every one that is new."""
        seen: JobRecord | None = None
        give_up = None if seconds is None else time.monotonic() + seconds
        while True:
            record = self.get(job_id)
            if on_change and record != seen:
                on_change(record)
            if record.status.is_final or (give_up is not None and time.monotonic() > give_up):
                return record
            seen = record
            time.sleep(_LOOK_EVERY)

    def sync(self) -> tuple[JobRecord, ...]:
        """Bring every job that is not final up to date, many side by side; the records of those that ended thereby."""
        return tuple(record for record in self._looked_at() if record.status.is_final)

    def _looked_at(self) -> tuple[JobRecord, ...]:
        found: list[JobRecord] = []
        token = None
        while True:
            page = self.log.list(statuses=(Status.PENDING, Status.RUNNING), page_token=token)
            found += page.records
            token = page.next_page_token
            if token is None:
                break
        return tuple(entry for entry in self._settling.entries(found) if isinstance(entry, JobRecord))

    def cancel(self, job_id: str) -> JobRecord:
        """Ask for the job's end; its record, which is final when the end has come, and `is_cancelling` until then.

        Raises RefusedError for a job that has ended otherwise, and DataflowError when Dataflow refuses.
        """
        record = self.get(job_id)
        if not record.status.is_final:
            record = self._runners[record.runner].cancel(record)
        if record.status.is_final and record.status is not Status.CANCELLED:
            raise RefusedError(f"job {job_id} is {record.status.value} already; there is nothing to cancel")
        return record

    def clone(self, job_id: str, target: str | None = None, **changes: Any) -> JobRecord:
        """Submit the same job again, every parameter of it but the target; changes are as for `submit`."""
        return self._submit_again(self.copy_of(job_id, target, **changes))

    def copy_of(self, job_id: str, target: str | None = None, **changes: Any) -> Again:
        """What `clone` would submit. Submits nothing."""
        record = self.get(job_id)
        spec = JobSpec.from_json(record.spec)
        inputs = all_inputs(self.store.billed_to(spec.user_project), spec)
        return self._again(record, inputs, target, "copy", changes)

    def retry(
        self, job_id: str, target: str | None = None, *, only: Collection[str] | None = None, **changes: Any
    ) -> JobRecord:
        """Submit a new job over just the files that failed, or `only` these of them; the rest of it is the same.

        Raises RefusedError when the job still runs, or no such file of it failed.
        """
        record = self.get(job_id)
        if not record.status.is_final:
            raise RefusedError(f"job {job_id} is {record.status.value}; wait for its end, or cancel it")
        spec = JobSpec.from_json(record.spec)
        store = self.store.billed_to(spec.user_project)
        check_still_of(store, spec.target, job_id)
        of_it = ledger_records(store, spec.target, status="failed", job_id=job_id)
        failed = [found.uri for found in of_it if only is None or found.uri in only]
        if not failed:
            which = "no file" if only is None else "none of these files"
            raise RefusedError(
                f"{which} of job {job_id} is on record as failed, so there is nothing to retry"
            )
        return self._submit_again(self._again(record, failed, target, "retry", changes))

    def _submit_again(self, again: Again) -> JobRecord:
        inputs, target, options, runner, runner_options = again
        return self.submit(inputs, target, runner=runner, runner_options=runner_options, **options)

    def retry_outlook(self, job_id: str) -> Outlook:
        """What a retry would come to, as the store stands now. Raises as `retry` does."""
        record = self.get(job_id)
        spec = JobSpec.from_json(record.spec)
        store = self.store.billed_to(spec.user_project)
        return outlook(store, failures_of(store, spec.target, job_id), record.created_at)

    def _again(
        self, record: JobRecord, inputs: Sequence[str], target: str | None, kind: str, changes: dict[str, Any]
    ) -> Again:
        spec = JobSpec.from_json(record.spec)
        options = {
            **{name: getattr(spec, name) for name, option in _OPTIONS.items() if not option.once},
            "runner": record.runner,
            "runner_options": {n: v for n, v in record.runner_options.items() if n != "project"},
        }
        # Beside the first output, which stays as it is.
        beside = target or f"{spec.target}-{kind}-{new_job_id()[-8:]}"
        options |= changes
        runner, runner_options = options.pop("runner"), options.pop("runner_options")
        return Again(tuple(inputs), beside, options, runner, runner_options)

    def _may_be_running(self, job_id: str) -> bool | None:
        try:
            return not self.get(job_id).status.is_final
        except (JobNotFoundError, UnreadableRecordError, RefusedError, StorageError):
            return None


def _checked(options: Mapping[str, Any]) -> dict[str, Any]:
    """A job's options with its counts as int: 1e3 and numpy's numbers do too. Raises RefusedError for other names."""
    for name in options:
        if name not in _OPTIONS:
            raise UnknownNameError("option of a job", name, list(_OPTIONS))
    if isinstance(options.get("view_options"), Mapping):
        options = {**options, "view_options": options_text(options["view_options"])}
    counts = {n: whole_number(v, n) for n, v in options.items() if _OPTIONS[n].kind is int and v is not None}
    return {**options, **counts}
