"""Session: the settings in force and what is reached by them. It is made once and handed on.

    session = connect(["gs://history/"])
    session.store      buckets and local folders     session.log        the job log
    session.service    submits and follows jobs      session.settings   where all of that is

It is the one way in for all of the toolkit: whatever takes `session` makes one of its own where it is left out, which
is cheap. Nothing of a session is the process's: two in one process do not know of each other.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from chimera_nb.arguments import AnyPath, path_texts
from chimera_nb.jobs.log.protocol import JobLog
from chimera_nb.jobs.open_log import open_log
from chimera_nb.jobs.requester import current_user
from chimera_nb.jobs.service import JobService
from chimera_nb.settings import Settings, load_settings
from pipeline.closes import Closes
from pipeline.errors import NoStackError
from pipeline.storage import Store

if TYPE_CHECKING:
    from chimera_nb.local.stack import Stack


def connect(
    uris: AnyPath | Iterable[AnyPath] = (), *, data_dir: Path | None = None, settings: Settings | None = None
) -> Session:
    """A session that has looked for its local stack, when it is one that is wanted. Calls no service.

    uris       those that will be asked for: gs:// ones need a store
    data_dir   of the local stack and the job log; left out, as the settings say
    settings   left out, those of the environment and chimera.toml

    Raises SettingsError, and NoStackError, in one line that says how to start it, where a gs:// URI is a local
    stack's and none runs.
    """
    session = Session(settings, data_dir=data_dir)
    session.refresh(uris)
    return session


class Session(Closes):
    """Settings, stores, job log and service, each made on first need and kept. Threads may share it.

    A kernel outlives local stacks: `refresh`, and the methods that call it, look for the stack and read the settings
    that the session was not given again. Stores, logs and services taken from the session before stay as they were.
    """

    def __init__(self, settings: Settings | None = None, *, data_dir: Path | None = None) -> None:
        """Asks for nothing yet; the arguments are those of `connect`."""
        self._given, self._data_dir = settings, data_dir
        self._refreshing = threading.Lock()
        # Of its own: a log may take its time to open, and who only looks does not wait for it.
        self._opening = threading.RLock()
        self._settings: Settings | None = None  # as they were found by the last refresh
        self._stack: Stack | None = None
        self._logs: dict[tuple[object, ...], JobLog] = {}  # by where they are
        self._services: dict[Settings, JobService] = {}

    @property
    def settings(self) -> Settings:
        """Those in force as of the last refresh. May read a file. Raises SettingsError."""
        return self._settings or self._on_stack(self._load())

    @property
    def data_dir(self) -> Path | None:
        """The data folder that it was given; None where it is the one that is found."""
        return self._data_dir or (self._given.data_dir if self._given else None)

    @property
    def store(self) -> Store:
        """The buckets and local folders, for somebody who waits. Raises SettingsError."""
        return self.settings.store

    @property
    def log(self) -> JobLog:
        """The job log, opened on first need: it blocks then. Raises JobLogError; asking again tries again."""
        return self._opened(self._settings or self.refresh())

    @property
    def service(self) -> JobService:
        """What submits and follows jobs. Raises as `log` does.

        Whoever is served by this kernel is on record as who asked for a job, else the user of this process.
        """
        settings = self._settings or self.refresh()
        with self._opening:
            if settings not in self._services:
                self._services[settings] = JobService(settings, self._opened(settings), user=current_user)
            return self._services[settings]

    def refresh(self, uris: AnyPath | Iterable[AnyPath] = ()) -> Settings:
        """Look for the settings and the local stack anew; the settings then in force. Raises as `connect` does."""
        asked = next((uri for uri in path_texts(uris) if uri.startswith("gs://")), None)
        with self._refreshing:
            settings = self._load()
            if settings.place == "local":
                self._stack = self._find(settings)
                settings = self._on_stack(settings)
                if asked and not settings.store.cloud.is_there:
                    where = f" in {settings.data_dir}" if settings.data_dir else ""
                    raise NoStackError(asked, where)
            self._settings = settings
            return settings

    def store_for(self, *uris: str) -> Store:
        """The store for these URIs, after `refresh` where one is gs://; local files need no stack."""
        if any(uri.startswith("gs://") for uri in uris):
            return self.refresh(uris).store
        return self._on_stack(self._load()).store

    def service_for_watching(self) -> JobService:
        """The service, after `refresh`. No stack has to run where jobs are on record.

        Raises NoStackError, which says how to start one, where neither a local stack runs nor a job is on record.
        """
        settings = self.refresh()
        if settings.place == "local" and settings.job_log == "sqlite":
            # A log that is open stays one when its file is removed.
            known = _log_of(settings) in self._logs or (settings.folder / "jobs.sqlite").is_file()
            if not known:
                self.refresh(["gs://"])
        return self.service

    def close(self) -> None:
        """Let go of the job log; may be repeated."""
        with self._opening:
            for log in self._logs.values():
                log.close()
            self._logs, self._services = {}, {}

    def _opened(self, settings: Settings) -> JobLog:
        where = _log_of(settings)
        with self._opening:
            if where not in self._logs:
                self._logs[where] = open_log(settings)
            return self._logs[where]

    def _load(self) -> Settings:
        return self._given or load_settings(self._data_dir)

    def _find(self, settings: Settings) -> Stack | None:
        """The stack that runs: that of before, where it goes on and no other is named."""
        from chimera_nb.local import stack

        before = self._stack.data_dir if self._stack and settings.data_dir is None else None
        return (stack.find(before) if before else None) or stack.find(settings.data_dir)

    def _on_stack(self, settings: Settings) -> Settings:
        """These settings with the endpoints of the stack that was found; a store that the user has named stands."""
        found = self._stack
        if found is None or settings.place != "local":
            return settings
        if settings.data_dir is not None and settings.data_dir.resolve() != found.data_dir:
            return settings
        return replace(
            settings,
            data_dir=settings.data_dir or found.data_dir,
            storage_endpoint=settings.store.cloud.endpoint or found.storage_endpoint,
            dataflow_endpoint=found.dataflow_endpoint,
        )


def _log_of(settings: Settings) -> tuple[object, ...]:
    """What tells one job log from another."""
    if settings.job_log == "sqlite":
        return (settings.folder,)
    return (
        settings.project,
        settings.firestore_database,
        settings.firestore_collection,
        settings.firestore_endpoint,
    )
