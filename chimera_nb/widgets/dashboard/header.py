"""Steps: the dashboard's header. It tells which page and which job is open, and keeps both in the address."""

from __future__ import annotations

import re
from typing import Any

import traitlets

from chimera_nb.widgets.base import assets
from chimera_nb.widgets.base.widget import ChimeraWidget

NEW, JOBS = "new", "jobs"
_JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}|")


class Steps(ChimeraWidget):
    """Browse, Preview, Launch, Jobs: links to each, in the order in which one goes through them.

    On a page of its own (the dashboard's template says so) the address follows: `?job=ID` is that job, `?jobs`
    the list, and the browser's Back and Forward work. In a notebook nothing but the page's parts change.
    """

    _esm = assets.script("dashboard/header")
    _css = assets.style("dashboard/header")

    page = traitlets.Enum([NEW, JOBS], NEW, help="What is shown: a new job, or the jobs there are.").tag(
        sync=True
    )
    job_id = traitlets.Unicode(help="The job that is open; empty when none is.").tag(sync=True)

    @traitlets.validate("job_id")
    def _valid_job_id(self, proposal: dict[str, Any]) -> str:
        """An address may say anything; what is no job's name opens none."""
        return proposal["value"] if _JOB_ID.fullmatch(proposal["value"]) else ""

    def open_job(self, job_id: str) -> None:
        """Show a job, and have it in the address."""
        with self.hold_sync():
            self.page, self.job_id = JOBS, job_id
