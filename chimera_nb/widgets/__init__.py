"""The notebook toolkit's widgets; each is the view of a model that knows nothing of notebooks.

browser.py       BucketBrowser: browse buckets and folders, and select what a job reads
                 (browser_model, listing, counting, places)
file_preview.py  FilePreview: look inside a compressed file (preview_model)
job_form.py      JobForm: say what a job is, see what it comes to, launch it
                 (form_model, form_checks, form_choices, form_words, survey, plan, target_state, as_code, recent_jobs)
job_monitor.py   JobMonitor: watch a job, and open what came of it (monitor_model, job_result, result_plot)
job_history.py   JobHistory: every job there was (history_model)
app.py           Dashboard: all of them on one page (steps)

view.py, background.py, service.py and assets.py are what they share; static/ has their front ends.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chimera_nb.widgets.app import Dashboard
    from chimera_nb.widgets.browser import BucketBrowser
    from chimera_nb.widgets.file_preview import FilePreview
    from chimera_nb.widgets.job_form import JobForm
    from chimera_nb.widgets.job_history import JobHistory
    from chimera_nb.widgets.job_monitor import JobMonitor

__all__ = ["BucketBrowser", "Dashboard", "FilePreview", "JobForm", "JobHistory", "JobMonitor"]

_PLACES = {
    "BucketBrowser": "browser",
    "Dashboard": "app",
    "FilePreview": "file_preview",
    "JobForm": "job_form",
    "JobHistory": "job_history",
    "JobMonitor": "job_monitor",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
