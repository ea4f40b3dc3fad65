"""The last word of a direct job: what its process puts on record as it ends.

`python -m chimera_nb.jobs.runners.direct_outcome JOB_ID STATUS WHY PROGRESS` is what a process becomes whose job
came to nothing (`pipeline.release`). Exit 1.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

from chimera_nb.jobs.limits import MAX_ERROR_BYTES, cut, storable
from chimera_nb.jobs.open_log import open_log
from chimera_nb.jobs.outcome import last_word
from chimera_nb.jobs.record import Status
from chimera_nb.jobs.transitions import Change
from chimera_nb.settings import load_settings
from pipeline.release import go_on_as

Numbers = Mapping[str, int | float | None]


def come_to_nothing(job_id: str, status: Status, why: str, progress: Numbers) -> NoReturn:
    """End this process and its job with it: what still runs in it ends first, then its target is given back."""
    reason = cut(storable(why), MAX_ERROR_BYTES)
    go_on_as("chimera_nb.jobs.runners.direct_outcome", job_id, status.value, reason, json.dumps(progress))


def main(arguments: Sequence[str]) -> int:
    job_id, status, why, progress = arguments
    settings = load_settings()
    change = Change(progress=json.loads(progress))
    last_word(settings.store, open_log(settings), job_id, Status(status), why, change=change)
    return 1


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    sys.exit(main(sys.argv[1:]))
