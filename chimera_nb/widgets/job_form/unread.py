"""What of a selection a job will not read, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chimera_nb.jobs.limits import storable
from chimera_nb.units import size
from chimera_nb.widgets.job_form.messages import Unread, UnreadFile

if TYPE_CHECKING:
    from chimera_nb.widgets.job_form.reading import Reading
    from chimera_nb.widgets.job_form.survey import Survey


def unread_text(reading: Reading, why: str) -> tuple[str, str]:
    """What will not be read, in a sentence without its stop, and the same with the reasons; empty where all is read."""
    count = reading.skipped + reading.unmatched
    if not count:
        return "", ""
    of, much = reading.listed + reading.unmatched, size(reading.skipped_bytes + reading.unmatched_bytes)
    said = f"{count:,} of {of:,} file{'' if of == 1 else 's'}"
    reasons = [
        f"{number:,} {reason}" if reading.skipped and reading.unmatched else reason
        for number, reason in ((reading.unmatched, why), (reading.skipped, "held by other files as well"))
        if number
    ]
    return f"{said} will not be read", f"{said} ({much}) will not be read: {', '.join(reasons)}"


def unread_of(survey: Survey, *, every: bool) -> Unread:
    """What the plan shows of it; `every` says whether the job reads every file because that was asked for."""
    reading = survey.reading
    files = tuple(UnreadFile(storable(uri), why) for uri, why in reading.names(survey.why))
    return Unread(unread_text(reading, survey.why)[1], files, reading.skipped + reading.unmatched, every)
