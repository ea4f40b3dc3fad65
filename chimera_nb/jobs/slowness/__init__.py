"""Why a job took as long as it did: its slowest files, the stage that limits, and what helps.

seconds.py  what ledgers have of each file's time
cause.py    the stage that limits, by those and the record
remedy.py   what helps against it, in words
words.py    all of it as lines
"""

from chimera_nb.jobs.record import JobRecord
from chimera_nb.jobs.slowness.cause import SLOWEST, SlowFile, Slowness, Spread, why_slow
from chimera_nb.jobs.slowness.seconds import FileSeconds, file_seconds
from chimera_nb.jobs.slowness.words import lines_of
from pipeline.storage import Store

__all__ = ["SLOWEST", "FileSeconds", "SlowFile", "Slowness", "Spread", "lines_of", "time_spent", "why_slow"]


def time_spent(store: Store, record: JobRecord) -> Slowness:
    """Of a job that has ended, by the ledger at its target. Raises StorageError."""
    return why_slow(record, file_seconds(store, record.target, record.job_id))
