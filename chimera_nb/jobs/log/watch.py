"""Watch: one thread that tells a callback of what is new in a job log."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Generator

from chimera_nb.jobs.log.entries import Entries, Entry
from pipeline.errors import ChimeraError

_log = logging.getLogger(__name__)

Callback = Callable[[Entries], object]
Changes = Callable[[threading.Event], Generator[Entries, None, None]]


class Watch:
    """One thread that hands records to a callback until it is closed; made by `JobLog.watch`.

    `changes` takes an event, which is set on close, and yields all entries first and changed ones later. It may yield
    an entry again, and is called again after an error.
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

        Waits for a call that is under way, and none begins after it has returned. A callback must not wait for whoever
        closes the watch.
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
