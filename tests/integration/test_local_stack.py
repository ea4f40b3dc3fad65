"""The local stack as a whole: its life, and what is left of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import requests

from chimera_nb.local import stack as local
from chimera_nb.local.state import Record, known_data_dirs
from chimera_nb.machine.process_id import ProcessId
from pipeline.errors import StackError

pytestmark = pytest.mark.usefixtures("own_registry")


@pytest.fixture
def own_registry(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CHIMERA_DATA_DIR", raising=False)


@pytest.fixture
def data_dir(tmp_path):
    folder = tmp_path / "data"
    yield folder
    local.stop(folder)


def make_object(stack, bucket="kept", name="a/b.txt", data=b"content"):
    host = stack.storage_endpoint
    requests.post(f"{host}/storage/v1/b?project=local", json={"name": bucket}, timeout=10)
    upload = f"{host}/upload/storage/v1/b/{bucket}/o"
    answer = requests.post(
        upload,
        params={"uploadType": "media", "name": name, "contentEncoding": "gzip"},
        data=data,
        headers={"Content-Type": "text/x-test"},
        timeout=10,
    )
    answer.raise_for_status()
    return seen(stack, bucket)


def seen(stack, bucket="kept"):
    """All that the stack says of a bucket and its objects."""
    answer = requests.get(f"{stack.storage_endpoint}/storage/v1/b/{bucket}/o", timeout=10)
    answer.raise_for_status()
    return answer.json().get("items", [])


def processes_of(stack):
    supervisor = psutil.Process(stack.pid)
    return [supervisor, *supervisor.children(recursive=True)]


def test_a_restart_keeps_buckets_objects_and_all_that_is_known_of_them(data_dir):
    before = make_object(local.start(data_dir))
    assert local.stop(data_dir)
    again = local.start(data_dir)
    assert seen(again) == before
    assert {"generation", "crc32c", "contentEncoding", "contentType"} <= before[0].keys()


def test_a_restart_keeps_the_port_so_that_old_exports_go_on_working(data_dir):
    first = local.start(data_dir)
    local.stop(data_dir)
    assert local.start(data_dir).exports() == first.exports()


def test_a_port_that_another_took_meanwhile_is_given_up(data_dir):
    first = local.start(data_dir)
    local.stop(data_dir)
    port = int(first.storage_endpoint.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        assert local.start(data_dir).storage_endpoint != first.storage_endpoint


def test_stop_leaves_no_process_and_no_record(data_dir):
    stack = local.start(data_dir)
    processes = processes_of(stack)
    assert len(processes) == 1
    assert local.find(data_dir) == stack
    assert local.stop(data_dir)
    assert (
        psutil.wait_procs(processes, timeout=10)[1] == []
    )  # whoever started them has yet to take note of it
    assert not (data_dir / "stack.json").exists()
    assert list(known_data_dirs()) == []
    assert local.find(data_dir) is None


def test_stop_says_when_nothing_was_running(data_dir):
    assert not local.stop(data_dir)
    assert not data_dir.exists()


def test_a_killed_supervisor_leaves_nothing_running_and_the_data_stays(data_dir):
    stack = local.start(data_dir)
    before = make_object(stack)
    processes = processes_of(stack)
    os.kill(stack.pid, signal.SIGKILL)
    if sys.platform == "linux":
        _, alive = psutil.wait_procs(processes, timeout=10)
        assert alive == []
    assert local.find(data_dir) is None
    again = local.start(data_dir)
    assert again.pid != stack.pid
    assert seen(again) == before


def test_a_process_that_only_has_the_number_of_an_old_one_is_left_alone(data_dir):
    data_dir.mkdir()
    bystander = subprocess.Popen(["sleep", "600"])
    try:
        now = ProcessId.of(bystander.pid)
        old = replace(now, start_ticks=now.start_ticks - 1)
        Record(old, "http://localhost:1", "http://localhost:2", "then").write(data_dir)
        assert local.find(data_dir) is None
        assert not local.stop(data_dir)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_record_that_cannot_be_read_counts_as_none(data_dir):
    data_dir.mkdir()
    (data_dir / "stack.json").write_text('{"supervisor": 7')
    assert local.find(data_dir) is None
    assert local.start(data_dir) == local.find(data_dir)


def test_two_stacks_live_side_by_side(data_dir, tmp_path):
    one, other = local.start(data_dir), local.start(tmp_path / "other")
    try:
        make_object(one, "only-here")
        assert one.storage_endpoint != other.storage_endpoint
        answer = requests.get(f"{other.storage_endpoint}/storage/v1/b/only-here", timeout=10)
        assert answer.status_code == 404
    finally:
        local.stop(tmp_path / "other")
    assert local.find(data_dir) == one


def test_two_who_start_at_once_get_the_same_stack(data_dir):
    with ThreadPoolExecutor(4) as pool:
        stacks = set(pool.map(local.start, [data_dir] * 4))
    assert len(stacks) == 1
    assert len(processes_of(stacks.pop())) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_in_the_foreground_it_says_when_it_is_ready_and_ends_on_a_signal(data_dir, number):
    program = (
        "import sys; from pathlib import Path; from chimera_nb.local import stack; "
        "stack.serve(Path(sys.argv[1]), on_ready=lambda made: print(made.exports(), flush=True))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(data_dir)], stdout=subprocess.PIPE, text=True
    ) as serving:
        line = serving.stdout.readline()
        found = local.find(data_dir)
        assert line == f"{found.exports()}\n"
        processes = processes_of(found)
        with pytest.raises(StackError, match="another process has the local stack"):
            local.serve(data_dir)
        serving.send_signal(number)
        assert serving.wait(timeout=10) == 0
    assert [process for process in processes if process.is_running()] == []
    assert local.find(data_dir) is None


def test_one_that_does_not_come_up_is_an_error_with_the_end_of_its_log(data_dir):
    data_dir.mkdir()
    (data_dir / "storage").write_text("in the way")
    with pytest.raises(StackError, match=r"does not start: .*FileExistsError.*stack\.log"):
        local.start(data_dir)
    assert not (data_dir / "stack.json").exists()


def test_a_data_dir_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StackError, match="--data-dir"):
            local.start(path)


@pytest.mark.skipif(sys.platform != "linux", reason="looks for a folder where nobody may write")
def test_a_data_dir_that_cannot_be_written_is_refused():
    with pytest.raises(StackError, match="cannot be written"):
        local.start(Path("/proc/chimera"))


def test_files_that_are_no_objects_are_set_aside_so_that_their_bucket_can_be_listed(data_dir):
    before = make_object(local.start(data_dir))
    local.stop(data_dir)
    folder = data_dir / "storage" / "kept" / "a"
    for name in ("laid-here.txt", ".b.txt!123456", "torn!"):
        (folder / name).write_text("no object")
    assert seen(local.start(data_dir)) == before
    moved = sorted(path.name for path in (data_dir / "set-aside").rglob("*") if path.is_file())
    assert moved == [".b.txt!123456", "laid-here.txt", "torn!"]
    assert "3 files" in (data_dir / "stack.log").read_text()


def test_it_is_found_from_a_folder_below_and_else_as_the_only_one(tmp_path, monkeypatch):
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    (project / "deep" / ".chimera").mkdir(parents=True)  # nearer, but nothing runs on it
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert local.find() is None
    mine, other = project / ".chimera", tmp_path / "other"
    try:
        stack = local.start(mine)
        assert local.find() == stack
        second = local.start(other)
        with pytest.raises(StackError, match=r"2 local stacks .*other.*--data-dir"):
            local.find()
        assert local.find(other) == second
        monkeypatch.chdir(project / "deep")
        assert local.find() == stack
        monkeypatch.setenv("CHIMERA_DATA_DIR", str(other))
        assert local.find() == second
        local.stop(other)
        assert local.find() is None  # the one that is named, or none
    finally:
        local.stop(mine)
        local.stop(other)


def test_the_module_is_cheap_to_import():
    program = (
        "import sys, chimera_nb.local.stack; print({'aiohttp', 'google.cloud.storage'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_without_a_stack_a_client_fails_at_once_and_says_what_to_do(monkeypatch, tmp_path):
    from google.cloud import storage

    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    with pytest.raises(RuntimeError, match="STORAGE_EMULATOR_HOST"):
        storage.Client(project="local")
