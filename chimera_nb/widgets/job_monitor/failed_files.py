"""The failed files of the job on screen, as the page asks for them: by cause, a part of them, or all as a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from chimera_nb.data.table.query import TableQuery
from chimera_nb.data.table.save import Spreadsheet
from chimera_nb.data.table.source import HeldRecords
from chimera_nb.jobs.failures import Failures, Outlook
from chimera_nb.jobs.limits import storable
from chimera_nb.jobs.record import JobRecord
from chimera_nb.widgets.job_monitor import messages, states
from pipeline.errors import RefusedError
from pipeline.storage import Store
from pipeline.target.results import check_still_of, ledger_records

AT_ONCE = 100  # files in one answer
CAUSES_SHOWN = 50


def shown(failures: Failures, known: Outlook | None) -> states.Failures:
    """Failures as the page has them; without an outlook as long as it is not known."""
    causes = tuple(
        states.Cause(storable(cause.text), cause.files, storable(cause.first))
        for cause in failures.causes[:CAUSES_SHOWN]
    )
    return states.Failures(
        causes,
        failures.total,
        len(failures.files),
        len(known.can) if known else 0,
        storable(known.text) if known else "",
    )


def answer(failures: Failures, request: messages.FailedFiles) -> messages.FailedFilesMessage:
    """The files that are asked for."""
    found = list(failures.found(request.cause if request.cause >= 0 else None, request.text.strip()))
    begin = max(0, request.begin)
    rows = tuple(
        messages.Failure(storable(one.uri), storable(one.reason)) for one in found[begin : begin + AT_ONCE]
    )
    return messages.FailedFilesMessage(request.view, request.cause, request.text, begin, rows, len(found))


class FailureList:
    """All failed files with their reasons as CSV, straight from the ledger: also those that no page could show."""

    def __init__(self, store: Store, record: JobRecord, is_wanted: Callable[[], bool]) -> None:
        self._store, self._record, self._is_wanted = store, record, is_wanted
        self._count = 0

    def chunks(self) -> Iterator[bytes]:
        target = self._record.target
        check_still_of(self._store, target, self._record.job_id)
        failed = ledger_records(self._store, target, status="failed", job_id=self._record.job_id)
        while some := list(islice(failed, 10_000)):
            if not self._is_wanted():
                raise RefusedError("saving was stopped")
            rows = [
                {
                    "file": each.uri,
                    "reason": each.error or "",
                    "bytes_read": each.size,
                    "codec": each.codec or "",
                }
                for each in some
            ]
            data = b"".join(Spreadsheet(HeldRecords(rows), TableQuery(), "csv").chunks())
            yield data if not self._count else data.partition(b"\r\n")[2]
            self._count += len(some)

    def told(self) -> str:
        return f"{self._count:,} {'file' if self._count == 1 else 'files'}"
