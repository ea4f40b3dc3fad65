"""Who is on record for a job that a widget submits."""

from __future__ import annotations

import contextlib
import getpass

import pytest

from chimera_nb.jobs.log.sqlite import SqliteJobLog
from chimera_nb.settings import Settings
from chimera_nb.widgets.base import service
from tests.fixtures.job_logs import a_record


@pytest.mark.parametrize("visitor", ["ana@example.com", None])
def test_a_job_is_recorded_under_who_asked_for_it(tmp_path, monkeypatch, visitor):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.ndjson").write_text('{"a":1}\n')
    monkeypatch.setattr(service, "current_visitor", lambda: visitor)
    monkeypatch.setattr(service, "_services", {})
    jobs = service.open_service(Settings(data_dir=tmp_path / "data"))
    record = jobs.submit([str(tmp_path / "in")], str(tmp_path / "out"))
    assert jobs.wait(record.job_id).created_by == (visitor or getpass.getuser())
    again = service.open_service(Settings(data_dir=tmp_path / "data"))
    assert again is jobs  # one for all the widgets of a kernel
    jobs.log.close()


def test_a_log_that_is_open_is_shown_on_when_its_file_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(service, "_services", {})
    monkeypatch.delenv("CHIMERA_PLACE", raising=False)
    given = Settings(data_dir=tmp_path / "data")
    (tmp_path / "data").mkdir()
    with contextlib.closing(SqliteJobLog(tmp_path / "data" / "jobs.sqlite")) as log:
        log.create(record := a_record())
    jobs = service.service_for(given)
    assert jobs.log.list().records == (record,)
    for file in (tmp_path / "data").iterdir():
        file.unlink()
    assert service.service_for(given) is jobs
    assert jobs.log.list().records == (record,)
    jobs.log.close()
