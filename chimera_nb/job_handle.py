"""Job: one job as its submitter handles it, to be waited for, ended, repeated and read. And how to come by one."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self, overload

from chimera_nb.arguments import AnyPath, path_text, path_texts, texts, whole_number
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.machine.kernel import in_kernel
from chimera_nb.session import Session, connect
from pipeline.errors import RefusedError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.ledger import FileRecord
    from pipeline.proof import Verdict

_LOOK_EVERY = 0.5  # seconds between two looks of who awaits a job


class Job:
    """One job of the log, whoever submitted it; `submit` and `job` give one. It runs on without this object.

    id       as the job log, the command line and the dashboard have it
    target   the folder that takes its output

    In a notebook a job as the last line of a cell is a JobMonitor, which stays alive; elsewhere it is a line of text.
    `await job` gives the job once it has ended, and leaves the event loop free meanwhile. What asks the job log
    raises JobLogError while that is away.
    """

    def __init__(self, record: JobRecord, session: Session) -> None:
        self._record, self._session = record, session

    @property
    def id(self) -> str:
        """The job's id, such as 2026-01-31-1a2b3c4d."""
        return self._record.job_id

    @property
    def target(self) -> str:
        """The URI of the folder that takes output/, ledger/ and summary.json."""
        return self._record.target

    @property
    def url(self) -> str | None:
        """The page of the job in Google's console; None for one that does not run on Dataflow, or is not there yet."""
        return self.record.dataflow_url

    @property
    def record(self) -> JobRecord:
        """All that is on record of the job, brought up to date: stages, progress, logs, error, summary and more."""
        if not self._record.status.is_final:
            self._record = self._session.service.get(self.id)
        return self._record

    @property
    def status(self) -> str:
        """How the job stands now: pending, running, complete, failed or cancelled. The last three are final."""
        return self.record.status.value

    @property
    def ended(self) -> bool:
        """Whether the job has come to its end, whichever it is."""
        return self.record.status.is_final

    def wait(self, seconds: float | None = None, *, progress: bool = True) -> Self:
        """Stay until the job has ended, or for so many seconds at the most; the job itself.

        A bar shows how far it is, in a notebook and on a terminal, unless `progress` is False. An interrupt ends the
        waiting, and not the job. How it ended is its `status`: a job that failed raises nothing here.
        """
        from chimera_nb.job_progress import bar_where_one_shows

        service = self._session.service
        if progress:
            with bar_where_one_shows() as show:
                self._record = service.wait(self.id, show, seconds)
        else:
            self._record = service.wait(self.id, seconds=seconds)
        return self

    def __await__(self) -> Generator[Any, None, Self]:
        return self._ended().__await__()

    def cancel(self) -> Self:
        """Ask for the job's end, of which no output stays; the job itself, which `wait` sees through to its end.

        Raises RefusedError for a job that has ended otherwise, and DataflowError when Dataflow refuses.
        """
        self._record = self._session.service.cancel(self.id)
        return self

    def retry(self, target: AnyPath | None = None, **options: Any) -> Job:
        """Submit a new job over just the files of this one that failed; the new job.

        target   where to; left out, a folder beside this job's
        options  as for `submit`, where they are to differ from this job's

        Raises RefusedError when this job has not ended, when no file of it failed, and as `submit` does.
        """
        self._look()
        made = self._session.service.retry(self.id, _text(target), **options)
        return Job(made, self._session)

    def clone(self, target: AnyPath | None = None, **options: Any) -> Job:
        """Submit the same job again, every option of it but the target; the new job. As `retry` takes and raises."""
        self._look()
        made = self._session.service.clone(self.id, _text(target), **options)
        return Job(made, self._session)

    def ledger(self) -> pd.DataFrame:
        """What became of each input file: a row for each, with the fields of the ledger as columns.

        uri, status (complete, failed or skipped), size, codec, rawBytes, lines, error, note (of a skipped file the
        reason) and more, as `pipeline.ledger` has them.
        Raises RefusedError for a job that has not ended or left no ledger, and where another job has written to the
        target since; StorageError.
        """
        from chimera_nb.data.job_tables import ledger_frame

        return ledger_frame(self._files(None))

    def failures(self) -> pd.DataFrame:
        """The files that failed and why: the rows of the ledger with the status "failed". Raises as `ledger` does."""
        from chimera_nb.data.job_tables import ledger_frame

        return ledger_frame(self._files("failed"))

    @overload
    def frame(self, *, batch_rows: None = None, **options: Any) -> pd.DataFrame: ...
    @overload
    def frame(self, *, batch_rows: int, **options: Any) -> Iterator[pd.DataFrame]: ...
    def frame(
        self, *, batch_rows: int | None = None, **options: Any
    ) -> pd.DataFrame | Iterator[pd.DataFrame]:
        """The records that the job wrote, as a DataFrame; with batch_rows an iterator of frames of so many rows.

        The options are those of `read_output`: columns, where, explode, records and joined. Raises as that
        does: RefusedError when the job is not complete or the frame would be too large.
        """
        from chimera_nb.data.output import read_output

        read: Any = read_output
        frame: pd.DataFrame | Iterator[pd.DataFrame] = read(
            self.record, batch_rows=batch_rows, session=self._session, **options
        )
        return frame

    def verify(self, *, deep: bool = False) -> Verdict:
        """Prove or refute the output; `deep` decodes every file again and compares its lines.

        `proved` of the verdict is the answer, `findings` what speaks against it. Raises RefusedError for a job that
        has left no output, and StorageError while the store is away.
        """
        from chimera_nb.data.proof import verify

        return verify(self.id, deep=deep, session=self._session)

    def __repr__(self) -> str:
        """As of the last look: text asks for nothing."""
        return f"<Job {self.id}: {self._record.status_word}, to {self.target}>"

    def _repr_mimebundle_(self, **_: Any) -> Any:
        """What a notebook shows: a monitor in a kernel, which has a page for it."""
        if not in_kernel():
            return {"text/plain": repr(self)}
        from chimera_nb.widgets.job_monitor.widget import JobMonitor

        data, metadata = JobMonitor(self.id, self._session)._repr_mimebundle_()
        return {**data, "text/plain": repr(self)}, metadata

    async def _ended(self) -> Self:
        while True:
            if await asyncio.to_thread(lambda: self.ended):
                return self
            await asyncio.sleep(_LOOK_EVERY)

    def _look(self) -> None:
        """The job's buckets are asked for next, and the local stack may be another by now."""
        self._session.refresh([self.target, *self._record.spec.get("inputs", ())])

    def _files(self, status: str | None) -> Iterator[FileRecord]:
        from pipeline.target.results import check_still_of, ledger_records

        record = self.record
        if not record.status.is_final:
            raise RefusedError(f"job {self.id} is {record.status_word}; wait for its end: job.wait()")
        store = self._session.store_for(self.target).billed_to(record.spec.get("userProject"))
        check_still_of(store, self.target, self.id)
        if next(ledger_records(store, self.target, job_id=self.id), None) is None:
            why = f" ({record.error})" if record.error else ""
            raise RefusedError(
                f"job {self.id} is {record.status_word}{why}: it left no ledger at {self.target}"
            )
        return ledger_records(store, self.target, status=status, job_id=self.id)


