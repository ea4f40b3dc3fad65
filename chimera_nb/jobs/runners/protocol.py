"""Runner: what each way to run jobs can do. `direct` and `dataflow` are the two there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from chimera_nb.jobs.record import JobRecord
from pipeline.spec import JobSpec


class Runner(Protocol):
    """The jobs of one job log under one runner, as one process looks after them. Threads may share it."""

    def options_of(self, spec: JobSpec, requested: Mapping[str, Any]) -> dict[str, Any]:
        """What a record keeps of how its job runs here; `requested` is asked for it, over what the settings say.

        Raises RefusedError for what cannot be done here, and SettingsError for what is missing.
        """

    def launch(self, record: JobRecord) -> JobRecord:
        """Start the process of a job that is on record; the record with the process in it. Raises JobError."""

    def settle(self, record: JobRecord) -> JobRecord:
        """The record of a job that is not final, brought up to date; as it is, where nothing can be told."""

    def cancel(self, record: JobRecord) -> JobRecord:
        """Ask for the job's end; the record with the request, or the end if it has come.

        Raises DataflowError, with nothing on record of it, when Dataflow refuses.
        """
