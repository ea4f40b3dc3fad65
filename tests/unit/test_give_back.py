from __future__ import annotations

import json
import os
import subprocess
import sys

from pipeline import __main__ as command
from pipeline.errors import StoreUnavailableError
from pipeline.spec import JobSpec
from pipeline.storage import PlainStore
from pipeline.target.lifecycle import prepare_target, read_summary

BUSY = """
import json, os, sys, threading
from pathlib import Path
from pipeline.release import give_back
from pipeline.spec import JobSpec

spec = JobSpec.from_json(json.loads(sys.argv[1]))
begun = threading.Barrier(5)

def write(number):
    folder = Path(spec.target, "_chimera", spec.job_id, "output")
    count = 0
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            (folder / f"part-{number}-{count}").write_text("{}\\n")
        except FileNotFoundError:
            pass  # swept between the two
        count += 1
        if count == 10:
            begun.wait()

for number in range(4):
    threading.Thread(target=write, args=[number]).start()
begun.wait()
print(os.getpid(), flush=True)
give_back(spec, 143)
"""


def test_nothing_of_a_process_that_gives_back_writes_behind_the_sweep(tmp_path):
    target = tmp_path / "out"
    inputs = tmp_path / "in"
    inputs.mkdir()
    spec = JobSpec(inputs=(f"{inputs}/",), target=str(target), job_id="2024-01-19-abc12345")
    store = PlainStore()
    prepare_target(store, spec, lambda _: None)
    assert (target / "_chimera" / "claim.json").exists()
    command = [sys.executable, "-c", BUSY, json.dumps(spec.to_json())]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    said, _ = running.communicate(timeout=60)
    assert running.returncode == 143
    assert said == f"{running.pid}\n"
    assert [name for _, _, names in os.walk(target) for name in names] == []
    assert read_summary(store, str(target)) is None
    prepare_target(store, spec, lambda _: None)


def test_a_store_that_is_away_when_a_job_has_ended_is_told_in_one_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "a.ndjson").write_text('{"a":1}\n')

    def away(_store, spec):
        raise StoreUnavailableError(spec.target, "the store does not answer")

    monkeypatch.setattr(command, "run", lambda *_: None)
    monkeypatch.setattr(command, "abandon_target", away)
    assert command.main(["--input", f"{tmp_path}/a.ndjson", "--target", f"{tmp_path}/out"]) == 1
    assert capsys.readouterr().err == f"failed: {tmp_path}/out: the store does not answer\n"
