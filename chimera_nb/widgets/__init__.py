"""The notebook toolkit's widgets; each shows a model that is plain Python.

browser/      BucketBrowser: browse buckets and folders, and select what a job reads
preview/      FilePreview: look inside a compressed file
job_form/     JobForm: say what a job is, see what it comes to, launch it
job_monitor/  JobMonitor: watch a job, and open what came of it
job_history/  JobHistory: every job there was
dashboard/    Dashboard: all of them on one page
base/         what they share

In each: widget.py, model.py, and the front end (view.js, style.css).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chimera_nb.widgets.browser.widget import BucketBrowser
    from chimera_nb.widgets.dashboard.widget import Dashboard
    from chimera_nb.widgets.job_form.widget import JobForm
    from chimera_nb.widgets.job_history.widget import JobHistory
    from chimera_nb.widgets.job_monitor.widget import JobMonitor
    from chimera_nb.widgets.preview.widget import FilePreview

__all__ = ["BucketBrowser", "Dashboard", "FilePreview", "JobForm", "JobHistory", "JobMonitor"]

_PACKAGES = {
    "BucketBrowser": "browser",
    "Dashboard": "dashboard",
    "FilePreview": "preview",
    "JobForm": "job_form",
    "JobHistory": "job_history",
    "JobMonitor": "job_monitor",
}


def __getattr__(name: str) -> Any:
    if name not in _PACKAGES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PACKAGES[name]}.widget"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
