"""JobLog: what every job log can do, whatever keeps it. `sqlite` and `firestore` are the two there are.

Both pass the same tests (tests/integration/test_job_log.py). A log may be used from several threads at once,
and its store from several processes; every change goes through `change.advance`, so state moves forward only.
"""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import re
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from chimera_nb.arguments import whole_number
from chimera_nb.jobs.limits import storable
from chimera_nb.jobs.log.entries import Entries, Entry, UnreadableRecord
from chimera_nb.jobs.record import JobRecord, Status, timestamp
from chimera_nb.jobs.transitions import Change
from pipeline.errors import ChimeraError, JobNotFoundError, RefusedError

_log = logging.getLogger(__name__)

MAX_LIMIT = 1000
_NEW_ID = re.compile(r"\d{4}-\d\d-\d\d-[0-9a-z]{8}")
_MAX_ID_BYTES = 1500  # of Firestore

Records = tuple[JobRecord, ...]
Callback = Callable[[Entries], object]
Changes = Callable[[threading.Event], Generator[Entries, None, None]]


class JobLog(Protocol):
    """Every job on record. Each method raises JobLogError when the store cannot be reached or used.

    A document that is no record of a job hides no other: it has its place in pages and watches as an
    `UnreadableRecord`, and is logged once by a process. `get` and `update` of it raise UnreadableRecordError.
    """

    def create(self, record: JobRecord) -> None:
        """Put a new job on record.

        Raises JobExistsError when its id is taken, and RefusedError when the id is not YYYY-MM-DD-xxxxxxxx.
        """

    def get(self, job_id: str) -> JobRecord:
        """The record of one job. Raises JobNotFoundError."""

    def update(self, job_id: str, change: Change) -> JobRecord:
        """Bring a change into a record, in one transaction, and return what it is then.

        Nothing is written where nothing changes, and fields that are not known here stay. Raises JobNotFoundError.
        """

    def list(
        self,
        *,
        statuses: Sequence[Status] = (),
        source: str | None = None,
        created_after: datetime | str | None = None,
        created_before: datetime | str | None = None,
        text: str | None = None,
        limit: int = 50,
        page_token: str | None = None,
    ) -> RecordPage:
        """The newest jobs first: by createdAt, and by jobId where that is the same.

        `statuses` and `source` are what a job must have one of; `created_after` is within the range and
        `created_before` is not; `text` is a part, in any case, of the id, an input or the target as `gs://` shows
        them. A page may be short, or even empty, before the last: only the one with no `next_page_token` ends the
        list. Raises RefusedError for a time, limit or page token that makes no sense.
        """

    def watch(self, callback: Callback, *, job_id: str | None = None, limit: int = 100) -> Watch:
        """Tell, until the watch is closed, of each job that is new or has changed, newest first.

        The first call has what stands now, if only (). Without a job_id the newest `limit` jobs are watched. The
        calls come one at a time from one thread of the watch; steps between two calls are seen as one. What
        the callback raises is logged, and the watch goes on, as it does when the store was away for a time.
        """

    def close(self) -> None:
        """Close the watches and let go of the store; may be repeated. A log is not used after that."""


@dataclass(frozen=True)
class RecordPage:
    """Some of the log, newest first, and the token of the page after it if there is one."""

    entries: Entries
    next_page_token: str | None = None

    @property
    def records(self) -> Records:
        """Those that can be read."""
        return tuple(entry for entry in self.entries if isinstance(entry, JobRecord))


# Where a page begins: after a job's createdAt and jobId. Another program's document may have none, or no text: then
# the log has a name of its own for the place.
After = tuple[str | None, str]


@dataclass(frozen=True)
class Query:
    """What `JobLog.list` was asked for, checked: times as records have them, text folded, the token read."""

    statuses: tuple[Status, ...]
    source: str | None
    created_after: str | None
    created_before: str | None
    text: str | None
    limit: int
    after: After | None

    @classmethod
    def of(
        cls,
        *,
        statuses: Sequence[Status],
        source: str | None,
        created_after: datetime | str | None,
        created_before: datetime | str | None,
        text: str | None,
        limit: int,
        page_token: str | None,
    ) -> Query:
        """Raises RefusedError for what makes no sense."""
        return cls(
            statuses=_statuses(statuses),
            source=_text("source", source),
            created_after=_time(created_after),
            created_before=_time(created_before),
            text=(_text("text", text) or "").casefold() or None,
            limit=checked_limit(limit),
            after=_read_token(page_token) if page_token else None,
        )


def _statuses(wanted: Iterable[Status | str]) -> tuple[Status, ...]:
    try:
        return tuple(dict.fromkeys(map(Status, [wanted] if isinstance(wanted, str) else wanted)))
    except (TypeError, ValueError) as e:
        raise RefusedError(f"statuses is {wanted!r}; there are: {', '.join(Status)}") from e


def _text(name: str, value: str | None) -> str | None:
    if not isinstance(value, str | None):
        raise RefusedError(f"{name} is {value!r}; give it as text")
    return value


def checked_limit(limit: int) -> int:
    """The limit. Raises RefusedError unless it is a whole number from 1 to 1,000."""
    limit = whole_number(limit, "limit")
    if not 1 <= limit <= MAX_LIMIT:
        raise RefusedError(f"limit is {limit}; ask for 1 to {MAX_LIMIT:,} jobs, and for more by page_token")
    return limit


