"""A job that would come to more than its budget is refused, or cancelled while it runs, and says so."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

import chimera_nb as ch
from chimera_nb.cli import app
from pipeline.errors import RefusedError
from pipeline.storage import PlainStore
from pipeline.target.lifecycle import read_summary

STORE = PlainStore()

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def inputs(tmp_path, monkeypatch):
    monkeypatch.setenv("CHIMERA_DATA_DIR", str(tmp_path / "data"))
    for n in range(400):
        STORE.write_bytes(f"{tmp_path}/in/{n:03}.json", b'{"n": %d}\n' % n)
    return f"{tmp_path}/in/"


@pytest.mark.starts  # a job that is forked is through before its budget is looked at
def test_a_job_is_refused_or_cancelled_for_its_budget_and_else_has_forecast_and_actual(inputs, tmp_path):
    target = f"{tmp_path}/out"
    with ch.connect() as session:
        with pytest.raises(
            RefusedError, match=r"it would take about .* worker-hours, and the budget is 0\.0001"
        ):
            ch.submit(inputs, target, budget="0.0001h", session=session)
        assert not list(STORE.list_objects(target))

        # As one that was foretold too little: nobody looks at it, its own process sees to it.
        record = session.service.submit([inputs], target, budget="0.000001h")
        ended = session.service.wait(record.job_id)
        assert ended.status == "cancelled"
        assert any(
            "cancelled for its budget: the budget of 1e-06 worker-hours is spent" in line
            for line in ended.logs
        )
        assert read_summary(STORE, target) is None
        shown = CliRunner().invoke(
            app, ["submit", inputs, "--target", target, "--dry-run", "--budget", "0.0001h"]
        )
        assert "the budget is 0.0001 worker-hours" in shown.output

        job = ch.submit(inputs, target, budget="9h", session=session).wait(progress=False)
        assert job.status == "complete"
        shown = CliRunner().invoke(app, ["jobs", "show", job.id, "--json"])
        told = json.loads(shown.output)
        assert (told["forecast"]["files"], told["actual"]["files"]) == (400, 400)
        assert told["forecast"]["rawBytes"] == pytest.approx(told["actual"]["rawBytes"], rel=0.1)
        assert told["actual"]["coreSeconds"] > 0
        assert "core-seconds, came to" in CliRunner().invoke(app, ["jobs", "show", job.id]).output
