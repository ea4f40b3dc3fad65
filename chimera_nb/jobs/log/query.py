"""What a job log is asked for, checked alike for every log: statuses, times, a text, a limit, where a page begins."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chimera_nb.arguments import whole_number
from chimera_nb.jobs.log.entries import Entry, UnreadableRecord
from chimera_nb.jobs.log.ids import can_be_an_id
from chimera_nb.jobs.record import Status, timestamp
from pipeline.errors import RefusedError

MAX_LIMIT = 1000

# Where a page begins: after a job's createdAt and jobId. Another program's document may have none, or no text: then
# the log has a name of its own for where it is.
After = tuple[str | None, str]


@dataclass(frozen=True)
class Query:
    """What `JobLog.list` was asked for, checked: times as records have them, text folded, the token read."""

    statuses: tuple[Status, ...]
    source: str | None
    created_after: str | None
    created_before: str | None
    text: str | None
    created_by: str | None
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
        created_by: str | None,
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
            created_by=_text("created_by", created_by),
            limit=checked_limit(limit),
            after=read_token(page_token) if page_token else None,
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether more is asked of a job than its text and who made it."""
        return bool(self.statuses or self.source or self.created_after or self.created_before)

    def takes(self, document: Mapping[str, Any]) -> bool:
        """Whether a job's document has one of the statuses and the source."""
        return (not self.statuses or document.get("status") in self.statuses) and (
            self.source is None or document.get("sourceType") == self.source
        )

    def holds(self, entry: Entry) -> bool:
        """Whether a job is by that person and has that text."""
        by = None if isinstance(entry, UnreadableRecord) else entry.created_by
        return (self.created_by is None or by == self.created_by) and (
            self.text is None or self.text in search_text(entry)
        )


def _statuses(statuses: Iterable[Status | str]) -> tuple[Status, ...]:
    try:
        return tuple(dict.fromkeys(map(Status, [statuses] if isinstance(statuses, str) else statuses)))
    except (TypeError, ValueError) as e:
        raise RefusedError(f"statuses is {statuses!r}; there are: {', '.join(Status)}") from e


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
    dated = isinstance(created_at, str) and isinstance(job_id, str) and can_be_an_id(job_id)
    after = [created_at, job_id] if dated else [None, otherwise]
    return base64.urlsafe_b64encode(json.dumps(after).encode()).decode()


def read_token(token: str) -> After:
    try:
        created_at, job_id = json.loads(base64.urlsafe_b64decode(token))
        if isinstance(created_at, str | None) and isinstance(job_id, str) and can_be_an_id(job_id):
            return created_at, job_id
    except (ValueError, TypeError):
        pass
    raise unknown_token(token)


def unknown_token(token: str) -> RefusedError:
    """For a token of another log, or of a document that is gone."""
    return RefusedError(f"page token {token!r} was not given by this job log; begin again without one")


def _time(when: datetime | str | None) -> str | None:
    if when is None:
        return None
    try:
        return timestamp(when if isinstance(when, datetime) else datetime.fromisoformat(when))
    except (ValueError, TypeError) as e:
        raise RefusedError(f"time {when!r} cannot be read; write it as {timestamp(datetime.now(UTC))}") from e


def search_text(record: Entry) -> str:
    """What `text` is looked for in, case folded: the id, inputs, target, who made it, and what people say of it."""
    if isinstance(record, UnreadableRecord):
        return record.job_id.casefold()
    return searched_text(record.job_id, record.fields())


def searched_text(job_id: str, fields: Mapping[str, Any]) -> str:
    """The same, of a document's fields; those that are missing or odd are left out."""

    def text(name: str) -> str:
        value = fields.get(name)
        return value if isinstance(value, str) else ""

    def texts(name: str) -> list[str]:
        value = fields.get(name)
        return [each for each in value if isinstance(each, str)] if isinstance(value, list | tuple) else []

    source = f"gs://{text('sourceBucket')}/" if text("sourceBucket") else ""
    target = f"gs://{text('targetBucket')}/" if text("targetBucket") else ""
    found_by = [
        job_id,
        *(source + path for path in texts("selectedPaths")),
        target + text("outputPrefix"),
        *filter(None, map(text, ("createdBy", "name", "note"))),
        *texts("tags"),
    ]
    return "\n".join(found_by).casefold()
