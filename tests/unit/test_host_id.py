from __future__ import annotations

import pwd
import re
import subprocess
import sys

import pytest

from chimera_nb.machine.host_id import host_id


@pytest.fixture(autouse=True)
def state_folder(tmp_path, monkeypatch):
    """A user whose state folder is there alone, and a process that has asked for no id yet."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    host_id.cache_clear()
    yield tmp_path / "state" / "chimera-nb"
    host_id.cache_clear()


def asked_by_another(data_dir) -> str:
    code = "import pathlib, sys; from chimera_nb.machine.host_id import *; print(host_id(pathlib.Path(sys.argv[1])))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(data_dir)], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_it_is_made_once_for_all_processes_of_a_user_and_nobody_else_reads_it(tmp_path, state_folder):
    found = host_id(tmp_path / "data")
    assert re.fullmatch("[0-9a-f]{32}", found)
    assert asked_by_another(tmp_path / "other data") == found
    assert (state_folder / "host-id").stat().st_mode & 0o777 == 0o600
    assert state_folder.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in state_folder.iterdir()] == ["host-id"]


def test_of_many_that_make_it_at_once_one_wins_and_all_say_the_same(tmp_path, state_folder):
    code = (
        "import sys; from pathlib import Path; from chimera_nb.machine.host_id import host_id\n"
        "print('ready', flush=True); sys.stdin.read(1)\n"
        "print(host_id(Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "data")]
    racers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(12)
    ]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("x")
        racer.stdin.flush()
    said = {racer.communicate()[0] for racer in racers}
    assert len(said) == 1
    assert [path.name for path in state_folder.iterdir()] == ["host-id"]


def test_where_no_state_can_be_kept_it_is_in_the_data_folder(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    found = host_id(tmp_path / "data")
    assert asked_by_another(tmp_path / "data") == found
    assert (tmp_path / "data" / "host-id").read_text().strip() == found


def test_where_nothing_can_be_written_each_process_has_its_own(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    found = host_id(tmp_path / "file" / "data")
    assert re.fullmatch("[0-9a-f]{32}", found)
    host_id.cache_clear()
    assert host_id(tmp_path / "file" / "data") == found
    assert asked_by_another(tmp_path / "file" / "data") != found


def test_a_user_without_a_home_has_one_in_the_data_folder(tmp_path, monkeypatch):
    for name in ("XDG_STATE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)

    def nobody(number):
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    assert host_id(tmp_path / "data") == (tmp_path / "data" / "host-id").read_text().strip()


@pytest.mark.parametrize("content", ["", "half an i", "\xff" * 32])
def test_a_file_that_holds_no_id_is_replaced(tmp_path, state_folder, content):
    state_folder.mkdir(parents=True)
    (state_folder / "host-id").write_text(content, "latin-1")
    assert asked_by_another(tmp_path / "data") == host_id(tmp_path / "data")
    assert (state_folder / "host-id").read_text().strip() == host_id(tmp_path / "data")
