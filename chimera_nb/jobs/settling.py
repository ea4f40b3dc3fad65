"""Records brought up to date: what a job's runner knows of it, whoever looks, and whether it has passed its budget."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from chimera_nb.jobs.forecast.budget import OVER_BUDGET, passed_budget
from chimera_nb.jobs.log.entries import Entries, Entry
from chimera_nb.jobs.log.protocol import JobLog
from chimera_nb.jobs.record import JobRecord
from chimera_nb.jobs.runners.protocol import Runner
from chimera_nb.jobs.transitions import Change
from pipeline.errors import JobLogError, UnreadableRecordError

_log = logging.getLogger(__name__)
_LOOKS_AT_ONCE = 10  # at jobs: as many connections as a client of Dataflow keeps


@dataclass(frozen=True)
class Settling:
    """Asks the runners of jobs that are not final; `currency` is that of the prices by which a budget is passed."""

    runners: Mapping[str, Runner]
    log: JobLog
    currency: str

    def entries(self, entries: Iterable[Entry]) -> Entries:
        """Entries of a log, side by side: one that takes its time holds up no other."""
        entries = tuple(entries)
        living = [e for e in entries if isinstance(e, JobRecord) and not e.status.is_final]
        if len(living) < 2:
            return tuple(map(self._entry, entries))
        with ThreadPoolExecutor(_LOOKS_AT_ONCE, thread_name_prefix="settle") as pool:
            return tuple(pool.map(self._entry, entries))

    def _entry(self, entry: Entry) -> Entry:
        return self.record(entry) if isinstance(entry, JobRecord) else entry

    def record(self, record: JobRecord) -> JobRecord:
        """A record; as it is, when it cannot be brought up to date: one odd job must not hide the others.

        Raises JobLogError for a log that fails.
        """
        if record.status.is_final:
            return record
        runner = self.runners[record.runner]
        try:
            settled = runner.settle(record)
            if why := passed_budget(settled, self.currency):
                self.log.update(record.job_id, Change(logs=(f"{OVER_BUDGET}: {why}",)))
                return runner.cancel(settled)
        except Exception as e:
            if isinstance(e, JobLogError) and not isinstance(e, UnreadableRecordError):
                raise
            _log.warning("job %s cannot be brought up to date: %s: %s", record.job_id, type(e).__name__, e)
            return record
        return settled
