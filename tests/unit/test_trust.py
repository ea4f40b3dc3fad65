"""What is found by looking upward may steer nothing where somebody else can write it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest

from chimera_nb.local import stack
from chimera_nb.local.state import Record
from chimera_nb.machine.process_id import ProcessId
from chimera_nb.machine.trust import check_trusted
from chimera_nb.session import connect
from chimera_nb.settings import load_settings
from pipeline.errors import UntrustedError

NOBODY = 65534
OPEN = "http://localhost:1"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch, tmp_path):
    before = dict(os.environ)
    for name in before:
        if name.startswith(("CHIMERA_", "STORAGE_EMULATOR")):
            del os.environ[name]
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def shared(tmp_path, monkeypatch):
    """A folder as /tmp is, and a user's own below it, where they work."""
    folder = tmp_path / "shared"
    (folder / "mine").mkdir(parents=True)
    folder.chmod(0o1777)
    monkeypatch.chdir(folder / "mine")
    return folder


@pytest.fixture
def anothers(monkeypatch):
    """Makes a file or folder another user's. Who is not root becomes another one instead."""

    def give(path):
        if os.geteuid() == 0:
            os.chown(path, NOBODY, NOBODY)
        else:
            monkeypatch.setattr(os, "geteuid", lambda: NOBODY)

    return give


def record(data_dir, storage=OPEN, dataflow="http://localhost:2", pid=None):
    data_dir.mkdir(mode=0o700, exist_ok=True)
    Record(ProcessId.of(pid or os.getpid()), storage, dataflow, "then").write(data_dir)
    return data_dir / "stack.json"


def test_configuration_of_ones_own_is_used(shared):
    (shared / "mine" / "chimera.toml").write_text('project = "p"')
    assert load_settings().project == "p"


def test_a_planted_configuration_is_refused_with_its_owner_and_the_way_out(shared, anothers, monkeypatch):
    planted = shared / "chimera.toml"
    planted.write_text('place = "cloud"\nproject = "theirs"')
    anothers(planted)
    with pytest.raises(UntrustedError) as caught:
        load_settings()
    said = str(caught.value)
    assert said.startswith(f"{planted} is not used: it belongs to ")
    assert f"CHIMERA_CONFIG={planted}" in said
    assert "\n" not in said
    monkeypatch.setenv("CHIMERA_CONFIG", str(planted))  # who names it has looked at it
    assert load_settings().project == "theirs"


@pytest.mark.parametrize("mode", [0o666, 0o646, 0o622])
def test_a_configuration_that_all_may_write_is_refused(shared, mode):
    path = shared / "mine" / "chimera.toml"
    path.write_text('project = "p"')
    path.chmod(mode)
    with pytest.raises(UntrustedError, match="everybody may write it"):
        load_settings()


def test_a_file_in_a_folder_whose_entries_all_may_exchange_is_refused(shared):
    path = shared / "mine" / "chimera.toml"
    path.write_text('project = "p"')
    shared.chmod(0o777)  # and not sticky: "mine" may be another folder in a moment
    with pytest.raises(UntrustedError, match=rf"for {shared}\): .*everybody may write it"):
        load_settings()


def test_a_link_that_another_put_there_is_refused(shared, tmp_path, anothers):
    mine = tmp_path / "elsewhere.toml"
    mine.write_text('project = "p"')
    link = shared / "chimera.toml"
    link.symlink_to(mine)
    assert load_settings().project == "p"
    if os.geteuid() != 0:
        pytest.skip("only root can give a link to another")
    os.chown(link, NOBODY, NOBODY, follow_symlinks=False)
    with pytest.raises(UntrustedError, match="belongs to nobody"):
        load_settings()


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file to another group")
def test_a_group_may_write_only_if_it_is_ones_own(shared):
    path = shared / "mine" / "chimera.toml"
    path.write_text('project = "p"')
    path.chmod(0o664)
    assert load_settings().project == "p"  # root's group has root in it, as with umask 002 each user's has
    os.chown(path, 0, NOBODY)
    with pytest.raises(UntrustedError, match="its group may write it"):
        load_settings()


def test_a_planted_data_folder_is_no_place_for_jobs(shared, anothers, monkeypatch):
    (shared / ".chimera").mkdir()
    anothers(shared / ".chimera")
    with pytest.raises(UntrustedError, match=r"--data-dir or CHIMERA_DATA_DIR"):
        _ = load_settings().folder
    monkeypatch.setenv("CHIMERA_DATA_DIR", str(shared / "mine" / "data"))
    assert load_settings().folder == shared / "mine" / "data"


def test_a_planted_stack_leads_nobody_astray(shared, anothers):
    planted = record(shared / ".chimera")
    anothers(planted)
    for call in (
        stack.find,
        lambda: stack.find(shared / ".chimera"),
        lambda: stack.stop(shared / ".chimera"),
        lambda: connect(["gs://b/x"]),
        lambda: connect(["gs://b/x"], data_dir=shared / ".chimera"),
    ):
        with pytest.raises(UntrustedError, match=r"is not used.* belongs to "):
            call()
    assert "STORAGE_EMULATOR_HOST" not in os.environ


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://evil.example:80",
        "https://storage.googleapis.com",
        "http://localhost:1@evil.example",
        "http://10.0.0.1:1",
        "",
    ],
)
@pytest.mark.parametrize("which", ["storage", "dataflow"])
def test_a_stack_that_is_said_to_be_elsewhere_is_none(tmp_path, which, endpoint):
    path = record(tmp_path / "data", **{which: endpoint})
    with pytest.raises(UntrustedError, match="is no port of this machine") as caught:
        stack.find(tmp_path / "data")
    assert str(path) in str(caught.value)


def test_down_ends_no_process_that_is_not_the_stacks(tmp_path):
    # The record is this user's own, and so is the process; but it does not hold the lock that a stack holds.
    with subprocess.Popen(["sleep", "600"]) as bystander:
        try:
            record(tmp_path / "data", pid=bystander.pid)
            assert not stack.stop(tmp_path / "data")
            assert bystander.poll() is None
        finally:
            bystander.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="starts a process of another user")
def test_a_process_of_another_user_is_no_stack_of_ones_own(tmp_path):
    with subprocess.Popen(["sleep", "600"], user=NOBODY, cwd="/") as theirs:
        try:
            record(tmp_path / "data", pid=theirs.pid)
            assert stack.find(tmp_path / "data") is None
            with (tmp_path / "data" / "stack.lock").open("a") as lock:
                import fcntl

                fcntl.flock(lock, fcntl.LOCK_EX)
                assert not stack.stop(tmp_path / "data")
            assert theirs.poll() is None
        finally:
            theirs.kill()


def test_what_is_not_there_is_no_danger(tmp_path):
    check_trusted(tmp_path / "none" / "of" / "it", "")


def test_the_command_line_says_it_in_one_line(shared, anothers):
    planted = record(shared / ".chimera")
    planted.chmod(0o666)
    done = subprocess.run(
        [sys.executable, "-m", "chimera_nb", "ls", "gs://b/"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"refused: {planted} is not used: it belongs to ")
    assert json.loads(planted.read_text())["storage_endpoint"] == OPEN
    assert socket.gethostname() not in done.stderr
