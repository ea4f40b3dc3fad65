"""What people say of jobs, and how they find them: by name, note, tag and person, at the log."""

from __future__ import annotations

import json
import sqlite3

import pytest

from chimera_nb.jobs.log.sqlite import SqliteJobLog
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.jobs.service import JobService
from chimera_nb.jobs.transitions import Change
from chimera_nb.settings import Settings
from chimera_nb.widgets.job_history.filter import Filter
from chimera_nb.widgets.job_history.model import History
from pipeline.errors import RefusedError
from pipeline.spec import JobSpec


def made(number, by):
    job_id = f"2026-01-{number % 28 + 1:02d}-{number:08x}"
    spec = JobSpec(inputs=(f"gs://in/{number}/",), target=f"gs://out/{number}", job_id=job_id)
    return JobRecord.from_spec(
        spec,
        runner="direct",
        created_by=by,
        now=f"2026-01-{number % 28 + 1:02d}T{number % 24:02d}:00:00.000Z",
    )


@pytest.fixture
def service(tmp_path):
    service = JobService(Settings(data_dir=tmp_path), user=lambda: "ana@example.com")
    yield service
    service.log.close()


def test_a_job_is_named_noted_and_tagged_at_any_time_and_found_by_it(service):
    for number in range(5):
        service.log.create(made(number, "bob"))
    job_id = made(3, "bob").job_id
    service.log.update(job_id, Change(status=Status.CANCELLED))
    record = service.describe(
        job_id, name="  Boxing   day ", note="two\nlines", tags=["racing", "racing", " "]
    )
    assert (record.name, record.note, record.tags) == ("Boxing day", "two\nlines", ("racing",))
    assert service.get(job_id) == record
    for text in ("BOXING", "lines", "racing"):
        assert [each.job_id for each in service.log.list(text=text).records] == [job_id]
    assert service.describe(job_id, note="").note is None
    assert service.describe(job_id, tags=()).name == "Boxing day"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"name": "x" * 200}, "name has 200 characters, and 120 are kept"),
        ({"note": 5}, "note is 5; give it as text"),
        ({"tags": "abc"}, "give a list of 20 texts"),
        ({"tags": ["x"] * 30}, "give a list of 20 texts"),
    ],
)
def test_what_is_too_long_or_no_text_is_refused(service, said, why):
    service.log.create(made(1, "bob"))
    with pytest.raises(RefusedError, match=why):
        service.describe(made(1, "bob").job_id, **said)


def test_mine_are_those_that_whoever_looks_has_made_however_many_there_are(service):
    for number in range(300):
        service.log.create(made(number, "ana@example.com" if number % 100 == 7 else "bob"))
    model = History()
    model.narrow(Filter.of({"mine": True}, lambda: service.user))
    while model.wants_more:
        model.take(model.request().run(service.log))
    assert sorted(row.by for row in model.rows.values()) == ["ana@example.com"] * 3
    assert model.complete
    assert model.looked == 1  # of pages: the log has looked for them
    put, _ = model.changed([made(400, "bob"), made(407, "ana@example.com")])
    assert [row.by for row in put] == ["ana@example.com"]


def test_jobs_that_an_earlier_version_put_on_record_are_found_by_their_person_too(tmp_path):
    log = SqliteJobLog(tmp_path / "jobs.sqlite")
    log.create(made(1, "Zoë"))
    log.create(made(2, "bob"))
    log.close()
    with sqlite3.connect(tmp_path / "jobs.sqlite") as file:
        file.execute("UPDATE jobs SET search = job_id")
        (text,) = file.execute("SELECT document FROM jobs WHERE search LIKE '%1'").fetchone()
        assert json.loads(text)["createdBy"] == "Zoë"
        file.execute("UPDATE jobs SET document = 'no json' WHERE search LIKE '%2'")
    log = SqliteJobLog(tmp_path / "jobs.sqlite")
    assert [each.job_id for each in log.list(text="zoë").entries] == [made(1, "").job_id]
    assert [each.job_id for each in log.list(created_by="Zoë").entries] == [made(1, "").job_id]
    log.close()
