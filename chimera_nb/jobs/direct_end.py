"""The last word of a direct job: what its process puts on record as it ends.

`python -m chimera_nb.jobs.direct_end JOB_ID STATUS WHY PROGRESS` is what a process becomes whose job came to nothing
(`pipeline.give_back`). Exit 1.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Mapping, Sequence
from typing import NoReturn

from chimera_nb.jobs.bounds import MAX_ERROR_BYTES, cut, storable
from chimera_nb.jobs.change import Change
from chimera_nb.jobs.ending import end
from chimera_nb.jobs.log import JobLog
from chimera_nb.jobs.record import Status
from chimera_nb.jobs.service import open_log
from chimera_nb.settings import load_settings
from pipeline.errors import JobLogError
from pipeline.give_back import go_on_as
from pipeline.storage import Store

_PATIENCE = 120  # seconds for which the last word is tried again when the job log is away

Numbers = Mapping[str, int | float | None]


def come_to_nothing(job_id: str, status: Status, why: str, progress: Numbers) -> NoReturn:
    """End this process and its job with it: what still runs in it ends first, then its target is given back."""
    reason = cut(storable(why), MAX_ERROR_BYTES)
    go_on_as("chimera_nb.jobs.direct_end", job_id, status.value, reason, json.dumps(progress))


def last_word(store: Store, log: JobLog, job_id: str, status: Status, why: str, *, progress: Numbers) -> None:
    """Put the end on record. Tried for two minutes: after that, whoever looks at the record finds it out."""
    give_up = time.monotonic() + _PATIENCE
    while True:
        try:
            record = log.get(job_id)
            # Somebody may have taken it for dead, or cancelled, before its process was through.
            said = f"its process has ended: {why}" if record.status.is_final else why
            end(store, record, log, status, said, change=Change(progress=progress))
        except JobLogError:
            if time.monotonic() > give_up:
                raise
            time.sleep(1)
        else:
            return


def main(arguments: Sequence[str]) -> int:
    job_id, status, why, progress = arguments
    settings = load_settings()
    last_word(settings.store, open_log(settings), job_id, Status(status), why, progress=json.loads(progress))
    return 1


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    sys.exit(main(sys.argv[1:]))
