"""What JobHistory shows: the jobs that pass a filter, as far as they are loaded, newest first. No notebook, no clock.

Jobs come from two sides. Pages are asked for as one scrolls, and go back in time; what is new or has changed is
told by a watch of the job log. It is the log that is searched and filtered; a page of it may have few jobs, or none,
before the last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from chimera_nb.jobs.log.entries import Entry
from chimera_nb.jobs.log.protocol import JobLog
from chimera_nb.jobs.log.query import Query, read_token
from chimera_nb.jobs.record import Status
from chimera_nb.widgets.base.generation import Generation
from chimera_nb.widgets.job_history.filter import Filter
from chimera_nb.widgets.job_history.messages import RowsMessage
from chimera_nb.widgets.job_history.row import UNREADABLE, Row

PAGE = 50
MOST_AT_ONCE = 200  # jobs of a page, and rows of a message, where many are wanted
SEARCHED = 20  # pages of the job log, before a search asks whether it is to go on


@dataclass(frozen=True)
class Request:
    """One page to ask the job log for."""

    generation: int
    filter: Filter
    token: str | None
    limit: int = PAGE

    def run(self, log: JobLog) -> Found:
        """Ask for it, and with the first page how many there are; blocks. Raises JobLogError."""
        asked = self.filter
        query = Query.of(
            statuses=asked.statuses,
            source=None,
            created_after=asked.since,
            created_before=asked.until,
            text=asked.text or None,
            created_by=asked.by,
            limit=self.limit,
            page_token=self.token,
        )
        page = log.page(query)
        total = log.count(query) if page.next_page_token and self.token is None else None
        rows = tuple(Row.of(entry) for entry in page.entries if asked.holds(entry))
        token = page.next_page_token
        created_at, job_id = read_token(token) if token else (None, "")
        return Found(
            self.generation,
            rows,
            token,
            1,
            (created_at, job_id) if created_at else None,
            total,
        )


class Found(NamedTuple):
    """What a request brought: rows, the token of what is older, that it was one page, the oldest job on it, and how
    many jobs there are, of a first page.
    """

    generation: int
    rows: tuple[Row, ...]
    token: str | None
    looked: int
    oldest: tuple[str, str] | None
    total: int | None = None


class History:
    """The list of one widget.

    Attributes: filter; generation (which rises with each filter); rows (by job id, in no order; `before` has those
    of the filter before); total (how many jobs pass, as far as the log could count them); complete (all jobs
    have been looked at); looked (how many pages of them were); loading, failed,
    paused (of a search that waits for a word).
    """

    def __init__(self) -> None:
        self.generation = Generation()
        self.narrow(Filter())

    def narrow(self, criteria: Filter) -> None:
        """Begin anew with another filter."""
        self.filter = criteria
        self.generation.renew()
        # The page shows the rows of before until there are others, and one of them may be opened meanwhile.
        self.before: dict[str, Row] = getattr(self, "rows", {})
        self.rows: dict[str, Row] = {}
        self.complete = self.loading = self.failed = self.paused = False
        self.looked = 0
        self.total: int | None = None
        self._token: str | None = None
        self._oldest: tuple[str, str] | None = None  # what is older comes with its page
        self._early: dict[str, Entry] = {}  # told of while the first page was on its way
        self._room, self._searched_to = PAGE, SEARCHED

    @property
    def fresh(self) -> bool:
        """Whether nothing has been asked for yet."""
        return not (self.looked or self.loading or self.complete or self.failed)

    @property
    def wants_more(self) -> bool:
        """Whether the page that was asked for is not full yet."""
        searching = not self.filter.text or self.looked < self._searched_to
        return len(self.rows) < self._room and searching and not (self.complete or self.failed or self.paused)

    @property
    def is_running(self) -> bool:
        """Whether a job that is not final is shown."""
        return any(row.status in (Status.PENDING, Status.RUNNING) for row in self.rows.values())

    def more(self, to: int = 0) -> None:
        """Let another page be loaded, or so many rows and a page beyond, and a search go on."""
        self.failed = self.paused = False
        self._room = max(self._room, max(len(self.rows), to) + PAGE)
        self._searched_to = max(self._searched_to, self.looked + SEARCHED)

    def request(self) -> Request:
        wanted = self._room - len(self.rows)
        return Request(self.generation.number, self.filter, self._token, min(max(PAGE, wanted), MOST_AT_ONCE))

    def take(self, found: Found) -> tuple[Row, ...]:
        """Take what a request found; the rows that are new or changed, none where the filter has changed since."""
        if self.generation.is_late(found.generation):
            return ()
        self.looked += found.looked
        self._token, self.complete = found.token, found.token is None
        self._oldest = found.oldest or self._oldest
        early, self._early = self._early, {}
        rows = tuple(row for row in found.rows if self._put(row))
        changed, _ = self.changed(early.values())
        self.total = found.total or self.total
        if self.filter.text and not self.complete and self.looked >= self._searched_to:
            self.paused = True
        return (*rows, *changed)

    def changed(self, records: Iterable[Entry]) -> tuple[tuple[Row, ...], tuple[str, ...]]:
        """Show what a watch tells: the rows that are new or other, and the ids of those that no longer pass."""
        if self._oldest is None and not self.complete:
            self._early |= {record.job_id: record for record in records}
            return (), ()
        put, gone = [], []
        for record in records:
            row, known = Row.of(record), record.job_id in self.rows
            loaded = self.complete or (self._oldest is not None and row.age > self._oldest)
            if self.filter.holds(record):
                if (known or loaded) and self._put(row):
                    put.append(row)
                    self._count(not known)
            elif known:
                del self.rows[row.id]
                gone.append(row.id)
                self._count(-1)
        return tuple(put), tuple(gone)

    def _count(self, more: int) -> None:
        self.total = None if self.total is None else self.total + more

    def _put(self, row: Row) -> bool:
        """Keep a row unless what is known of the job is as new."""
        known = self.rows.get(row.id)
        overtaken = known is not None and row.status != UNREADABLE and known.updated > row.updated
        if known == row or overtaken:
            return False
        self.rows[row.id] = row
        return True

    def messages(
        self, rows: Iterable[Row], gone: Iterable[str] = (), *, whole: bool = False
    ) -> Iterator[RowsMessage]:
        """Rows for the front end, which keeps those it has unless this is the `whole` list; many in parts."""
        waiting = tuple(rows)
        while len(waiting) > MOST_AT_ONCE:
            yield self._message(waiting[:MOST_AT_ONCE], (), whole=whole, parts=True)
            waiting = waiting[MOST_AT_ONCE:]
        yield self._message(waiting, tuple(gone), whole=whole, parts=False)

    def _message(
        self, rows: tuple[Row, ...], gone: tuple[str, ...], *, whole: bool, parts: bool
    ) -> RowsMessage:
        return RowsMessage(
            generation=self.generation.number,
            whole=whole,
            parts=parts,
            rows=rows,
            gone=gone,
            total=self.total,
            complete=self.complete,
            loading=self.loading,
            failed=self.failed,
            paused=self.paused,
            looked=self.looked,
            back_to=self._oldest[0] if self._oldest else None,
            filtered=self.filter != Filter(),
            searching=bool(self.filter.text),
        )
