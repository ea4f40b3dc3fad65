"""The job log that settings name: which kind of it, and whether it tells of jobs that end."""

from __future__ import annotations

import os

from chimera_nb.jobs.announce import AnnouncingLog
from chimera_nb.jobs.log.protocol import JobLog
from chimera_nb.settings import Settings
from pipeline.errors import SettingsError


def open_log(settings: Settings) -> JobLog:
    """The job log that the settings name: one SQLite file in the data folder, or Firestore. It tells of jobs that end,
    where the settings say whom.

    Raises JobLogError when it cannot be opened, and SettingsError for Google's Firestore where the place is local.
    """
    log = _opened(settings)
    return AnnouncingLog(log, settings.notices) if settings.notices.has_any else log


def _opened(settings: Settings) -> JobLog:
    if settings.job_log == "firestore":
        emulator = settings.firestore_endpoint or os.environ.get("FIRESTORE_EMULATOR_HOST")
        if settings.place == "local" and not emulator:
            raise SettingsError(
                'job_log is "firestore", but with place "local" nothing leaves this machine; set CHIMERA_PLACE=cloud, '
                "or FIRESTORE_EMULATOR_HOST for an emulator, or leave job_log out"
            )
        from chimera_nb.jobs.log.firestore import FirestoreJobLog

        return FirestoreJobLog(
            str(settings.project),
            database=settings.firestore_database,
            collection=settings.firestore_collection,
            emulator=settings.firestore_endpoint,
        )
    from chimera_nb.jobs.log.sqlite import SqliteJobLog

    return SqliteJobLog(settings.folder / "jobs.sqlite")
