"""Steps: the dashboard's header: which page and which job is open, who and where one is, what is selected."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from typing import Any, Literal

import traitlets
from ipywidgets import CallbackDispatcher

from chimera_nb.jobs.requester import current_user
from chimera_nb.session import Session
from chimera_nb.widgets.base import assets
from chimera_nb.widgets.base.widget import ChimeraWidget, held
from chimera_nb.widgets.dashboard import messages
from pipeline.errors import ChimeraError
from pipeline.storage import Store

NEW, JOBS = "new", "jobs"
EXAMPLE = "gs://chimera-demo/"  # where `chimera demo` puts its files
_JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}|")
_NOTHING = messages.Chosen(0, 0, 0, more=False, counting=False, can_undo=False)


class Steps(ChimeraWidget):
    """Browse, Preview, Launch, Jobs: links to each, in the order in which one goes through them.

    On a page of its own (the dashboard's template says so) the address follows: `?job=ID` is that job, `?jobs`
    the list, and the browser's Back and Forward work. In a notebook nothing but the page's parts change.
    """

    _esm = assets.script("dashboard/header")
    _css = assets.style("dashboard/header", "dashboard/parts", "dashboard/bar")

    page = traitlets.Enum([NEW, JOBS], NEW, help="What is shown: a new job, or the jobs there are.").tag(
        sync=True
    )
    job_id = traitlets.Unicode(help="The job that is open; empty when none is.").tag(sync=True)
    _chosen = traitlets.Dict().tag(sync=True)
    _where = traitlets.Dict().tag(sync=True)

    def __init__(self, session: Session | None = None, **traits: Any) -> None:
        self._undone, self._example = CallbackDispatcher(), CallbackDispatcher()
        super().__init__(session, _chosen=held(_NOTHING), **traits)

    @traitlets.validate("job_id")
    def _valid_job_id(self, proposal: dict[str, Any]) -> str:
        """An address may say anything; what is no job's name opens none."""
        return proposal["value"] if _JOB_ID.fullmatch(proposal["value"]) else ""

    def open_job(self, job_id: str) -> None:
        """Show a job, and have it in the address."""
        with self.hold_sync():
            self.page, self.job_id = JOBS, job_id

    def look_at_launch(self) -> None:
        """Show the page of a new job, where it is launched."""
        with self.hold_sync():
            self.page, self.job_id = NEW, ""
        self.post(messages.LookAtMessage("launch"))

    def on_undo(self, call: Callable[[], object]) -> None:
        """Call when the last change of the selection is to be taken back."""
        self._undone.register_callback(call)

    def on_example(self, call: Callable[[], object]) -> None:
        """Call when the example is to be shown."""
        self._example.register_callback(call)

    def show_chosen(self, chosen: messages.Chosen) -> None:
        """Show what is selected."""
        self._chosen = held(chosen)

    def _on_front_end(self) -> None:
        if not self._where:
            self._background.start(self._find_out())

    async def _find_out(self) -> None:
        def look(store: Store) -> messages.Where:
            settings = self._session.settings
            bucket = EXAMPLE.removeprefix("gs://").strip("/")
            example = False
            with contextlib.suppress(ChimeraError):  # one that may not be looked into is as good as none
                example = store.bucket_exists(bucket)
            place: Literal["local", "cloud"] = "cloud" if settings.place == "cloud" else "local"
            return messages.Where(current_user(), place, settings.project or "", example)

        with contextlib.suppress(ChimeraError):  # the parts of the page say what is not there
            self._where = held(await self._background.in_thread(EXAMPLE, look))

    def _asked_undo(self, _: messages.Undo) -> None:
        self._undone()

    def _asked_example(self, _: messages.Example) -> None:
        self._example()
