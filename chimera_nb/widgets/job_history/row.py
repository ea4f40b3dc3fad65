"""One job of the list, as the front end shows it."""

from __future__ import annotations

from datetime import datetime

from chimera_nb.jobs.log.entries import Entry, UnreadableRecord
from chimera_nb.jobs.record import JobRecord
from chimera_nb.jobs.standing import file_counts, fraction_done, lines_of, unit_of
from chimera_nb.widgets.job_history.messages import JobRow
from pipeline.uri import join_uri

UNREADABLE = "unreadable"
_ERROR_CHARS = 500


class Row(JobRow):
    """A row made of a record."""

    @classmethod
    def of(cls, record: Entry) -> Row:
        if isinstance(record, UnreadableRecord):
            return cls(
                record.job_id,
                UNREADABLE,
                UNREADABLE,
                UNREADABLE,
                record.created_at,
                record.problem[:_ERROR_CHARS],
            )
        files = file_counts(record)
        path = record.selected_paths[0] if record.selected_paths else ""
        return cls(
            id=record.job_id,
            status=record.status.value,
            shade=record.shade,
            word=record.status_word,
            name=record.name or "",
            tags=record.tags,
            source=record.source_type,
            runner=record.runner,
            reads=join_uri(record.source_bucket, path),
            others=max(0, record.selected_paths_total - 1),
            target=join_uri(record.target_bucket, record.output_prefix),
            by=record.created_by or "",
            created=record.created_at,
            started=record.started_at,
            finished=record.finished_at,
            updated=record.updated_at,
            seconds=_seconds(record),
            listed=files.listed,
            done=files.done,
            failed=files.failed,
            skipped=files.skipped,
            fraction=fraction_done(record),
            lines=lines_of(record),
            unit=unit_of(record),
            raw=_whole(record.progress.get("rawBytes")),
            error=(record.error or "")[:_ERROR_CHARS],
        )

    @property
    def age(self) -> tuple[str, str]:
        return self.created, self.id


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) else None


def _seconds(record: JobRecord) -> float | None:
    """How long the job ran, or has run so far by its own count."""
    if record.started_at and record.finished_at:
        took = datetime.fromisoformat(record.finished_at) - datetime.fromisoformat(record.started_at)
        return max(0.0, took.total_seconds())
    return record.progress.get("seconds") if record.started_at else None
