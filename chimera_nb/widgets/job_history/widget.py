"""JobHistory: every job of the log in a list that is searched, filtered, and kept up to date."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import traitlets
from ipywidgets import CallbackDispatcher

from chimera_nb.jobs.log.entries import Entries
from chimera_nb.jobs.log.watch import Watch
from chimera_nb.jobs.record import JobRecord
from chimera_nb.jobs.service import JobService
from chimera_nb.session import Session
from chimera_nb.widgets.base import assets
from chimera_nb.widgets.base.visitors import for_visitor
from chimera_nb.widgets.base.widget import ChimeraWidget, existing
from chimera_nb.widgets.job_history import messages
from chimera_nb.widgets.job_history.compared import compared
from chimera_nb.widgets.job_history.filter import Filter
from chimera_nb.widgets.job_history.model import Found, History, Request
from pipeline.errors import ChimeraError

_LOOK_SECONDS = {True: 3.0, False: 10.0}  # whether there is something to wait for

_TICK_SECONDS = 0.25


class JobHistory(ChimeraWidget):
    """All jobs, newest first, whoever launched them. A click on one sets `job_id`.

    session: where the job log is; left out, one of its own.

    While the list is on screen, a watch of the log brings what is new, and jobs that are under way are brought up to
    date every few seconds. Every call runs in a thread, and none before the first front end.
    """

    _esm = assets.script("job_history/view")
    _css = assets.style("job_history/list", "job_history/style")

    job_id = traitlets.Unicode(help="The job that was opened last; its row is marked.").tag(sync=True)
    height = traitlets.Int(380, min=120, help="Of the list, in pixels.").tag(sync=True)

    def __init__(self, session: Session | None = None, **traits: Any) -> None:
        self._model = History()
        self._opened = CallbackDispatcher()
        self._generation = self._model.generation
        self._following = self._lost = False
        self._service: JobService | None = None
        self._watch: Watch | None = None
        super().__init__(session, **traits)

    def on_open(self, call: Callable[[str], object], *, remove: bool = False) -> None:
        """Call with the job's id whenever one is opened, even the one that is open already."""
        self._opened.register_callback(call, remove=remove)

    def close(self) -> None:
        if presence := self.__dict__.get("_presence"):
            presence.everyone_gone()
        if watch := self.__dict__.get("_watch"):
            watch.close()
        super().close()

    # What the front end asks for

    def _on_front_end(self) -> None:
        if self._model.fresh:
            self._load()
        self._tell(self._model.rows.values(), whole=True)
        self._on_still_there()

    def _on_still_there(self) -> None:
        if not self._following:
            self._following = self._background.start(self._follow())

    def _asked_filter(self, request: messages.FilterRequest) -> None:
        criteria = Filter.of(vars(request), lambda: self._session.service_for_watching().user)
        self._settle_error()
        if criteria != self._model.filter:
            self._model.narrow(criteria)
            self._load()

    def _asked_more(self, request: messages.More) -> None:
        if not self._model.failed:
            self._model.more(request.to)
            self._load()

    def _asked_stop(self, _: messages.Stop) -> None:
        if self._model.filter.text and self._model.loading:
            self._model.paused = True
            self._tell(())

    def _asked_retry(self, _: messages.Retry) -> None:
        self._settle_error()
        self._model.more()
        self._load()

    def _asked_open(self, request: messages.Open) -> None:
        with existing("job in the list"):
            job_id = (self._model.before | self._model.rows)[request.id].id
        self.job_id = job_id
        self._opened(job_id)

    def _asked_compare(self, request: messages.Compare) -> None:
        with existing("job in the list"):
            known = self._model.before | self._model.rows
            ids = known[request.one].id, known[request.other].id
        self._background.start(self._compare(request.view[:64], *ids))

    async def _compare(self, view: str, one: str, other: str) -> None:
        try:
            told = await asyncio.to_thread(compared, self._session, view, one, other)
        except ChimeraError as e:
            told = messages.ComparedMessage(view, one, other, (), for_visitor(str(e)))
        self.post(told)

    # Pages

    def _load(self) -> None:
        if self._model.wants_more and not self._model.loading:
            self._model.loading = self._background.start(self._load_page(self._generation.number))
        self._tell((), whole=not self._model.rows)

    async def _load_page(self, generation: int) -> None:
        model = self._model
        try:
            while not self._generation.is_late(generation) and model.wants_more:
                call = partial(self._found, model.request())
                try:
                    found = await asyncio.to_thread(call)
                except ChimeraError as e:
                    if not self._generation.is_late(generation):
                        model.failed, self.error = True, str(e)
                else:
                    self._tell(model.take(found))
        finally:
            if not self._generation.is_late(generation):
                model.loading = False
                self._tell(())

    def _found(self, request: Request) -> Found:
        return request.run(self._session.service_for_watching().log)

    def _tell(self, rows: Any, gone: tuple[str, ...] = (), *, whole: bool = False) -> None:
        for message in self._model.messages(rows, gone, whole=whole):
            self.post(message)

    # What is new

    async def _follow(self) -> None:
        """Keep the list up to date for as long as somebody looks."""
        try:
            while self._presence.is_seen:
                try:
                    ended = await asyncio.to_thread(self._bring_up_to_date)
                except ChimeraError as e:
                    self._lost = True
                    self.error = f"The list is not up to date: {e}. It is tried again every few seconds."
                else:
                    self._found_again()
                    self._changed(ended)
                await self._pause()
        finally:
            self._following = False
            if watch := self._watch:
                self._watch = self._service = None
                await asyncio.to_thread(watch.close)

    async def _pause(self) -> None:
        """Until the next look, which comes sooner when a job has begun meanwhile."""
        waited = 0.0
        while waited < _LOOK_SECONDS[self._model.is_running or self._lost]:
            await asyncio.sleep(_TICK_SECONDS)
            waited += _TICK_SECONDS

    def _bring_up_to_date(self) -> tuple[JobRecord, ...]:
        """Watch the log, if that is not done yet, and settle what is under way; those that ended thereby."""
        service = self._session.service_for_watching()
        if service is not self._service:
            if self._watch:
                self._watch.close()
            self._watch, self._service = service.log.watch(self._hear), service
        return service.sync()

    def _hear(self, records: Entries) -> None:
        """What the watch tells, in its own thread."""
        self._background.tell(self._changed, records)

    def _changed(self, records: Entries) -> None:
        put, gone = self._model.changed(records)
        if put or gone:
            self._tell(put, gone)

    def _found_again(self) -> None:
        if self._lost:
            self._lost = False
            self.error = ""
            if self._model.failed:
                self._model.more()
                self._load()

    def _settle_error(self) -> None:
        """Forget what was wrong with what was asked; that the log is away stays said."""
        if not self._lost:
            self.error = ""
