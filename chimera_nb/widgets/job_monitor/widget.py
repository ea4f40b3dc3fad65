"""JobMonitor: watch a job, end it, run it again, and open what came of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import traitlets

from chimera_nb.data.table.source import OutputRecords, Source
from chimera_nb.jobs.failures import Failures, Outlook, failures_of, outlook
from chimera_nb.jobs.limits import storable
from chimera_nb.jobs.log_line import LogLine
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.session import Session
from chimera_nb.widgets.base import assets
from chimera_nb.widgets.base.generation import Generation
from chimera_nb.widgets.base.messages import State
from chimera_nb.widgets.base.visitors import for_visitor
from chimera_nb.widgets.base.widget import held
from chimera_nb.widgets.job_monitor import messages, states
from chimera_nb.widgets.job_monitor import model as monitor_model
from chimera_nb.widgets.job_monitor.actions import JobActions
from chimera_nb.widgets.job_monitor.failed_files import FailureList, answer, shown
from chimera_nb.widgets.job_monitor.follower import Follower
from chimera_nb.widgets.job_monitor.picture import draw
from chimera_nb.widgets.job_monitor.result import describe_result
from chimera_nb.widgets.job_monitor.time_spent import describe_time
from chimera_nb.widgets.table.requests import TableRequest
from pipeline.errors import ChimeraError
from pipeline.storage import Store

if TYPE_CHECKING:
    import pandas as pd

    from chimera_nb.widgets.preview.widget import FilePreview


class JobMonitor(JobActions):
    """Watch a job: stages, progress, throughput, log, the files that failed, and the result when it is there.

    job_id: the job; left out, set the trait of that name later.
    session: where jobs are on record; left out, one of its own.

    A job goes on without its monitors, and any number of them may watch it. This one looks once a second, while
    the job has not ended and somebody has the monitor on screen. Cancel, retry and run again are its buttons;
    the last two lead to the new job. What runs again is shown first.
    """

    _esm = assets.script("job_monitor/view")
    _css = assets.style(
        *("base/chart", "table/table"),
        *(f"job_monitor/{name}" for name in ("log", "style", "result", "numbers", "time_spent")),
    )

    job_id = traitlets.Unicode(help="The job that is watched; set it to watch another.").tag(sync=True)
    status = traitlets.Unicode(
        read_only=True,
        help="Where the job stands: pending, running, complete, failed or cancelled; empty when there is none.",
    ).tag(sync=True)
    _job = traitlets.Dict().tag(sync=True)
    _points = traitlets.List().tag(sync=True)
    _failures = traitlets.Dict().tag(sync=True)
    _result = traitlets.Dict().tag(sync=True)
    _inside = traitlets.Unicode().tag(sync=True)
    _time = traitlets.Dict().tag(sync=True)

    def __init__(self, job_id: str = "", session: Session | None = None, **traits: Any) -> None:
        self._record: JobRecord | None = None
        self._course = monitor_model.Course()
        self._log: list[LogLine] = []
        self._generation = Generation()  # of the job that is watched
        self._generation.renew()
        self._failed_files: Failures | None = None
        self._outlook: Outlook | None = None
        self._preview: FilePreview | None = None
        self._begun = False
        super().__init__(session, job_id=job_id, **traits)
        self._follower = Follower(
            self._background,
            self._session,
            self._generation,
            take=self._take,
            say=self._say,
            is_to_be_followed=self._is_to_be_followed,
        )
        self._begun = True

    def frame(self, n: int | None = None, **options: Any) -> pd.DataFrame:
        """The output as a DataFrame: all of it, or its first n rows; options as for `chimera_nb.read_output`.

        Raises RefusedError when the job is not complete or the frame would be too large for the memory there is.
        """
        from chimera_nb.data.output import read_output

        record = self._session.service_for_watching().get(self.job_id)
        read = partial(read_output, record, session=self._session, **options)
        if n is None:
            return read()
        first = next(read(batch_rows=n), None)
        return read() if first is None else first  # without rows: its columns

    # What the front end asks for

    def _on_front_end(self) -> None:
        self._follow()
        self._send_log(len(self._log), self._log, begin=True)

    def _on_still_there(self) -> None:
        self._follow()

    def _asked_failed_files(self, request: messages.FailedFiles) -> None:
        if self._failed_files and self._is_shown(request.job):
            self.post(answer(self._failed_files, request))

    def _asked_save_failures(self, request: messages.SaveFailures) -> None:
        record = self._record
        if record and self._is_shown(request.job):
            target, name = record.target, f"{record.job_id}-failed.csv"

            def make(store: Store, is_wanted: Callable[[], bool]) -> FailureList:
                return FailureList(store, record, is_wanted)

            self._begin_saving(target, request.view, request.saving, name, make)

    def _asked_inside(self, request: messages.Inside) -> None:
        """Only what is on record as failed: the page may not choose any file that there is."""
        failed = self._failed_files
        if failed and self._is_shown(request.job):
            uri = next((one.uri for one in failed.files if storable(one.uri) == request.uri), None)
            if uri is not None:
                self._look_inside(uri)

    def _is_shown(self, job_id: str) -> bool:
        return self._record is not None and self._record.job_id == job_id

    def _look_inside(self, uri: str) -> None:
        from chimera_nb.widgets.preview.widget import FilePreview

        if self._preview is None:
            self._preview = FilePreview(session=self._session)
        self._preview.uri = uri
        self._inside = f"IPY_MODEL_{self._preview.model_id}"

    def _asked_draw(self, request: messages.Draw) -> None:
        record = self._record
        if record and record.status is Status.COMPLETE and request.job == record.job_id:
            self._background.start(self._draw(request, record.target))

    # Its rows

    def _table_place(self, subject: str) -> str | None:
        record = self._record
        if record is None or record.status is not Status.COMPLETE or subject != record.job_id:
            return None
        return record.target

    def _table_source(self, store: Store, request: TableRequest) -> Source:
        # The request is of the job that was on screen: `_table_place` has seen to it.
        record = self._session.service_for_watching().log.get(request.subject)
        return OutputRecords(store, record.target, record.job_id)

    def _table_name(self) -> str:
        return self.job_id

    def _asked_anew(self, _: messages.Anew) -> None:
        self._watch_anew()

    # The job

    @traitlets.observe("job_id")
    def _on_job_id(self, _: object) -> None:
        if self._begun:
            self._watch_anew()

    def _watch_anew(self) -> None:
        """Forget what is shown, and watch the job whose id is asked for now."""
        self._generation.renew()
        self._record, self._course = None, monitor_model.Course()
        self._failed_files = self._outlook = None
        with self.hold_sync():
            self.error, self._job, self._points, self._failures, self._result = "", {}, [], {}, {}
            self._inside, self._time, self._again = "", {}, {}
            self.set_trait("status", "")
        self._show_log([])
        self._follow()

    def _follow(self) -> None:
        """Look after the job, unless that is done or there is nothing to look after."""
        ended = self._record is not None and self._record.status.is_final
        if self.job_id and not ended:
            self._follower.follow(self.job_id)

    def _is_to_be_followed(self) -> bool:
        return self._presence.is_seen and not (self._record and self._record.status.is_final)

    def _say(self, generation: int, error: str) -> None:
        if not self._generation.is_late(generation):
            self.error = error

    def _take(self, generation: int, record: JobRecord) -> None:
        """Show a state of the job, unless a later one is shown."""
        if self._generation.is_late(generation) or (
            self._record and record.updated_at < self._record.updated_at
        ):
            return
        if self._follower.lost:
            self._follower.lost, self.error = False, ""
        if record == self._record:
            return
        ended = record.status.is_final and not (self._record and self._record.status.is_final)
        self._record = record
        self._show_log(monitor_model.log_lines(record))
        told = self._course.add(record)
        with self.hold_sync():
            self._job = held(monitor_model.describe(record, self._course, self._session.settings))
            if told:
                self._points = [list(point) for point in self._course.points]
            self.set_trait("status", record.status.value)
            if ended:
                self._failures = self._result = self._time = held(states.Loading())
        if ended:
            self._background.start(self._gather(generation, record))

    def _show_log(self, lines: list[LogLine]) -> None:
        drop, added = monitor_model.log_change(self._log, lines)
        self._log = lines
        if drop or added:
            self._send_log(drop, added)

    def _send_log(self, drop: int, lines: list[LogLine], *, begin: bool = False) -> None:
        left_out = self._record.logs_left_out if self._record else 0
        self.post(messages.LogMessage(begin, drop, tuple(lines), left_out))

    # What came of it

    async def _gather(self, generation: int, record: JobRecord) -> None:
        target = record.target
        result: dict[str, Any] = {}
        if record.status is Status.COMPLETE:
            result = await self._tried(target, lambda store: describe_result(store, target, record.job_id))
        if self._is_still(generation):
            self._result = result
        failures = await self._tried(target, partial(self._failed, generation, record))
        if self._is_still(generation):
            self._failures = failures
        time = await self._tried(target, lambda store: describe_time(store, record))
        if self._is_still(generation):
            self._time = time
            await self._look_ahead(generation, record)

    def _failed(self, generation: int, record: JobRecord, store: Store) -> states.Failures:
        if not record.failed_files:
            return shown(Failures(), None)
        wanted = partial(self._is_still, generation)
        found = failures_of(store, record.target, record.job_id, wanted)
        if wanted():
            self._failed_files = found
        return shown(found, None)

    async def _look_ahead(self, generation: int, record: JobRecord) -> None:
        """What a retry would come to."""
        found = self._failed_files
        if not found or not found.total:
            return
        known = await self._background.in_thread(
            record.target, lambda store: outlook(store, found, record.created_at)
        )
        if self._is_still(generation):
            self._outlook = known
            self._failures = held(shown(found, known))

    def _is_still(self, generation: int) -> bool:
        return not self._generation.is_late(generation)

    async def _tried(self, target: str, call: Callable[[Store], State]) -> dict[str, Any]:
        try:
            return held(await self._background.in_thread(target, call))
        except ChimeraError as e:
            return held(states.Failed(for_visitor(str(e))))

    async def _draw(self, request: messages.Draw, target: str) -> None:
        self.post(await self._background.in_thread(target, lambda store: draw(store, target, request)))
