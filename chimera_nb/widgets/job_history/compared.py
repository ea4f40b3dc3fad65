"""Two jobs of the list side by side, as the page shows them."""

from __future__ import annotations

from chimera_nb.jobs.comparison import compare
from chimera_nb.jobs.limits import storable
from chimera_nb.session import Session
from chimera_nb.widgets.base.visitors import for_visitor
from chimera_nb.widgets.job_history import messages


def compared(session: Session, view: str, one: str, other: str) -> messages.ComparedMessage:
    """What the two jobs of these ids are and came to. Blocks; raises JobLogError, JobNotFoundError."""
    service = session.service_for_watching()
    records = service.log.get(one), service.log.get(other)
    lines = []
    for line in compare(*records, service.store, service.settings):
        left, right = (storable(for_visitor(text)) for text in (line.one, line.other))
        lines.append(messages.ComparedLine(storable(line.name), left, right, line.differs))
    name, other_name = (storable(record.name or record.job_id) for record in records)
    return messages.ComparedMessage(view, name, other_name, tuple(lines), "")
