"""Tell others that a job has ended: a web hook, and by e-mail, where the settings name them.

Whoever brings a job's record to its end tells of it, whether anybody has a page open or not: the job's own process, or
who looks at it next. The record says who does (`announcedBy`), so that of several one does. What cannot be told is in
the job's log, and is not tried again.
"""

from __future__ import annotations

import json
import logging
import secrets
import smtplib
import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit

from chimera_nb.jobs.log.protocol import JobLog, RecordPage
from chimera_nb.jobs.log.query import Query
from chimera_nb.jobs.log.watch import Callback, Watch
from chimera_nb.jobs.record import JobRecord
from chimera_nb.jobs.standing import file_counts, lines_of, unit_of
from chimera_nb.jobs.transitions import Change
from chimera_nb.notices import Notices
from chimera_nb.units import plural
from pipeline.errors import JobLogError

_SECONDS = 10.0  # for one hook or mail server
_log = logging.getLogger(__name__)


class AnnouncingLog(JobLog):
    """A job log that tells of each job that ends through it."""

    def __init__(self, log: JobLog, notices: Notices) -> None:
        self._log, self._notices = log, notices

    def create(self, record: JobRecord) -> None:
        self._log.create(record)

    def get(self, job_id: str) -> JobRecord:
        return self._log.get(job_id)

    def update(self, job_id: str, change: Change) -> JobRecord:
        record = self._log.update(job_id, change)
        if change.status is None or not record.status.is_final or record.announced_by is not None:
            return record
        mark = secrets.token_hex(8)
        try:
            record = self._log.update(job_id, Change(announced_by=mark))
            if record.announced_by != mark:
                return record  # somebody else does
            faults = announce(record, self._notices)
            return self._log.update(job_id, Change(logs=faults)) if faults else record
        except JobLogError as e:  # the job has ended, whether it can be told or not
            _log.warning("job %s: its end is not told: %s", job_id, e)
            return record

    def page(self, query: Query) -> RecordPage:
        return self._log.page(query)

    def count(self, query: Query) -> int | None:
        return self._log.count(query)

    def watch(self, callback: Callback, *, job_id: str | None = None, limit: int = 100) -> Watch:
        return self._log.watch(callback, job_id=job_id, limit=limit)

    def close(self) -> None:
        self._log.close()


@dataclass(frozen=True)
class Announcement:
    """What is told of a job that has ended."""

    subject: str
    text: str
    fields: Mapping[str, Any]


def announcement(record: JobRecord, page: str | None) -> Announcement:
    """The words and fields for a job; `page` is the dashboard's address, if there is one."""
    counts, lines = file_counts(record), lines_of(record)
    target = record.target
    url = f"{page.rstrip('/')}/?job={record.job_id}" if page else None
    named = record.name or record.job_id
    told = [f"Job {named} is {record.status_word}."]
    if record.error:
        told.append(record.error)
    told.append(f"{plural(counts.done, 'file')}, {counts.failed:,} of them failed.")
    if lines is not None:
        told.append(f"{plural(lines, unit_of(record))} at {target}")
    told += [url] if url else []
    fields = {
        "jobId": record.job_id,
        "name": record.name,
        "status": record.status.value,
        "word": record.status_word,
        "createdBy": record.created_by,
        "finishedAt": record.finished_at,
        "files": counts.done,
        "failed": counts.failed,
        "lines": lines,
        "target": target,
        "error": record.error,
        "url": url,
        "text": told[0],
    }
    return Announcement(f"{named}: {record.status_word}", "\n".join(told) + "\n", fields)


def announce(record: JobRecord, notices: Notices) -> tuple[str, ...]:
    """Tell all that the settings name; a warning for the job's log for each that could not be told. Raises nothing."""
    told = announcement(record, notices.page)
    faults = []
    for what, where, tell in (("web hook", notices.webhook, _post), ("e-mail", notices.mail, _mail)):
        if not where:
            continue
        try:
            tell(told, notices)
        except (OSError, smtplib.SMTPException, ValueError) as e:
            # Neither address nor password: an address of a hook is often a secret itself.
            faults.append(f"WARNING: its end could not be told by {what} ({type(e).__name__}: {e})")
    return tuple(faults)


def _post(told: Announcement, notices: Notices) -> None:
    request = urllib.request.Request(  # noqa: S310 - the settings take http and https alone
        str(notices.webhook),
        json.dumps(told.fields).encode(),
        {"Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=_SECONDS):  # noqa: S310 - as above
        pass


def _mail(told: Announcement, notices: Notices) -> None:
    server = urlsplit(str(notices.mail))
    message = EmailMessage()
    message["Subject"] = " ".join(told.subject.split())
    message["From"] = notices.mail_from or f"chimera@{server.hostname}"
    message["To"] = ", ".join(notices.mail_to)
    message.set_content(told.text)
    safe = server.scheme == "smtps"
    context = ssl.create_default_context()
    host, port = str(server.hostname), server.port or (465 if safe else 25)
    connection = (
        smtplib.SMTP_SSL(host, port, timeout=_SECONDS, context=context)
        if safe
        else smtplib.SMTP(host, port, timeout=_SECONDS)
    )
    with connection:
        if not safe and connection.has_extn("starttls"):
            connection.starttls(context=context)
        if server.username:
            connection.login(unquote(server.username), unquote(server.password or ""))
        connection.send_message(message)
