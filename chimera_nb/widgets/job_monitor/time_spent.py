"""Where a finished job's time went, as its monitor shows it."""

from __future__ import annotations

from chimera_nb.jobs.limits import storable
from chimera_nb.jobs.record import JobRecord
from chimera_nb.jobs.slowness import lines_of, time_spent
from chimera_nb.widgets.job_monitor.states import SlowFileRow, TimeSpent
from pipeline.storage import Store


def describe_time(store: Store, record: JobRecord) -> TimeSpent:
    """By the job's ledger. Raises StorageError."""
    found = time_spent(store, record)
    rows = tuple(
        SlowFileRow(storable(one.uri), one.seconds, one.share, float(one.size)) for one in found.slowest
    )
    return TimeSpent(tuple(lines_of(found)) if found.files else (), rows)
