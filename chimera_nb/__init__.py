"""Browse, sample, launch and watch, from Jupyter or a dashboard: all that daily work needs is here.

    import chimera_nb as ch
    ch.browse("gs://history/")                                    # a widget; so are ch.JobForm, ch.Dashboard ...
    ch.peek("gs://history/a.bz2"), ch.sample("gs://history/")     # DataFrames
    ch.view("gs://history/", "runners")                           # one of a source's tables of its records
    job = ch.submit("gs://history/", "gs://results/first")
    job.wait().frame()                                            # what it wrote

What works on a store or a job takes `session=`, which `connect` gives; left out, each makes one of its own. Every error
that is raised on purpose is a ChimeraError. `%load_ext chimera_nb` adds the magic %chimera.

Importing this package imports neither Beam nor pandas; both load on first need.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chimera_nb.data.catalogue.catalogue import catalogue
    from chimera_nb.data.frames import flatten
    from chimera_nb.data.listing import ls, sources
    from chimera_nb.data.output import read_output
    from chimera_nb.data.preview import preview
    from chimera_nb.data.proof import extract, verify
    from chimera_nb.data.sampling.sample import peek, sample
    from chimera_nb.data.view import view
    from chimera_nb.demo import open_demo
    from chimera_nb.job_handle import Job, job, jobs, submit
    from chimera_nb.session import Session, connect
    from chimera_nb.widgets.browser.browse import browse
    from chimera_nb.widgets.browser.widget import BucketBrowser
    from chimera_nb.widgets.dashboard.widget import Dashboard
    from chimera_nb.widgets.job_form.widget import JobForm
    from chimera_nb.widgets.job_history.widget import JobHistory
    from chimera_nb.widgets.job_monitor.widget import JobMonitor
    from chimera_nb.widgets.market_plot.plot import plot_market
    from chimera_nb.widgets.preview.widget import FilePreview
    from pipeline.errors import ChimeraError

__all__ = [
    "BucketBrowser",
    "ChimeraError",
    "Dashboard",
    "FilePreview",
    "Job",
    "JobForm",
    "JobHistory",
    "JobMonitor",
    "Session",
    "browse",
    "catalogue",
    "connect",
    "extract",
    "flatten",
    "job",
    "jobs",
    "load_ipython_extension",
    "ls",
    "open_demo",
    "peek",
    "plot_market",
    "preview",
    "read_output",
    "sample",
    "sources",
    "submit",
    "verify",
    "view",
]

_HOMES = {
    "BucketBrowser": "chimera_nb.widgets.browser.widget",
    "ChimeraError": "pipeline.errors",
    "Dashboard": "chimera_nb.widgets.dashboard.widget",
    "FilePreview": "chimera_nb.widgets.preview.widget",
    "Job": "chimera_nb.job_handle",
    "JobForm": "chimera_nb.widgets.job_form.widget",
    "JobHistory": "chimera_nb.widgets.job_history.widget",
    "JobMonitor": "chimera_nb.widgets.job_monitor.widget",
    "Session": "chimera_nb.session",
    "browse": "chimera_nb.widgets.browser.browse",
    "catalogue": "chimera_nb.data.catalogue.catalogue",
    "connect": "chimera_nb.session",
    "extract": "chimera_nb.data.proof",
    "flatten": "chimera_nb.data.frames",
    "job": "chimera_nb.job_handle",
    "jobs": "chimera_nb.job_handle",
    "ls": "chimera_nb.data.listing",
    "open_demo": "chimera_nb.demo",
    "peek": "chimera_nb.data.sampling.sample",
    "plot_market": "chimera_nb.widgets.market_plot.plot",
    "preview": "chimera_nb.data.preview",
    "read_output": "chimera_nb.data.output",
    "sample": "chimera_nb.data.sampling.sample",
    "sources": "chimera_nb.data.listing",
    "submit": "chimera_nb.job_handle",
    "verify": "chimera_nb.data.proof",
    "view": "chimera_nb.data.view",
}


class _Package(ModuleType):
    """This package, in which `jobs` is the function: importing the subpackage of that name does not take its place."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext chimera_nb` calls: makes the magic %chimera known (`chimera_nb.magics`)."""
    from chimera_nb.magics import ChimeraMagics

    shell.register_magics(ChimeraMagics)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
