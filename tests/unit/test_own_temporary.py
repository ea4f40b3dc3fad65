"""What a job or a sample makes in the temporary folder goes with it."""

from __future__ import annotations

import bz2
import contextlib
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from chimera_nb.jobs.log.sqlite import SqliteJobLog
from chimera_nb.jobs.outcome import end
from chimera_nb.jobs.record import JobRecord, Status
from pipeline.interruption import Interrupted
from pipeline.own_temporary import own_temporary_folder, remove_left_behind
from pipeline.spec import JobSpec
from pipeline.storage import PlainStore

JOB = "2026-01-31-1a2b3c4d"


@pytest.fixture
def inputs(tmp_path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for n in range(3):
        (folder / f"{n}.bz2").write_bytes(bz2.compress(b'{"n": %d}\n' % n))
    return folder


def empty(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def left(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("error", [None, ValueError("no"), Interrupted(15)])
def test_all_that_is_made_goes_at_the_end_however_it_comes(temporary, error):
    raised = pytest.raises(type(error)) if error else contextlib.nullcontext()
    with raised, own_temporary_folder(JOB) as folder:
        assert folder.parent == temporary
        assert folder.stat().st_mode & 0o077 == 0
        made = Path(tempfile.mkdtemp(prefix="beam-pipeline-temp"))
        assert made.parent == folder
        (made / "file").write_text("x")
        if error:
            raise error
    assert left(temporary) == []
    assert tempfile.gettempdir() == str(temporary)


def test_a_signal_while_it_is_removed_does_not_keep_it(temporary, monkeypatch):
    remove, calls = shutil.rmtree, []

    def interrupted_once(*arguments, **options):
        calls.append(arguments)
        if len(calls) == 1:
            raise Interrupted(15)
        remove(*arguments, **options)

    monkeypatch.setattr(shutil, "rmtree", interrupted_once)
    with pytest.raises(Interrupted), own_temporary_folder(JOB):
        pass
    assert left(temporary) == []


def test_what_a_killed_process_left_is_removed_by_whoever_ends_its_job_and_nothing_else(temporary, tmp_path):
    for name in (
        f"chimera-{JOB}.abcd_123",
        f"chimera-{JOB}.zzzzzzzz",
        f"chimera-{JOB}-copy.abcdefgh",
        "chimera-x",
    ):
        (temporary / name / "beam-pipeline-temp1").mkdir(parents=True)
    (temporary / f"chimera-{JOB}.afile").write_text("not a folder")
    other = tmp_path / "other"
    other.mkdir()
    (temporary / f"chimera-{JOB}.alink").symlink_to(other)
    spec = JobSpec(inputs=(str(tmp_path),), target=str(tmp_path / "out"), job_id=JOB)
    log = SqliteJobLog(tmp_path / "jobs.sqlite")
    record = JobRecord.from_spec(spec, runner="direct", runner_options={}, created_by="x")
    log.create(record)
    end(PlainStore(), record, log, Status.FAILED, "its process was killed")
    log.close()
    kept = {f"chimera-{JOB}-copy.abcdefgh", "chimera-x", f"chimera-{JOB}.afile", f"chimera-{JOB}.alink"}
    assert {path.name for path in temporary.iterdir()} == kept
    assert other.is_dir()
    empty(temporary)


def test_without_a_temporary_folder_there_is_nothing_to_remove(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    remove_left_behind(JOB)


@pytest.mark.parametrize(("name", "code"), [("in", 0), ("bad", 1)])
def test_the_bare_pipeline_leaves_no_folder(temporary, inputs, tmp_path, name, code):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.bz2").write_bytes(b"no bz2")
    command = ["-m", "pipeline", "--input", str(tmp_path / name), "--target", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert left(temporary) == []


def test_a_sample_leaves_no_folder(temporary, inputs):
    from chimera_nb import sample

    assert len(sample(str(inputs), n=2, seed=1)) == 2
    assert left(temporary) == []


def test_a_sample_in_ipython_leaves_no_folder(temporary, inputs, tmp_path):
    """There, Beam keeps the folders of all pipelines until the kernel ends."""
    code = (
        "import os; from chimera_nb import sample; "
        f"print('rows', len(sample({str(inputs)!r}, n=2, seed=1)), 'left', os.listdir({str(temporary)!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "rows 2 left []" in done.stdout


def test_a_sample_that_fails_leaves_no_folder(temporary, inputs, monkeypatch):
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner

    from chimera_nb import sample

    def fails(self, *_):
        assert left(temporary)  # pipelines have been made by then
        raise RuntimeError("the runner is broken")

    monkeypatch.setattr(FnApiRunner, "run_pipeline", fails)
    with pytest.raises(RuntimeError, match="the runner is broken"):
        sample(str(inputs), n=2, seed=2)
    assert left(temporary) == []


def test_a_pipeline_of_the_users_own_beside_a_sample_keeps_its_folder(temporary):
    import apache_beam as beam

    from chimera_nb.data.sampling.beam import _leaving_no_folder

    made = []
    with _leaving_no_folder():
        ours = beam.Pipeline()
        other = threading.Thread(target=lambda: made.append(beam.Pipeline()))
        other.start()
        other.join()
        assert Path(ours.local_tempdir).parent.parent == temporary
    assert Path(made[0].local_tempdir).parent == temporary
    assert left(temporary) == [Path(made[0].local_tempdir).name]
    assert beam.pipeline.tempfile is tempfile
    empty(temporary)
