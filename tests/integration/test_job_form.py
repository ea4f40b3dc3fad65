"""A job form at work on files of this machine: it counts, looks, launches once; and its code runs as it stands."""

from __future__ import annotations

import asyncio
import bz2
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from chimera_nb.jobs.service import JobService
from chimera_nb.session import Session, connect
from chimera_nb.settings import Settings
from chimera_nb.widgets.job_form import filling
from chimera_nb.widgets.job_form.choices import gather
from chimera_nb.widgets.job_form.survey import Survey
from chimera_nb.widgets.job_form.widget import JobForm
from pipeline.storage import PlainStore
from pipeline.target.results import output_lines

STORE = PlainStore()

SECONDS = 20.0  # of patience


@pytest.fixture(autouse=True)
def data_dir(tmp_path, monkeypatch) -> Path:
    """A job log of the test's own, and no stack."""
    folder = tmp_path / "chimera"
    monkeypatch.setenv("CHIMERA_DATA_DIR", str(folder))
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def markets(tmp_path) -> str:
    """A folder with three .bz2 files of two records, and one that is none of a market."""
    folder = tmp_path / "it's markets"
    for name in ("a/1.1.bz2", "a/1.2.bz2", "b/1.3.bz2"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(bz2.compress(b'{"op":"mcm"}\n' * 2))
    (folder / "read me.txt").write_text("x\n")
    return f"{folder}/"


async def until(form, check):
    """Wait until the form is so, and give what its button says."""
    for _ in range(int(SECONDS / 0.02)):
        if check():
            return form._go["says"]
        await asyncio.sleep(0.02)
    raise AssertionError(f"not so after {SECONDS} s: {form._go} {form._hints} {form._plan} {form.error}")


def ask(form, kind, **content):
    view = {"view": "v"} if kind == "hello" else {}
    form._on_message(None, {"kind": kind, **view, **content}, None)


def edit(form, **values):
    for name, value in values.items():
        ask(form, "edit", field=name, value=value, view="v", number=1)


def ready(form):
    return form._go["alive"] and not form._plan["counting"]


def said(form, field):
    return form._hints.get(field, {"text": "", "bad": False})


def jobs(data_dir):
    return JobService(Settings(data_dir=data_dir)).list().records


def test_the_plan_is_of_the_files_that_the_source_reads(markets, tmp_path):
    async def go():
        form = JobForm([markets, f"{markets}a/1.1.bz2"], source="betfair", target=str(tmp_path / "out"))
        ask(form, "hello")
        await until(form, lambda: ready(form))
        plan = form._plan
        assert (plan["files"], plan["more"], plan["rawBytes"]) == (3, False, 78)
        assert 0 < plan["minutes"] < 1
        edit(form, source="ndjson")
        await until(form, lambda: ready(form) and form._plan["files"] == 4)
        form.inputs = (f"{markets}*.nothing",)
        await until(form, lambda: said(form, "inputs")["bad"])
        assert "matches" in form._hints["inputs"]["text"]
        assert not form._go["alive"]
        form.close()

    asyncio.run(go())


def test_a_job_is_launched_once_whatever_is_clicked_and_its_target_is_taken_then(
    markets, tmp_path, data_dir, monkeypatch
):
    launched = threading.Event()

    def late(*arguments, **named):
        """What there was before the launch, told after it: a slow log."""
        found = gather(*arguments, **named)
        assert launched.wait(SECONDS)
        return found

    monkeypatch.setattr(filling, "gather", late)

    async def go():
        form = JobForm([markets], source="betfair", target=str(tmp_path / "out"))
        ask(form, "hello")
        await until(form, lambda: ready(form))
        edit(form, bucket=str(tmp_path / "elsewhere"))
        ask(form, "launch", token=form._go["token"])  # pressed on what was shown before
        assert "Nothing was launched" in form.error
        edit(form, bucket=str(tmp_path / "out"))
        assert form.error == ""
        await until(form, lambda: ready(form))
        token = form._go["token"]
        for _ in range(3):
            ask(form, "launch", token=token)
        assert form._go["state"] == "launching"
        ask(form, "launch", token=form._go["token"])
        await until(form, lambda: form.job_id)
        launched.set()
        await until(form, lambda: form._choices["sources"])
        assert form._choices["configurations"][0][0] == form.job_id
        assert form._go["state"] == "launched"
        ask(form, "launch", token=form._go["token"])
        assert form._go["state"] == "launched"
        await asyncio.to_thread(JobService(Settings(data_dir=data_dir)).wait, form.job_id, seconds=60)
        assert [record.job_id for record in jobs(data_dir)] == [form.job_id]

        edit(form, keep_partial=True)
        assert form._go["state"] == "launched"
        ask(form, "another")
        assert form._go["state"] == "checking"
        await until(form, lambda: ready(form))

        edit(form, bucket=str(tmp_path / "out"))  # by another form, after the job
        other = JobForm([markets], target=str(tmp_path / "out"))
        ask(other, "hello")
        await until(other, lambda: said(other, "prefix")["bad"])
        assert f"The output of job {form.job_id} is here already" in other._hints["prefix"]["text"]
        assert other._fields["values"]["source"] == "betfair"  # as the last job had
        edit(other, overwrite=True)
        assert "will be replaced" not in str(other._hints)
        await until(other, lambda: ready(other))
        assert "will be replaced" in other._hints["prefix"]["text"]

        ask(other, "pick", job=form.job_id, whole=True)
        await until(other, lambda: other._fields["values"]["bucket"] != str(tmp_path / "out"))
        assert other._fields["values"]["bucket"].startswith(str(tmp_path / "out-"))
        form.close()
        other.close()

    asyncio.run(go())


def test_a_target_inside_the_selection_is_told_while_it_is_typed(markets):
    async def go():
        form = JobForm([markets], target=f"{markets}out")
        ask(form, "hello")
        says = await until(form, lambda: said(form, "prefix")["bad"])
        assert "is inside the input" in says
        edit(form, bucket="relative")  # a bucket, and no stack runs
        await until(form, lambda: "chimera up" in said(form, "prefix")["text"])
        form.close()

    asyncio.run(go())


def test_a_target_that_may_not_be_written_is_told_while_it_is_typed(markets, tmp_path, monkeypatch):
    monkeypatch.setenv("CHIMERA_WRITE_BUCKETS", str(tmp_path / "mine"))

    async def go():
        form = JobForm([markets], target=str(tmp_path / "others"))
        ask(form, "hello")
        assert "CHIMERA_WRITE_BUCKETS" in await until(form, lambda: said(form, "prefix")["bad"])
        edit(form, bucket=str(tmp_path / "mine"))
        monkeypatch.setenv("CHIMERA_READ_BUCKETS", markets)
        await until(form, lambda: ready(form))
        form.close()

    asyncio.run(go())


def test_a_job_with_local_files_cannot_be_picked_in_a_form_of_buckets(markets, tmp_path, data_dir):
    service = JobService(Settings(data_dir=data_dir))
    job = service.submit([markets], str(tmp_path / "out"))
    service.wait(job.job_id, seconds=60)

    async def go():
        form = JobForm()
        form._choices_known = form._choices_known.__class__(records=(job,))
        ask(form, "pick", job=job.job_id, whole=False)
        await until(form, lambda: form.error)
        assert form.inputs == ()

    asyncio.run(go())


def test_what_the_source_leaves_out_is_told_and_read_when_that_is_asked_for(markets, tmp_path):
    async def go():
        form = JobForm([markets], target=str(tmp_path / "out"), source="betfair")
        ask(form, "hello")
        assert await until(form, lambda: ready(form)) == "1 of 4 files will not be read."
        unread = form._plan["unread"]
        assert unread["text"] == "1 of 4 files (2 B) will not be read: not .bz2"
        assert unread["files"] == [[f"{markets}read me.txt", "not .bz2"]]
        assert (unread["total"], unread["every"], form._plan["files"]) == (1, False, 3)
        edit(form, every_file=True)
        await until(form, lambda: ready(form) and form._plan["files"] == 4)
        assert form._go["says"] == "Ready to launch."
        assert (form._plan["unread"]["text"], form._plan["unread"]["every"]) == ("", True)
        assert "every_file=True" in form._code["cell"]
        assert "--every-file" in form._code["command"]
        form.close()

    asyncio.run(go())


def test_a_count_can_be_stopped_where_nothing_matches_and_gone_on_with(tmp_path, monkeypatch):
    for n in range(50):
        (tmp_path / f"{n}.txt").touch()
    survey = Survey([f"{tmp_path}/**/*.bz2"], "ndjson")
    for _ in range(10):
        survey.advance(STORE, 0)
    assert survey.active
    survey.advance(STORE, SECONDS)
    assert survey.without_files == f"{tmp_path}/**/*.bz2"


def test_many_single_names_are_counted_by_a_listing_and_those_that_are_gone_are_told(tmp_path):
    names = [tmp_path / f"{n}.txt" for n in range(30)]
    for path in names:
        path.write_bytes(b"12345")
    inputs = [str(path) for path in names]
    survey = Survey([*inputs, f"{tmp_path}/2*.txt"], "ndjson")
    survey.advance(STORE, SECONDS)
    assert (survey.tally.files, survey.tally.bytes, survey.without_files) == (30, 150, None)
    names[7].unlink()
    survey = Survey(inputs, "ndjson")
    survey.advance(STORE, SECONDS)
    assert survey.without_files == str(names[7])


def test_the_cell_and_the_command_run_as_they_stand(markets, tmp_path, data_dir):
    single = [f"{markets}{name}" for name in ("a/1.1.bz2", "a/1.2.bz2", "b/1.3.bz2")]
    more = [tmp_path / f"$more {n}.ndjson" for n in range(20)]
    for path in more:
        path.write_bytes(b"{}\n")
    inputs = [*single, *map(str, more)]
    made = {
        kind: JobForm(
            inputs, Session(Settings(data_dir=data_dir)), target=str(tmp_path / f"out {kind}")
        )._code[kind]
        for kind in ("cell", "command")
    }
    names: dict = {}
    exec(compile(made["cell"], "cell", "exec"), names)
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        ["sh", "-c", f"{made['command']}"],
        check=True,
        env={**os.environ, "PATH": beside},
        capture_output=True,
    )
    service = JobService(Settings(data_dir=data_dir))
    launched = {record.output_prefix: record for record in jobs(data_dir)}
    assert names["job"].id == launched[str(tmp_path / "out cell")].job_id
    assert names["job"].wait().frame().shape == (26, 1)
    for kind in made:
        target = str(tmp_path / f"out {kind}")
        assert service.wait(launched[target].job_id, seconds=90).status == "complete"
        assert len(output_lines(STORE, target, 100)) == 26


def test_two_threads_that_ask_for_the_service_at_once_share_one(data_dir):
    session = connect(settings=Settings(data_dir=data_dir))
    found = []
    threads = [threading.Thread(target=lambda: found.append(session.service)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1
    session.close()
