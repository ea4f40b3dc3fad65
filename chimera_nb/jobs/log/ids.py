"""Ids of jobs: what a new one looks like, and what can be one at all."""

from __future__ import annotations

import re
import secrets
from datetime import datetime

from chimera_nb.jobs.limits import storable
from chimera_nb.jobs.record import timestamp
from pipeline.errors import JobNotFoundError, RefusedError

_NEW_ID = re.compile(r"\d{4}-\d\d-\d\d-[0-9a-z]{8}")
_MAX_ID_BYTES = 1500  # of Firestore


def new_job_id(now: datetime | None = None) -> str:
    """An id for a new job: the date in UTC and 8 random hexadecimal digits."""
    return f"{timestamp(now)[:10]}-{secrets.token_hex(4)}"


def check_new_id(job_id: str) -> None:
    """Raise RefusedError unless the id is as `new_job_id` makes them."""
    if not _NEW_ID.fullmatch(job_id):
        raise RefusedError(f"job id {job_id!r} is not YYYY-MM-DD-xxxxxxxx; take one from new_job_id()")


def check_id(job_id: str) -> None:
    """Raise JobNotFoundError for what can be no id: it might name some other document of the store."""
    if not isinstance(job_id, str):
        raise RefusedError(f"{job_id!r} is no job's id; an id is text, as `chimera jobs list` shows it")
    if not can_be_an_id(job_id):
        raise JobNotFoundError(job_id)


def can_be_an_id(job_id: str) -> bool:
    """As Firestore has it (firebase.google.com/docs/firestore/quotas): another program may take any such name."""
    size = len(job_id.encode(errors="surrogatepass"))
    reserved = job_id in (".", "..") or (job_id.startswith("__") and job_id.endswith("__"))
    return 0 < size <= _MAX_ID_BYTES and "/" not in job_id and not reserved and job_id == storable(job_id)
