"""The JobService of a kernel: one for each place, shared by all of its widgets."""

from __future__ import annotations

import threading

from chimera_nb.connect import connect
from chimera_nb.jobs.requester import current_visitor
from chimera_nb.jobs.service import JobService, local_user
from chimera_nb.settings import Settings

_services: dict[Settings, JobService] = {}
_one_at_a_time = threading.Lock()


def service_for(given: Settings | None) -> JobService:
    """The service of the settings that a widget was given, or of those in force; no store of files has to be there.

    Blocks, as `open_service` does. Raises StackError, which says how to start one, where neither a local stack runs
    nor a job is on record.
    """
    if given is not None and given.place != "local":
        return open_service(given)
    data_dir = given.data_dir if given else None
    settings = connect(data_dir=data_dir)
    # A log that is open stays one when its file is removed.
    known = (
        settings in _services or settings.job_log != "sqlite" or (settings.folder / "jobs.sqlite").is_file()
    )
    if not known:
        settings = connect(["gs://"], data_dir=data_dir)
    return open_service(settings)


def open_service(settings: Settings) -> JobService:
    """The service of these settings, made when it is first asked for. It opens the job log, so call it in a thread.

    Whoever is served by this kernel is on record as who asked for a job. Raises JobLogError when the log cannot
    be opened; asking again tries again.
    """
    with _one_at_a_time:
        if settings not in _services:
            _services[settings] = JobService(settings, user=lambda: current_visitor() or local_user())
        return _services[settings]