def submit(
    inputs: AnyPath | Sequence[AnyPath],
    target: AnyPath,
    *,
    source: str = "ndjson",
    runner: str = "direct",
    runner_options: dict[str, Any] | None = None,
    since: Job | AnyPath | None = None,
    session: Session | None = None,
    **options: Any,
) -> Job:
    """Have compressed files turned into sharded NDJSON; the job, as soon as it is on record and begins.

    inputs          folders, objects or globs: gs:// or local
    target          a folder with nothing in it, which takes output/, ledger/ and summary.json
    source          the source plugin; `sources` lists them
    runner          "direct": a process of its own on this machine; "dataflow": Google Dataflow, or its local double
    runner_options  how Dataflow runs it: region, machine_type, max_workers and so on
    since           an earlier job, its id or target, or "last" for the target's own last one: only files that are new
                    or replaced since are read. To a target with that output in it is added, in since/ID within it
    session         where the store, the job log and Dataflow are; left out, one of its own
    options         every_file, shards, keep_partial, max_failures, max_ratio, spool_mb, overwrite, user_project

    The job runs on without this process. Raises RefusedError when the request is wrong: then nothing has been
    touched, and nothing is on record. NothingNewError where `since` leaves nothing
    to read. StorageError, JobLogError, and StackError without a stack.
    """
    from chimera_nb.widgets.job_form.foretold import foretold

    uris = path_texts(inputs)
    session = session or Session()
    session.refresh([*uris, path_text(target)])
    earlier = since.id if isinstance(since, Job) else _text(since)
    job = {"source": source, "since": earlier, **options}
    told = foretold(session, uris, path_text(target), job, runner=runner, runner_options=runner_options)
    record = session.service.submit(
        uris, target, runner=runner, runner_options=runner_options, forecast=told, **job
    )
    return Job(record, session)


def job(job_id: str, *, session: Session | None = None) -> Job:
    """The job of that id, whoever submitted it.

    job_id   as `jobs`, the command line and the dashboard show it
    session  where it is on record; left out, one of its own

    Raises JobNotFoundError, JobLogError, and UnreadableRecordError where the document is no record of a job.
    """
    session = session or Session()
    session.refresh()
    return Job(session.service.get(job_id), session)


def jobs(
    n: int = 20,
    *,
    status: str | Sequence[str] = (),
    source: str | None = None,
    text: str | None = None,
    session: Session | None = None,
) -> pd.DataFrame:
    """The newest jobs on record, brought up to date, newest first: a row for each.

    n        how many at the most
    status   only jobs of this status, or of one of these: pending, running, complete, failed, cancelled
    source   only jobs of this source
    text     only jobs with this in their id, inputs or target
    session  where they are on record; left out, one of its own

    Columns: job (the id, as `job` takes it), status, created, source, files, failed, lines, target, error. Raises
    RefusedError for a number or a status that makes no sense, and JobLogError.
    """
    if session is None:
        with connect() as own:  # a session that nobody keeps keeps no log open
            return jobs(n, status=status, source=source, text=text, session=own)
    from chimera_nb.data.job_tables import jobs_frame

    n = whole_number(n, "n", 1)
    statuses = tuple(map(_status, (status,) if isinstance(status, str) else texts(status, "status")))
    session.refresh()
    return jobs_frame(session.service.newest(n, statuses=statuses, source=source, text=text))


def _status(word: str) -> Status:
    known = [status.value for status in Status]
    if word not in known:
        raise UnknownNameError("status", word, known)
    return Status(word)


def _text(path: AnyPath | None) -> str | None:
    return None if path is None else path_text(path)
