from __future__ import annotations

import inspect
import os
from pathlib import Path

import pytest

from chimera_nb.environment import job_environment
from chimera_nb.local import stack
from chimera_nb.local.stack import Stack
from chimera_nb.session import Session, connect
from chimera_nb.settings import Settings
from pipeline.errors import StackError
from pipeline.storage import Cloud


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """One that says nothing, and that nobody changes."""
    for name in [*os.environ]:
        if name.startswith(
            ("CHIMERA_", "GOOGLE_", "GCE_", "CLOUDSDK", "STORAGE_EMULATOR", "FIRESTORE_EMULATOR")
        ):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def running(monkeypatch) -> list[Stack]:
    """The stacks that run."""
    stacks: list[Stack] = []

    def find(data_dir: Path | None = None) -> Stack | None:
        named = data_dir or os.environ.get("CHIMERA_DATA_DIR")
        return next((s for s in stacks if named is None or s.data_dir == Path(named)), None)

    monkeypatch.setattr(stack, "find", find)
    return stacks


def one(folder: str, port: int) -> Stack:
    return Stack(Path(folder), f"http://localhost:{port}", f"http://localhost:{port + 1}", 1, "2026-01-01")


def endpoint(session: Session) -> str | None:
    return session.store.cloud.endpoint


@pytest.mark.usefixtures("running")
def test_without_a_stack_one_line_says_how_to_start_it():
    with pytest.raises(StackError) as caught:
        connect(["gs://b/x"])
    assert str(caught.value).count("\n") == 0
    assert str(caught.value).startswith("gs://b/x: no local stack runs; start one with `chimera up --detach`")


def test_a_stack_that_runs_is_found(running):
    running.append(one("/data", 7000))
    session = connect(["gs://b/x"])
    assert session.settings.data_dir == Path("/data")
    assert session.settings.dataflow_endpoint == "http://localhost:7001"
    assert session.store.cloud == Cloud("http://localhost:7000", google=False)
    assert session.settings.job_store.cloud == session.store.cloud


def test_a_stack_that_was_started_again_is_found_again(running):
    running[:] = [one("/data", 7000)]
    session = connect(["gs://b/x"])
    running[:] = [one("/data", 8000)]
    assert session.store_for("gs://b/x").cloud.endpoint == endpoint(session) == "http://localhost:8000"
    running[:] = [one("/other", 9000)]
    assert session.refresh(["gs://b/x"]).data_dir == Path("/other")
    assert endpoint(session) == "http://localhost:9000"
    running.clear()
    with pytest.raises(StackError, match="no local stack runs"):
        session.store_for("gs://b/x")


def test_a_stack_that_goes_on_is_not_left_for_another(running):
    running[:] = [one("/data", 7000)]
    session = connect(["gs://b/x"])
    running.insert(0, one("/other", 9000))
    assert session.refresh(["gs://b/x"]).data_dir == Path("/data")


def test_what_the_user_has_set_stands(running, monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://mine:1")
    assert endpoint(connect(["gs://b/x"])) == "http://mine:1"
    running.append(one("/data", 7000))
    session = connect(["gs://b/x"])
    session.refresh(["gs://b/x"])
    assert endpoint(session) == "http://mine:1"
    assert session.settings.dataflow_endpoint == "http://localhost:7001"
    running[:] = [one("/data", 8000)]
    monkeypatch.setenv("CHIMERA_DATA_DIR", "/elsewhere")
    assert connect(["gs://b/x"]).settings.data_dir == Path("/elsewhere")


def test_a_session_of_the_environment_follows_it_to_the_cloud(running, monkeypatch):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/key.json")
    running.append(one("/data", 7000))
    session = connect(["gs://b/x"])
    assert job_environment(session.settings)["GOOGLE_APPLICATION_CREDENTIALS"] == ""
    assert os.environ["GOOGLE_APPLICATION_CREDENTIALS"] == "/key.json"
    monkeypatch.setenv("CHIMERA_PLACE", "cloud")
    monkeypatch.setenv("CHIMERA_PROJECT", "p")
    assert session.refresh(["gs://b/x"]).place == "cloud"
    assert session.store.cloud == Cloud()
    made = job_environment(session.settings)
    assert made["GOOGLE_APPLICATION_CREDENTIALS"] == "/key.json"
    assert "STORAGE_EMULATOR_HOST" not in made


def test_local_files_need_no_stack(monkeypatch):
    monkeypatch.setattr(stack, "find", lambda *_: pytest.fail("a stack was looked for"))
    assert not Session().store_for("/a/file", "relative").cloud.is_there


def test_two_sessions_do_not_know_of_each_other(running):
    running[:] = [one("/a", 7000), one("/b", 8000)]
    before = dict(os.environ)
    first = connect(["gs://b/x"], settings=Settings(data_dir=Path("/a"), read_buckets=("history",)))
    second = connect(["gs://b/x"], data_dir=Path("/b"))
    assert [endpoint(first), endpoint(second)] == ["http://localhost:7000", "http://localhost:8000"]
    assert [first.store.access.is_limited, second.store.access.is_limited] == [True, False]
    assert dict(os.environ) == before


# What a job's process is given


def test_a_job_is_given_the_settings_of_its_session_whatever_the_environment_says(running, monkeypatch):
    running[:] = [one("/a", 7000)]
    monkeypatch.setenv("CHIMERA_READ_BUCKETS", "others")
    monkeypatch.setenv("CHIMERA_DATAFLOW_ENDPOINT", "http://localhost:1")
    monkeypatch.setenv("CHIMERA_TEMP_LOCATION", "gs://others/temp")
    monkeypatch.setenv("SOMETHING_ELSE", "stays")
    session = connect(["gs://b/x"], settings=Settings(data_dir=Path("/a"), patience=3))
    made = job_environment(session.settings)
    assert not {"CHIMERA_READ_BUCKETS", "CHIMERA_TEMP_LOCATION"} & made.keys()
    assert made["CHIMERA_DATAFLOW_ENDPOINT"] == "http://localhost:7001"
    assert made["GCE_METADATA_HOST"] == "localhost:7001"
    assert made["STORAGE_EMULATOR_HOST"] == "http://localhost:7000"
    assert (made["CHIMERA_DATA_DIR"], made["CHIMERA_PATIENCE"]) == ("/a", "3")
    assert made["SOMETHING_ELSE"] == "stays"


# Whatever reads, runs or shows takes one


def test_every_widget_and_function_takes_a_session():
    from chimera_nb import peek, read_output, sample, widgets
    from chimera_nb.data import preview, proof

    shown = [getattr(widgets, name) for name in widgets.__all__]
    for taker in (*shown, peek, sample, read_output, preview.preview, proof.verify, proof.extract):
        assert "Session | None" in str(inspect.signature(taker).parameters["session"].annotation), taker


def test_a_dashboard_hands_one_session_to_all_of_its_widgets():
    from chimera_nb.widgets import Dashboard

    session = Session()
    made = Dashboard(session=session)
    widgets = (made.steps, made.browser, made.preview, made.form, made.history, made.monitor)
    assert {id(widget._session) for widget in widgets} == {id(session)}
    own = Dashboard()
    assert own.browser._session is own.monitor._session
    assert own.browser._session is not session
