from __future__ import annotations

import bz2
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

import chimera_nb
from chimera_nb.jobs.open_log import open_log
from chimera_nb.jobs.record import JobRecord, Status
from chimera_nb.magics import ChimeraMagics, run
from chimera_nb.settings import load_settings
from pipeline.errors import RefusedError, StackError, StorageError
from pipeline.spec import JobSpec
from tests.fixtures.files import lines
from tests.fixtures.job_logs import put_in


@pytest.fixture(autouse=True)
def data_dir(monkeypatch, tmp_path) -> Path:
    monkeypatch.setenv("CHIMERA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("CHIMERA_PLACE", raising=False)
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    return tmp_path / "data"


@pytest.fixture
def folder(tmp_path) -> Path:
    made = tmp_path / "in put"
    (made / "sub").mkdir(parents=True)
    (made / "a.bz2").write_bytes(bz2.compress(lines(1, 50)))
    (made / "sub" / "b.bz2").write_bytes(bz2.compress(lines(2, 50)))
    return made


def test_the_extension_brings_the_magic():
    registered = []

    class Shell:
        def register_magics(self, kind):
            registered.append(kind)

    chimera_nb.load_ipython_extension(Shell())
    assert registered == [ChimeraMagics]
    assert ChimeraMagics.magics["line"] == {"chimera": "chimera"}


def test_peek(folder):
    assert run(f"peek '{folder}/a.bz2'").n.tolist() == list(range(10))
    assert len(run(f"peek '{folder}/a.bz2' 3")) == 3


def test_sample_is_the_function(folder):
    asked = run(f"sample '{folder}/a.bz2' '{folder}/sub/' -n 20 -s 4")
    assert asked.equals(chimera_nb.sample([f"{folder}/a.bz2", f"{folder}/sub/"], 20, seed=4))


def test_ls(folder):
    frame = run(f"ls '{folder}'")
    assert frame.uri.tolist() == [f"{folder}/sub/", f"{folder}/a.bz2"]
    assert frame["size"].tolist() == [pd.NA, (folder / "a.bz2").stat().st_size]
    assert run(f"ls '{folder}/**/*.bz2'").uri.tolist() == [f"{folder}/a.bz2", f"{folder}/sub/b.bz2"]
    assert run(f"ls '{folder}/a.bz2'").uri.tolist() == [f"{folder}/a.bz2"]
    with pytest.raises(RefusedError, match="nothing is in"):
        run(f"ls '{folder}/none'")


def test_jobs():
    assert run("jobs").empty
    spec = JobSpec(inputs=("/in/",), target="/out", job_id="2026-01-31-1a2b3c4d")
    log = open_log(load_settings())
    record = JobRecord.from_spec(spec, runner="dataflow", created_by="me")
    log.create(replace(record, status=Status.FAILED, error="why"))
    log.close()
    (row,) = run("jobs 5").to_dict("records")
    assert (row["job"], row["status"], row["target"], row["error"]) == (spec.job_id, "failed", "/out", "why")
    assert abs(row["created"] - datetime.now(UTC)).total_seconds() < 60


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "write %chimera"),
        ("lsd x", "invalid choice: 'lsd'"),
        ("peek", "the following arguments are required: uri; write %chimera peek uri"),
        ("peek x many", "invalid int value: 'many'"),
        ("peek 'x", "close the quote"),
        ("sample x -n", "expected one argument"),
    ],
)
def test_a_line_that_cannot_be_read_says_how_to_write_it(line, reason):
    with pytest.raises(RefusedError) as caught:
        run(line)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("line", ["peek gs://b/x", "sample gs://b/x", "ls gs://b/", "ls gs://"])
def test_without_a_stack_each_says_in_one_line_how_to_start_it(line, capsys):
    with pytest.raises(StackError):
        run(line)
    assert ChimeraMagics(None).chimera(line) is None
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "start one with `chimera up --detach`" in err


def test_an_error_is_one_line_too(tmp_path, capsys):
    with pytest.raises(StorageError):
        run(f"peek {tmp_path}/absent")
    assert ChimeraMagics(None).chimera(f"peek {tmp_path}/absent") is None
    assert capsys.readouterr().err == f"{tmp_path}/absent: there is no such file\n"


def test_jobs_that_cannot_be_read_are_in_the_frame_with_what_is_wrong(data_dir):
    log = open_log(load_settings())
    spec = JobSpec(inputs=("gs://in/p/",), target="gs://out/x", job_id="2024-01-19-abc12345")
    record = JobRecord.from_spec(spec, runner="direct", now="2024-01-19T10:00:00.000Z")
    log.create(replace(record, status=Status.COMPLETE))
    put_in(log, "odd one", "[]", created_at="2024-01-18T10:00:00.000Z")
    put_in(log, "undated", "[]", created_at="?")
    log.close()
    frame = run("jobs").set_index("job")
    assert frame.status.to_dict() == {
        "2024-01-19-abc12345": "complete",
        "odd one": "unreadable",
        "undated": "unreadable",
    }
    assert frame.target["2024-01-19-abc12345"] == "gs://out/x"
    assert "not an object" in frame.error["odd one"]
    assert frame.created["odd one"] == pd.Timestamp("2024-01-18T10:00:00Z")
    assert pd.isna(frame.created["undated"])
