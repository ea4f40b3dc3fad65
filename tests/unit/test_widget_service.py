"""Who is on record for a job that a widget submits."""

from __future__ import annotations

import contextlib
import getpass

import pytest

from chimera_nb.jobs import requester
from chimera_nb.jobs.log.sqlite import SqliteJobLog
from chimera_nb.session import Session
from chimera_nb.settings import Settings
from tests.fixtures.job_logs import a_record


@pytest.mark.parametrize("visitor", ["ana@example.com", None])
def test_a_job_is_recorded_under_who_asked_for_it(tmp_path, monkeypatch, visitor):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.ndjson").write_text('{"a":1}\n')
    monkeypatch.setattr(requester, "current_requester", lambda: visitor)
    session = Session(Settings(data_dir=tmp_path / "data"))
    jobs = session.service
    record = jobs.submit([str(tmp_path / "in")], str(tmp_path / "out"))
    assert jobs.wait(record.job_id).created_by == (visitor or getpass.getuser())
    assert session.service_for_watching() is jobs  # one for all the widgets that share the session
    session.close()


def test_a_log_that_is_open_is_shown_on_when_its_file_is_removed(tmp_path, monkeypatch):
    monkeypatch.delenv("CHIMERA_PLACE", raising=False)
    given = Settings(data_dir=tmp_path / "data")
    (tmp_path / "data").mkdir()
    with contextlib.closing(SqliteJobLog(tmp_path / "data" / "jobs.sqlite")) as log:
        log.create(record := a_record())
    session = Session(given)
    jobs = session.service_for_watching()
    assert jobs.log.list().records == (record,)
    for file in (tmp_path / "data").iterdir():
        file.unlink()
    assert session.service_for_watching() is jobs
    assert jobs.log.list().records == (record,)
    session.close()
