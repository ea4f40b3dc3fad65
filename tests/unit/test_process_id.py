from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import psutil
import pytest

from chimera_nb.machine import process_id
from chimera_nb.machine.process_id import ProcessId


@pytest.fixture
def sleeper():
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize("seconds", [3, -3, 3600, -30 * 365 * 86_400])
def test_a_step_of_the_clock_ends_no_process(sleeper, monkeypatch, seconds):
    """What a step does to the times of processes: Linux counts them from its start, whose time moves with the clock."""
    found = ProcessId.of(sleeper.pid)
    was_made, booted, now = psutil.Process.create_time, psutil.boot_time, time.time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: was_made(self) + seconds)
    monkeypatch.setattr(psutil, "boot_time", lambda: booted() + seconds)
    monkeypatch.setattr(time, "time", lambda: now() + seconds)
    assert psutil.Process(sleeper.pid).create_time() == was_made(psutil.Process(sleeper.pid)) + seconds
    assert found.living()
    assert ProcessId.of(sleeper.pid) == found


def test_a_process_is_the_same_to_every_other(sleeper):
    code = f"from chimera_nb.machine.process_id import ProcessId; print(ProcessId.of({sleeper.pid}))"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert seen.strip() == str(ProcessId.of(sleeper.pid))


def test_a_number_that_another_has_now_is_told_apart(sleeper):
    now = ProcessId.of(sleeper.pid)
    before = replace(now, start_ticks=now.start_ticks - 1)
    assert now.living()
    assert not before.living()
    assert not before.end()
    assert sleeper.poll() is None


@pytest.mark.parametrize(
    "elsewhere",
    [{"boot_id": "00000000-59bd-43c9-ab2b-838f20a8efa0"}, {"namespace": "pid:[1] time:[2]"}],
    ids=["another start of a kernel", "another container on this kernel"],
)
def test_a_number_of_elsewhere_means_nothing_here(sleeper, elsewhere):
    there = replace(ProcessId.of(sleeper.pid), **elsewhere)
    assert not there.can_be_seen
    assert not there.living()
    assert not there.end()
    assert sleeper.poll() is None


def test_without_a_boot_id_nothing_is_said_of_the_living_or_the_dead(sleeper, monkeypatch):
    monkeypatch.setattr(process_id, "boot_id", lambda: "unknown")
    found = ProcessId.of(sleeper.pid)
    assert not found.can_be_seen
    assert found.living()


def test_one_that_has_ended_is_gone_though_nobody_has_asked_how():
    process = subprocess.Popen(["sleep", "600"])
    found = ProcessId.of(process.pid)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE
    assert not found.living()
    process.wait()
    assert not found.living()
    with pytest.raises(ProcessLookupError):
        ProcessId.of(process.pid)


def test_a_name_with_spaces_and_parentheses_is_read_past(tmp_path):
    odd = tmp_path / "a) R 1 (b"
    odd.symlink_to("/bin/sleep")
    process = subprocess.Popen([odd, "600"])
    try:
        found = ProcessId.of(process.pid)
        assert found.start_ticks >= ProcessId.of(os.getpid()).start_ticks
        assert found.living()
    finally:
        process.kill()
        process.wait()


def test_one_that_does_not_heed_is_killed_with_what_it_started():
    deaf = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(subprocess.Popen(['sleep', '600']).pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE, text=True)
    child = ProcessId.of(int(process.stdout.readline()))
    assert ProcessId.of(process.pid).end(seconds=0.1)
    assert process.wait() == -signal.SIGKILL
    deadline = time.monotonic() + 10
    while child.living():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.stdout.close()


def test_where_there_is_no_proc_ps_tells_the_same(sleeper, monkeypatch, tmp_path):
    """As on macOS."""
    monkeypatch.setattr(process_id, "_PROC", tmp_path)
    found = ProcessId.of(sleeper.pid)
    assert abs(found.start_ticks - time.time()) < 3600
    assert found.living()
    assert not replace(found, start_ticks=found.start_ticks - 1).living()
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert not found.living()