def token_after(created_at: object, job_id: object, otherwise: str = "") -> str:
    """The token of the page that begins after that createdAt and id, or, where these are odd, after `otherwise`."""
    dated = isinstance(created_at, str) and isinstance(job_id, str) and _can_be_an_id(job_id)
    after = [created_at, job_id] if dated else [None, otherwise]
    return base64.urlsafe_b64encode(json.dumps(after).encode()).decode()


def _read_token(token: str) -> After:
    try:
        created_at, job_id = json.loads(base64.urlsafe_b64decode(token))
        if isinstance(created_at, str | None) and isinstance(job_id, str) and _can_be_an_id(job_id):
            return created_at, job_id
    except (ValueError, TypeError):
        pass
    raise unknown_token(token)


def unknown_token(token: str) -> RefusedError:
    """For a token of another log, or of a place that is gone."""
    return RefusedError(f"page token {token!r} was not given by this job log; begin again without one")


def _time(when: datetime | str | None) -> str | None:
    if when is None:
        return None
    try:
        return timestamp(when if isinstance(when, datetime) else datetime.fromisoformat(when))
    except (ValueError, TypeError) as e:
        raise RefusedError(f"time {when!r} cannot be read; write it as {timestamp(datetime.now(UTC))}") from e


def search_text(record: Entry) -> str:
    """What `text` is looked for in: the id, the inputs and the target, case folded."""
    if isinstance(record, UnreadableRecord):
        return record.job_id.casefold()
    source = f"gs://{record.source_bucket}/" if record.source_bucket else ""
    target = f"gs://{record.target_bucket}/" if record.target_bucket else ""
    found_by = [
        record.job_id,
        *(source + path for path in record.selected_paths),
        target + record.output_prefix,
    ]
    return "\n".join(found_by).casefold()


def check_new_id(job_id: str) -> None:
    """Raise RefusedError unless the id is as `new_job_id` makes them."""
    if not _NEW_ID.fullmatch(job_id):
        raise RefusedError(f"job id {job_id!r} is not YYYY-MM-DD-xxxxxxxx; take one from new_job_id()")


def check_id(job_id: str) -> None:
    """Raise JobNotFoundError for what can be no id: it might name some other document of the store."""
    if not isinstance(job_id, str):
        raise RefusedError(f"{job_id!r} is no job's id; an id is text, as `chimera jobs list` shows it")
    if not _can_be_an_id(job_id):
        raise JobNotFoundError(job_id)


def _can_be_an_id(job_id: str) -> bool:
    """As Firestore has it (firebase.google.com/docs/firestore/quotas): another program may take any such name."""
    size = len(job_id.encode(errors="surrogatepass"))
    reserved = job_id in (".", "..") or (job_id.startswith("__") and job_id.endswith("__"))
    return 0 < size <= _MAX_ID_BYTES and "/" not in job_id and not reserved and job_id == storable(job_id)


class Watch:
    """One thread that hands records to a callback until it is closed; made by `JobLog.watch`.

    `changes` is given an event that is set on close, and yields what stands and then what has changed; it may
    repeat itself, and is begun anew after an error.
    """

    def __init__(self, callback: Callback, changes: Changes, limit: int) -> None:
        self._callback, self._changes, self._limit = callback, changes, limit
        self._known: dict[str, Entry] | None = None
        self._closed = threading.Event()
        self._calling = threading.RLock()
        self._thread = threading.Thread(target=self._run, name="job-log-watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the watch; may be repeated, and from within the callback.

        No call begins after this returns: it waits for one that is under way, so that one must not wait for the
        caller in turn.
        """
        self._closed.set()
        with self._calling:
            pass

    @property
    def is_open(self) -> bool:
        return not self._closed.is_set()

    def join(self, timeout: float = 2.0) -> bool:
        """Wait until the thread of a closed watch has let go of the store; False if it has not in that time."""
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        pause = 0.5
        while not self._closed.is_set():
            try:
                with contextlib.closing(self._changes(self._closed)) as batches:
                    for batch in batches:
                        pause = 0.5
                        self._tell(batch)
            except Exception as e:  # noqa: BLE001 - whatever it is, the viewer must not stand still in silence
                explained = isinstance(e, ChimeraError)  # its message is enough
                _log.warning(
                    "the watch of the job log begins again in %.1f s: %s", pause, e, exc_info=not explained
                )
                self._closed.wait(pause)
                pause = min(2 * pause, 30)

    def _tell(self, batch: Entries) -> None:
        """Call back with what is not known yet; the first time in any case."""
        known = self._known or {}
        fresh = [record for record in batch if known.get(record.job_id) != record]
        fresh.sort(key=_age, reverse=True)
        with self._calling:
            if self._closed.is_set() or not (fresh or self._known is None):
                return
            newest = sorted((known | {r.job_id: r for r in fresh}).values(), key=_age)[-self._limit :]
            self._known = {record.job_id: record for record in newest}
            try:
                self._callback(tuple(fresh))
            except Exception:  # noqa: BLE001 - it is another's code, and is logged
                _log.exception("the callback of a job log's watch failed; the watch goes on")


def _age(record: Entry) -> tuple[str, str]:
    return record.created_at, record.job_id
