"""What is done to the job of a monitor: ended, retried, run again, named. One thing at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import traitlets

from chimera_nb.jobs.failures import Outlook
from chimera_nb.jobs.record import JobRecord
from chimera_nb.jobs.service import JobService
from chimera_nb.session import Session
from chimera_nb.widgets.base.generation import Generation
from chimera_nb.widgets.base.widget import held
from chimera_nb.widgets.job_monitor import messages
from chimera_nb.widgets.job_monitor.run_again import shown_again
from chimera_nb.widgets.table.host import TableWidget
from pipeline.errors import ChimeraError


class JobActions(TableWidget):
    """A monitor whose job can be acted upon: the record on screen and what a retry would come to are its own."""

    job_id: Any
    _busy = traitlets.Unicode().tag(sync=True)
    _again = traitlets.Dict(help="What would run again, until somebody has it run, or leaves it.").tag(
        sync=True
    )
    _record: JobRecord | None
    _outlook: Outlook | None
    _generation: Generation
    _take: Callable[[int, JobRecord], None]
    _say: Callable[[int, str], None]

    def __init__(self, session: Session | None = None, **traits: Any) -> None:
        self._shown_before_it_runs: Callable[[str], object] | None = None
        self._again_target = ""  # of what is shown as `_again`
        super().__init__(session, **traits)

    def run_again_by(self, show: Callable[[str], object] | None) -> None:
        """Show a job that is to run again, by its id, to somebody who launches it then; None: the monitor shows it."""
        self._shown_before_it_runs = show

    # What the front end asks for

    def _asked_cancel(self, request: messages.Cancel) -> None:
        if self._record and not self._record.status.is_final:
            self._act("cancel", request.job, self._cancel)

    def _asked_retry(self, request: messages.Retry) -> None:
        if self._record and self._record.status.is_final and self._record.failed_files:
            # Those that can succeed; all of them, where none can and it is wanted anyway.
            can = self._outlook.can if self._outlook and not request.all else ()
            only = frozenset(can) or None
            self._act("retry", request.job, partial(self._follow_new, partial(JobService.retry, only=only)))

    def _asked_clone(self, request: messages.Clone) -> None:
        show = self._shown_before_it_runs
        if show is None:
            self._act("clone", request.job, self._show_again)
        elif self._record and request.job == self._record.job_id:
            show(request.job)

    def _asked_run_again(self, request: messages.RunAgain) -> None:
        if self._again.get("job") == request.job:
            target = self._again_target
            self._act(
                "again", request.job, partial(self._follow_new, partial(JobService.clone, target=target))
            )

    def _asked_leave_again(self, _: messages.LeaveAgain) -> None:
        self._again = {}

    def _asked_describe(self, request: messages.Describe) -> None:
        self._act("describe", request.job, partial(self._describe, request))

    # How it is done

    def _act(self, name: str, job_id: str, work: Callable[[JobRecord], Any]) -> None:
        """Do one thing at a time, and only to the job that was on screen when it was asked for."""
        record = self._record
        if record is None or self._busy or job_id != record.job_id:
            return
        self.error, self._busy = "", name
        if not self._background.start(self._done(work, record)):
            self._busy = ""

    async def _done(self, work: Callable[[JobRecord], Any], record: JobRecord) -> None:
        generation = self._generation.number
        try:
            await work(record)
        except ChimeraError as e:
            self._say(generation, str(e))
        finally:
            self._busy = ""

    async def _cancel(self, record: JobRecord) -> None:
        generation = self._generation.number
        self._take(
            generation,
            await asyncio.to_thread(lambda: self._session.service_for_watching().cancel(record.job_id)),
        )

    async def _describe(self, request: messages.Describe, record: JobRecord) -> None:
        generation = self._generation.number
        service = self._session.service_for_watching()
        describe = partial(
            service.describe, record.job_id, name=request.name, note=request.note, tags=request.tags
        )
        self._take(generation, await asyncio.to_thread(describe))

    async def _show_again(self, record: JobRecord) -> None:
        generation = self._generation.number
        again = await self._in_thread(record, lambda service: service.copy_of(record.job_id))
        if not self._generation.is_late(generation):
            self._again_target = again.target
            self._again = held(shown_again(record.job_id, again))

    async def _follow_new(self, how: Callable[[JobService, str], JobRecord], record: JobRecord) -> None:
        generation = self._generation.number
        # Submitting looks at the inputs, so the store must be there.
        new = await self._in_thread(record, lambda service: how(service, record.job_id))
        if not self._generation.is_late(generation):
            self.job_id = new.job_id

    async def _in_thread(self, record: JobRecord, call: Callable[[JobService], Any]) -> Any:
        return await self._background.in_thread(
            record.target, lambda _: call(self._session.service_for_watching())
        )
