"""Who is on record for a job that a widget submits."""

from __future__ import annotations

import getpass

import pytest

from chimera_nb.settings import Settings
from chimera_nb.widgets import service


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
