"""Dashboard: browse, look inside, launch and watch, as one page of the toolkit's widgets."""

from __future__ import annotations

import contextlib
from typing import Any

import ipywidgets
import traitlets

from chimera_nb.session import Session
from chimera_nb.widgets.browser.navigation import BUCKETS
from chimera_nb.widgets.browser.widget import BucketBrowser
from chimera_nb.widgets.dashboard.header import Steps
from chimera_nb.widgets.job_form.widget import JobForm
from chimera_nb.widgets.job_history.widget import JobHistory
from chimera_nb.widgets.job_monitor.widget import JobMonitor
from chimera_nb.widgets.preview.widget import FilePreview
from pipeline.errors import RefusedError


class Dashboard(ipywidgets.VBox):
    """Everything on one page, in the order in which one goes through it: Browse, Preview, Launch, Jobs.

    uri: the folder to begin in; left out, the list of buckets.
    session: as for the widgets, which share it and are attributes: browser, preview, form, history, monitor, steps.

    What is selected in the browser is what the form is of, the file one stands on is what the preview shows, and
    the job that was launched, or chosen in the history, is what the monitor watches.
    """

    def __init__(self, uri: str = BUCKETS, session: Session | None = None) -> None:
        session = session or Session()
        self.steps = Steps(session)
        self.browser = BucketBrowser(uri, session, height=420)
        self.preview = FilePreview(session=session)
        self.form = JobForm(session=session)
        self.history = JobHistory(session=session, height=560)
        self.monitor = JobMonitor(session=session)
        traitlets.dlink((self.browser, "current"), (self.preview, "uri"))
        traitlets.dlink((self.browser, "selected"), (self.form, "inputs"))
        self.form.observe(self._on_inputs, "inputs")
        traitlets.dlink((self.steps, "job_id"), (self.monitor, "job_id"))
        traitlets.dlink((self.steps, "job_id"), (self.history, "job_id"))
        self.history.on_open(self.steps.open_job)
        for widget in (self.form, self.monitor):  # a job was launched; the second tells of a retry as well
            widget.observe(self._on_launched, "job_id")
        new = ipywidgets.Box(
            [
                _part("browse", "Browse", "Choose files, folders or a pattern.", self.browser),
                _part("preview", "Preview", "What is inside the file you are on.", self.preview),
                _part("launch", "Launch", "What the job reads, and where its output goes.", self.form),
            ]
        )
        jobs = ipywidgets.Box(
            [
                _part("jobs", "Jobs", "All that were launched, by anyone.", self.history),
                _part("job", "Job", "How it stands, and what came of it.", self.monitor),
            ]
        )
        new.add_class("ch-page-new")
        jobs.add_class("ch-page-jobs")
        super().__init__([self.steps, new, jobs])
        self.add_class("ch-dashboard")

    def _on_inputs(self, change: dict[str, Any]) -> None:
        """The form took a selection of before: the browser shows that one, unless it may not look there."""
        with contextlib.suppress(RefusedError):
            self.browser.selected = change["new"]

    def _on_launched(self, change: dict[str, Any]) -> None:
        if change["new"] and change["new"] != self.steps.job_id:
            self.steps.open_job(change["new"])


def _part(name: str, title: str, what: str, widget: ipywidgets.Widget) -> ipywidgets.Box:
    """A titled part of the page; its texts are ours, nothing in them comes from outside."""
    heading = ipywidgets.HTML(f"<h2>{title}</h2><p>{what}</p>")
    heading.add_class("ch-heading")
    part = ipywidgets.VBox([heading, widget])
    part.add_class("ch-part").add_class(f"ch-part-{name}")
    return part
