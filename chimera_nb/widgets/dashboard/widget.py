"""Dashboard: browse, look inside, launch and watch, as one page of the toolkit's widgets."""

from __future__ import annotations

import contextlib
from typing import Any

import ipywidgets
import traitlets

from chimera_nb.session import Session
from chimera_nb.widgets.browser.navigation import BUCKETS
from chimera_nb.widgets.browser.widget import BucketBrowser
from chimera_nb.widgets.dashboard import messages
from chimera_nb.widgets.dashboard.header import EXAMPLE, Steps
from chimera_nb.widgets.job_form.widget import JobForm
from chimera_nb.widgets.job_history.widget import JobHistory
from chimera_nb.widgets.job_monitor.widget import JobMonitor
from chimera_nb.widgets.preview.widget import FilePreview
from pipeline.errors import RefusedError

_EXAMPLE = f"{EXAMPLE}ADVANCED/2016/Jan/1/27636896/"
_CLOSE = '<button type="button" class="ch-look-close">Back to the list</button>'


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
        self.monitor.run_again_by(self._on_run_again)
        self.steps.on_undo(self._on_undo)
        self.steps.on_example(self._on_example)
        self.browser.observe(self._on_chosen, ["selected", "total", "_can_undo"])
        new = ipywidgets.Box(
            [
                _intro(),
                _part(
                    "browse", "Browse", "Tick what is to be read: files, folders or a pattern.", self.browser
                ),
                _part("preview", "Preview", "What is inside the file you clicked.", self.preview, _CLOSE),
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
        self.steps.add_class("ch-dashboard-top")
        super().__init__([self.steps, new, jobs])
        self.add_class("ch-dashboard")

    def _on_inputs(self, change: dict[str, Any]) -> None:
        """The form took a selection of before: the browser shows that one, unless it may not look there."""
        with contextlib.suppress(RefusedError):
            self.browser.selected = change["new"]

    def _on_launched(self, change: dict[str, Any]) -> None:
        if change["new"] and change["new"] != self.steps.job_id:
            self.steps.open_job(change["new"])

    def _on_chosen(self, _: object) -> None:
        total = messages.Chosen(
            selected=len(self.browser.selected),
            can_undo=self.browser.can_undo,
            **{name: self.browser.total[name] for name in ("files", "bytes", "more", "counting")},
        )
        self.steps.show_chosen(total)

    def _on_run_again(self, job_id: str) -> None:
        """What is to run again is first seen in the form, and launched from there."""
        self.form.begin_with(job_id)
        self.steps.look_at_launch()

    def _on_undo(self) -> None:
        try:
            self.browser.undo()
        except RefusedError as e:
            self.browser.error = str(e)

    def _on_example(self) -> None:
        """The files of one event of the demo, ticked, and the first of them looked into."""
        self.browser.go(_EXAMPLE)
        self.browser.selected = (f"{_EXAMPLE}1.122737920.bz2", f"{_EXAMPLE}1.122737921.bz2")
        self.browser.current = f"{_EXAMPLE}1.122737920.bz2"


def _intro() -> ipywidgets.HTML:
    """What this is and for whom, in a line, and a way to an example; its texts are ours."""
    intro = ipywidgets.HTML(
        "<p><strong>Turn compressed files into one clean dataset: tick, look, launch.</strong> "
        "<span>For everyone who has folders of .bz2, .gz, .zst, .zip or .tar files in a bucket. No code.</span></p>"
        '<button type="button" class="ch-example">Show me an example</button>'
    )
    return intro.add_class("ch-intro")


def _part(name: str, title: str, what: str, widget: ipywidgets.Widget, beside: str = "") -> ipywidgets.Box:
    """A titled part of the page; its texts are ours, nothing in them comes from outside."""
    heading = ipywidgets.HTML(f"<h2>{title}</h2><p>{what}</p>{beside}")
    heading.add_class("ch-heading")
    part = ipywidgets.VBox([heading, widget])
    part.add_class("ch-part").add_class(f"ch-part-{name}")
    return part
