from __future__ import annotations

import os
from pathlib import Path

import pytest

from chimera_nb import connect as connecting
from chimera_nb.connect import connect, settings_for
from chimera_nb.local import stack
from chimera_nb.local.stack import Stack
from pipeline.errors import StackError


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """One that says nothing, given back afterwards."""
    before = dict(os.environ)
    for name in [*before]:
        if name.startswith(("CHIMERA_", "GOOGLE_", "GCE_", "STORAGE_EMULATOR")):
            del os.environ[name]
    monkeypatch.setattr(connecting, "_led", connecting._Led({}, {}))
    monkeypatch.chdir(tmp_path)
    yield
    os.environ.clear()
    os.environ.update(before)


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


@pytest.mark.usefixtures("running")
def test_without_a_stack_one_line_says_how_to_start_it():
    with pytest.raises(StackError) as caught:
        connect(["gs://b/x"])
    assert str(caught.value).count("\n") == 0
    assert str(caught.value).startswith("gs://b/x: no local stack runs; start one with `chimera up --detach`")


def test_a_stack_that_runs_is_found(running):
    running.append(one("/data", 7000))
    settings = connect(["gs://b/x"])
    assert settings.data_dir == Path("/data")
    assert os.environ["STORAGE_EMULATOR_HOST"] == "http://localhost:7000"


def test_a_stack_that_was_started_again_is_found_again(running):
    running[:] = [one("/data", 7000)]
    connect(["gs://b/x"])
    running[:] = [one("/data", 8000)]
    connect(["gs://b/x"])
    assert os.environ["STORAGE_EMULATOR_HOST"] == "http://localhost:8000"
    running[:] = [one("/other", 9000)]
    assert connect(["gs://b/x"]).data_dir == Path("/other")
    assert os.environ["STORAGE_EMULATOR_HOST"] == "http://localhost:9000"
    running.clear()
    with pytest.raises(StackError, match="no local stack runs"):
        connect(["gs://b/x"])


def test_what_the_user_has_set_stands(running):
    os.environ["STORAGE_EMULATOR_HOST"] = "http://mine:1"
    connect(["gs://b/x"])
    running.append(one("/data", 7000))
    connect(["gs://b/x"])
    connect(["gs://b/x"])
    assert os.environ["STORAGE_EMULATOR_HOST"] == "http://mine:1"
    running[:] = [one("/data", 8000)]
    os.environ["CHIMERA_DATA_DIR"] = "/elsewhere"
    assert connect(["gs://b/x"]).data_dir == Path("/elsewhere")


def test_going_to_the_cloud_gives_back_what_led_to_the_stack(running):
    os.environ["GOOGLE_APPLICATION_CREDENTIALS"] = "/key.json"
    running.append(one("/data", 7000))
    connect(["gs://b/x"])
    running[:] = [one("/data", 8000)]
    connect(["gs://b/x"])
    assert os.environ["GOOGLE_APPLICATION_CREDENTIALS"] != "/key.json"
    os.environ |= {"CHIMERA_PLACE": "cloud", "CHIMERA_PROJECT": "p"}
    assert connect(["gs://b/x"]).place == "cloud"
    assert os.environ["GOOGLE_APPLICATION_CREDENTIALS"] == "/key.json"
    assert "STORAGE_EMULATOR_HOST" not in os.environ


def test_local_files_need_no_stack_and_change_nothing(running):
    running.append(one("/data", 7000))
    before = dict(os.environ)
    settings_for(["/a/file", "relative"])
    assert dict(os.environ) == before
