"""A job's own process while the job log is away: what it alone can ask or tell is tried until the log is back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from pipeline.errors import JobExistsError, JobLogError, JobNotFoundError, UnreadableRecordError

_PAUSE = 1.0  # seconds between two tries
_ANSWERED = (JobExistsError, JobNotFoundError, UnreadableRecordError)  # no later try is answered otherwise
_Result = TypeVar("_Result")


def until_log_answers(call: Callable[[], _Result], seconds: float) -> _Result:
    """The result of the call, which is repeated while the job log is away. Raises JobLogError after `seconds`."""
    give_up = time.monotonic() + seconds
    while True:
        try:
            return call()
        except _ANSWERED:
            raise
        except JobLogError:
            if time.monotonic() > give_up:
                raise
            time.sleep(_PAUSE)
