"""The run of all tests: what failed is run once more, and what fails again has failed."""

from __future__ import annotations

import json

import pytest

from tests import suite

TESTS = """
from pathlib import Path

def test_unsteady():
    seen = Path(__file__).with_name("seen")
    if not seen.exists():
        seen.touch()
        raise AssertionError

def test_bad():
    raise AssertionError

def test_good():
    pass
"""


@pytest.fixture
def tests(tmp_path, monkeypatch):
    path = tmp_path / "test_it.py"
    path.write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]")
    monkeypatch.chdir(tmp_path)
    return path.name


def test_one_that_passes_alone_is_named_and_one_that_fails_again_has_failed(tests, tmp_path, capfd):
    (tmp_path / "seen").touch()
    assert suite.once_more([f"{tests}::test_unsteady"]) == 0
    assert (
        f"unsteady, and to be mended: {tests}::test_unsteady failed beside others" in capfd.readouterr().out
    )
    assert suite.once_more([f"{tests}::test_unsteady", f"{tests}::test_bad"]) == 1
    assert "unsteady" not in capfd.readouterr().out.splitlines()[-1]


def test_many_that_fail_have_failed_and_so_has_a_run_that_names_none(tests, capfd):
    assert suite.once_more([f"{tests}::test_good"] * 6) == 1
    assert suite.once_more([]) == 1
    assert "once more" not in capfd.readouterr().out


def test_what_failed_is_known_by_what_pytest_remembers(tests, tmp_path, monkeypatch):
    memory = tmp_path / "build/tests/units/v/cache"
    memory.mkdir(parents=True)
    assert list(suite.failed_of("units")) == []
    (memory / "lastfailed").write_text(json.dumps({"test_it.py::test_bad": True}))
    assert list(suite.failed_of("units")) == ["test_it.py::test_bad"]
