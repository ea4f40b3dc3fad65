"""Which jobs the list shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chimera_nb.jobs.log.entries import Entry, UnreadableRecord
from chimera_nb.jobs.log.query import search_text
from chimera_nb.jobs.record import Status, timestamp
from pipeline.errors import RefusedError

TEXT_CHARS = 500


@dataclass(frozen=True)
class Filter:
    """Which jobs are shown: with one of these statuses, if there are any; made from `since` on and before `until`
    (RFC 3339, UTC, as records have it); with this text in what `search_text` has of it; made by this person.
    """

    statuses: tuple[Status, ...] = ()
    since: str | None = None
    until: str | None = None
    text: str = ""
    by: str | None = None

    @classmethod
    def of(cls, asked: Mapping[str, Any], me: Callable[[], str] = lambda: "") -> Filter:
        """What a front end asks for; `me` is whom `mine` is of. Raises RefusedError for what makes no sense."""
        try:
            statuses = tuple(dict.fromkeys(Status(status) for status in asked.get("statuses") or ()))
        except (ValueError, TypeError) as e:
            known = ", ".join(status.value for status in Status)
            raise RefusedError(f"{asked.get('statuses')!r} are no statuses; there are: {known}") from e
        since, until = _time(asked.get("since")), _time(asked.get("until"))
        if since and until and until <= since:
            raise RefusedError(
                "the last day is before the first, so no job can be found; change one of the dates"
            )
        text = str(asked.get("text") or "").strip().casefold()[:TEXT_CHARS]
        return cls(statuses, since, until, text, me() if asked.get("mine") else None)

    def holds(self, record: Entry) -> bool:
        """Whether a job passes; an unreadable one passes no filter by status."""
        if isinstance(record, UnreadableRecord):
            dated = not (self.since or self.until) or bool(record.created_at)
            text = f"{record.job_id}\n{record.problem}".casefold()
            return (
                not self.statuses
                and self.by is None
                and dated
                and (self.since is None or record.created_at >= self.since)
                and (self.until is None or record.created_at < self.until)
                and self.text in text
            )
        return (
            (not self.statuses or record.status in self.statuses)
            and (self.since is None or record.created_at >= self.since)
            and (self.until is None or record.created_at < self.until)
            and (self.by is None or record.created_by == self.by)
            and (not self.text or self.text in search_text(record))
        )


def _time(text: object) -> str | None:
    if not text:
        return None
    try:
        return timestamp(datetime.fromisoformat(str(text)))
    except (ValueError, OverflowError) as e:
        raise RefusedError(f"{text!r} is no time; write it as 2024-01-19T00:00:00Z") from e
