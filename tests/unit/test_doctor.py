"""The doctor as a whole, and its checks of what is installed, of this machine and of the local stack, in each state."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest

from chimera_nb.doctor import host, installed, stack
from chimera_nb.doctor.examine import examine, side_by_side
from chimera_nb.doctor.finding import fault, ok
from chimera_nb.settings import Settings
from tests.fixtures.doctor import CLOUD, FAULT, OFF, OK, only, set_nothing, states

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def no_settings(monkeypatch, tmp_path):
    set_nothing(monkeypatch, tmp_path)


# What is installed


def test_python_is_named():
    assert only(installed.check_python()).says.startswith(".".join(map(str, sys.version_info[:3])))


def test_the_packages_of_this_installation_are_in_order():
    assert states(installed.check_packages()) == {"packages": OK}


@pytest.mark.parametrize(
    ("required", "expected"),
    [
        (["zstandard>=0.1"], {"packages": OK}),
        (["zstandard>=999"], {"packages": FAULT}),
        (["no-such-package"], {"packages": FAULT}),
        (["no-such-package; extra == 'local'"], {"packages": OK, "packages local": OFF}),
        (
            ["no-such-package; extra == 'notebook'", "zstandard; extra == 'notebook'"],
            {"packages": OK, "packages notebook": FAULT},
        ),
        (["zstandard>=999; extra == 'local'"], {"packages": OK, "packages local": FAULT}),
        (["no-such-package; extra == 'dev'"], {"packages": OK}),
        (["no-such-package; python_version < '3'"], {"packages": OK}),
    ],
)
def test_packages_are_held_against_what_is_required(required, expected):
    found = list(installed.check_packages(required))
    assert states(found) == expected
    for finding in found:
        if finding.remedy:
            assert re.fullmatch(r"pip install --upgrade 'chimera-nb(\[(notebook|local)\])?'", finding.remedy)


def test_chimera_that_is_only_on_the_path_is_told(monkeypatch):
    monkeypatch.setattr(installed, "NAME", "no-such-package")
    assert "is not installed" in only(installed.check_packages()).says


# This machine


def test_the_data_folder_is_in_order_where_it_can_be_made_or_is_there(tmp_path):
    for folder in (tmp_path, tmp_path / "to" / "be" / "made"):
        found = states(host.check_data_folder(Settings(data_dir=folder)))
        assert found == {"data folder": OK, "disk": OK, "temporary folder": OK}
    assert not (tmp_path / "to").exists()


def test_a_data_folder_below_a_file_or_that_may_not_be_written_is_a_fault(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    found = host.check_data_folder(Settings(data_dir=tmp_path / "file" / "data"))
    assert states(found)["data folder"] is FAULT
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert states(host.check_data_folder(Settings(data_dir=tmp_path)))["data folder"] is FAULT


def test_a_data_folder_that_others_may_write_is_a_fault(tmp_path):
    (tmp_path / ".chimera").mkdir(mode=0o777)
    (tmp_path / ".chimera").chmod(0o777)
    found = only(host.check_data_folder(Settings()))
    assert found.state is FAULT
    assert "everybody may write it" in found.says


def test_a_current_folder_that_is_gone_is_a_fault(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert only(host.check_data_folder(Settings())).remedy == "export CHIMERA_DATA_DIR=~/chimera-data"


def test_little_room_is_a_fault(tmp_path, monkeypatch):
    usage = SimpleNamespace(free=999_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    found = states(host.check_data_folder(Settings(data_dir=tmp_path)))
    assert found == {"data folder": OK, "disk": FAULT, "temporary folder": FAULT}


def test_no_temporary_folder_is_a_fault(tmp_path, monkeypatch):
    def none():
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    assert states(host.check_data_folder(Settings(data_dir=tmp_path)))["temporary folder"] is FAULT


@pytest.mark.parametrize(("available", "expected"), [(8_000_000_000, OK), (300_000_000, FAULT)])
def test_memory(monkeypatch, available, expected):
    monkeypatch.setattr(
        host.psutil, "virtual_memory", lambda: SimpleNamespace(available=available, total=16_000_000_000)
    )
    assert only(host.check_memory()).state is expected


@pytest.mark.parametrize(
    ("environment", "place", "state", "says"),
    [
        ({}, "local", OFF, "none is set"),
        ({"HTTPS_PROXY": ""}, "cloud", OFF, "none is set"),
        (
            {"https_proxy": "http://proxy:3128", "NO_PROXY": "localhost"},
            "cloud",
            OK,
            "Google is asked through it",
        ),
        ({"HTTP_PROXY": "http://proxy:3128", "no_proxy": "*"}, "cloud", OK, "Google is asked directly"),
        (
            {"ALL_PROXY": "proxy:3128", "NO_PROXY": ".googleapis.com, localhost"},
            "cloud",
            OK,
            "Google is asked directly",
        ),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "localhost"}, "local", OK, "Google is not asked"),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "local", OFF, "other programs cannot reach a local stack"),
        ({"https_proxy": "://nonsense"}, "local", FAULT, "https_proxy names no host"),
        ({"HTTPS_PROXY": "http://[::1:x"}, "local", FAULT, "HTTPS_PROXY names no host"),
    ],
)
def test_proxies(environment, place, state, says):
    found = only(host.check_proxies(Settings(place=place, job_log="sqlite"), environment))
    assert found.state is state
    assert says in found.says


def test_a_proxys_password_is_not_printed():
    found = only(host.check_proxies(Settings(), {"HTTPS_PROXY": "http://me:secret@proxy:3128"}))
    assert "secret" not in found.says
    assert "http://proxy:3128" in found.says
    assert found.remedy == "export NO_PROXY=localhost,127.0.0.1 no_proxy=localhost,127.0.0.1"


# The local stack


def test_no_stack_is_no_fault_and_says_how_to_start_one():
    found = only(stack.check_stack(Settings()))
    assert (found.state, found.remedy) == (OFF, "chimera up --detach")
    assert only(stack.check_stack(CLOUD)).state is OFF


def test_a_stack_that_does_not_answer_is_a_fault_of_each_service(monkeypatch, tmp_path):
    port = _closed_port()
    dead = SimpleNamespace(
        data_dir=tmp_path,
        storage_endpoint=f"http://localhost:{port}",
        dataflow_endpoint=f"http://localhost:{port}",
        started_at="2026-01-31",
    )
    monkeypatch.setattr(stack.stack, "find", lambda _: dead)
    found = list(stack.check_stack(Settings()))
    assert states(found) == {
        "local stack": OK,
        "stack storage": FAULT,
        "stack dataflow": FAULT,
        "stack metadata": FAULT,
    }
    assert f"chimera up --detach --data-dir {tmp_path}" in found[1].remedy


def test_several_stacks_are_a_fault(monkeypatch):
    from pipeline.errors import StackError

    def several(_):
        raise StackError("2 local stacks are running (/a, /b); say which with --data-dir")

    monkeypatch.setattr(stack.stack, "find", several)
    assert "CHIMERA_DATA_DIR" in only(stack.check_stack(Settings())).remedy


def _closed_port() -> int:
    import socket

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


# All of them


def test_a_check_that_breaks_or_waits_hides_no_other_and_is_waited_for_no_longer():
    never = threading.Event()

    def breaks():
        raise ValueError("odd")

    def waits():
        never.wait()
        return []

    began = time.monotonic()
    checks = [
        ("a", lambda: [ok("a", "fine")]),
        ("b", breaks),
        ("c", waits),
        ("d", lambda: [fault("d", "no", "do")]),
    ]
    found = side_by_side(checks, 0.2)
    assert time.monotonic() - began < 90
    never.set()
    assert [(finding.check, finding.state) for finding in found] == [
        ("a", OK),
        ("b", FAULT),
        ("c", FAULT),
        ("d", FAULT),
    ]
    assert found[1].says == "cannot be looked at: ValueError: odd"
    assert found[2].says == "no answer within 0.2 s"


def test_checks_run_side_by_side():
    together = threading.Barrier(3, timeout=10)

    def check():
        together.wait()
        return [ok("x", "")]

    assert [finding.state for finding in side_by_side([("x", check)] * 3, 20)] == [OK] * 3


def test_settings_that_cannot_be_read_are_a_fault_and_the_rest_is_looked_at(tmp_path):
    (tmp_path / "chimera.toml").write_text("nonsense = 1")
    found = states(examine())
    assert found == {"python": OK, "packages": OK, "settings": FAULT}


def run(tmp_path, *arguments, **environment):
    """`chimera doctor` in a process that ends at once where it asks a name server or connects anywhere."""
    guard = (
        "import os, socket\ndef ends(*_a, **_k):\n    os.write(2, b'ASKED THE NETWORK')\n    os._exit(99)\n"
    )
    guard += "socket.getaddrinfo = socket.socket.connect = socket.socket.connect_ex = ends\n"
    (tmp_path / "guard").mkdir(exist_ok=True)
    (tmp_path / "guard" / "sitecustomize.py").write_text(guard)
    return subprocess.run(
        [sys.executable, "-m", "chimera_nb", "doctor", *arguments],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "guard"), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_on_a_laptop_without_account_or_stack_nothing_is_asked_and_all_is_in_order(tmp_path):
    done = run(tmp_path, "--json", HTTPS_PROXY="http://u:secret@proxy:3128")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ASKED THE NETWORK" not in done.stderr
    document = json.loads(done.stdout)
    assert document["ok"] is True
    found = {finding["check"]: finding["state"] for finding in document["findings"]}
    assert found["credentials"] == found["local stack"] == found["dataflow"] == "off"
    assert found["python"] == found["packages"] == found["job log"] == "ok"
    assert "secret" not in done.stdout


def test_a_fault_ends_it_with_1_and_the_remedy_on_the_next_line(tmp_path):
    (tmp_path / "chimera.toml").write_text("nonsense = 1")
    done = run(tmp_path)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    (at,) = [n for n, line in enumerate(lines) if line.startswith("fault  settings")]
    assert "unknown setting nonsense" in lines[at]
    assert lines[at + 1].strip().startswith("remedy: ")
    assert lines[-1] == "1 thing to mend"


def test_what_is_asked_about_and_is_no_bucket_is_refused(tmp_path):
    done = run(tmp_path, "/no/bucket")
    assert done.returncode == 2
    assert "write gs://bucket" in done.stderr


def test_the_versions_shown_are_those_installed():
    (found,) = installed.check_packages()
    assert f"apache-beam {version('apache-beam')}" in found.says
