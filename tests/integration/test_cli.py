"""The command line as a person or a script runs it: in a process of its own, forked but for one test."""

from __future__ import annotations

import bz2
import json
import zipfile
from functools import partial
from pathlib import Path

import pytest

from pipeline.storage import PlainStore
from pipeline.target.results import output_shards
from tests.fixtures.command import run_chimera
from tests.fixtures.files import expected_lines, good_files, lines_of, put_all

STORE = PlainStore()

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def chimera(tmp_path):
    """Runs `chimera` in an empty folder, with its own home and data."""
    # The stacks of whoever runs the tests are none of theirs.
    alone = {name: str(tmp_path / "home") for name in ("XDG_RUNTIME_DIR", "XDG_CACHE_HOME")}
    return partial(run_chimera, tmp_path, **alone)


@pytest.fixture
def folder(tmp_path):
    """Good and bad files on the local disk."""
    return put_all(f"{tmp_path}/in")


@pytest.fixture
def markets(tmp_path):
    """An event's folder with a market, the event's own file, and what is neither."""
    event = f"{tmp_path}/in/PRO/2020/Jan/1/29614797"
    for name in ("1.167210123", "29614797"):
        STORE.write_bytes(f"{event}/{name}.bz2", bz2.compress(b'{"op":"mcm"}\n'))
    STORE.write_bytes(f"{event}/notes.txt", b"12345")
    return event


def test_what_will_not_be_read_is_said_before_and_after(chimera, markets, tmp_path):
    asked = ("submit", "in", "--source", "betfair", "--target", "out")
    reasons = "1 not .bz2, 1 held by other files as well"
    dry = chimera(*asked, "--dry-run").stdout.splitlines()
    size = len(STORE.read_bytes(f"{markets}/29614797.bz2"))
    assert dry[:4] == [
        f"would read 1 file, {size} B",
        f"  2 of 3 files ({size + 5} B) will not be read: {reasons}; --every-file reads them",
        f"    {markets}/notes.txt: not .bz2",
        f"    {markets}/29614797.bz2: the event's own file; its markets stand beside it",
    ]
    assert [line.split()[0] for line in dry[4:]] == ["about"] * 2
    document = json.loads(chimera(*asked, "--dry-run", "--json").stdout)
    assert document["forecast"]["files"] == 1
    assert document["files"] == {"listed": 2, "read": 1, "skipped": 1}
    assert document["unmatched"] == {"files": 1, "bytes": 5}
    assert len(document["notRead"]) == 2
    assert not (tmp_path / "out").exists()
    assert json.loads(chimera("jobs", "list", "--json").stdout)["jobs"] == []
    said = chimera(*asked, "--wait").stdout
    assert said.startswith("complete: 1 file read, 1 skipped; 1 lines in 1 shard at ")
    assert f"  skipped   1 file ({size} B); the ledger has the reason for each\n" in said
    assert f"    {markets}/29614797.bz2: the event's own file; its markets stand beside it" in said
    assert "  not read  1 file (5 B) of the selection: " in said
    assert f"{markets}/notes.txt" in said
    job = json.loads(chimera("jobs", "list", "--json").stdout)["jobs"][0]
    assert (job["progress"]["filesSkipped"], job["progress"]["filesUnmatched"]) == (1, 1)
    shown = chimera("jobs", "show", job["jobId"]).stdout
    assert "2 listed, 1 read, 0 failed, 1 skipped" in shown
    assert f"{markets}/notes.txt" in shown
    refused = chimera("extract", job["jobId"], "29614797.bz2", code=2).stderr
    assert "was skipped: the event's own file; its markets stand beside it; nothing of it" in refused
    chimera("verify", job["jobId"], "--deep")


def test_what_was_skipped_of_an_archive_is_said_as_it_is(chimera, tmp_path):
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.writestr("a.json", b'{"n": 1}\n')
        archive.writestr(".DS_Store", b"\0\0")
    said = chimera("submit", "in.zip", "--target", "out", "--wait").stdout
    assert "hold the same" not in said
    assert f"    {tmp_path}/in.zip: passed over 1 file that is no data: '.DS_Store'" in said
    job = json.loads(chimera("jobs", "list", "--json").stdout)["jobs"][0]["jobId"]
    assert "passed over 1 file that is no data" in chimera("jobs", "show", job).stdout


def test_a_dry_run_refuses_what_submitting_would(chimera, markets):
    assert "no file matches" in chimera("submit", "none", "--target", "out", "--dry-run", code=2).stderr
    assert "is inside the input" in chimera("submit", "in", "--target", "in/out", "--dry-run", code=2).stderr
    asked = ("submit", "in", "--target", "out", "--dry-run", "--source", "no")
    assert "no source is named 'no'" in chimera(*asked, code=2).stderr


@pytest.mark.starts
def test_submit_and_wait_prints_the_finished_document_and_nothing_else(chimera, folder, tmp_path):
    done = chimera("submit", folder, "--target", "out", "--shards", "3", "--wait", "--json")
    document = json.loads(done.stdout)
    assert done.stderr == ""
    assert document["status"] == "complete"
    assert document["stages"] == {"read": "complete", "decompress": "complete", "write": "complete"}
    assert document["spec"]["shards"] == 3
    assert document["summary"]["files"] == {
        "listed": 23,
        "complete": 15,
        "failed": 8,
        "skipped": 0,
        "noted": 1,
    }
    assert document["targetBucket"] == ""
    assert document["outputPrefix"] == str(tmp_path / "out")
    assert len(output_shards(STORE, str(tmp_path / "out"))) == 3
    assert lines_of(str(tmp_path / "out")) == expected_lines(good_files())
    shown = json.loads(chimera("jobs", "show", document["jobId"], "--json").stdout)
    assert shown.pop("slowness")["files"] == 23
    assert shown == document
    listed = json.loads(chimera("jobs", "list", "--json").stdout)
    assert listed == {"jobs": [document], "unreadable": [], "nextPage": None}


def test_submit_for_a_person_says_what_came_of_it(chimera, folder):
    done = chimera("submit", folder, "--target", "out", "--wait")
    assert "complete: 15 files read, 8 failed; 854 lines in 1 shard at " in done.stdout
    assert "bad/empty.bz2: is empty (0 bytes)" in done.stdout
    assert "23 of 23 files" in done.stderr
    job_id = done.stderr.split()[1]
    shown = chimera("jobs", "show", job_id).stdout
    for part in (
        job_id,
        "complete",
        "23 listed, 15 read, 8 failed",
        "failed files (8)",
        "is named .bz2 but",
    ):
        assert part in shown
    assert job_id in chimera("jobs", "list", "--status", "complete").stdout
    assert "no jobs yet" in chimera("jobs", "list", "--status", "failed").stdout


def test_a_job_is_retried_and_cloned(chimera, folder, tmp_path):
    first = json.loads(
        chimera("submit", folder, "--target", "out", "--shards", "2", "--wait", "--json").stdout
    )
    again = json.loads(chimera("jobs", "retry", first["jobId"], "--wait", "--json", code=1).stdout)
    assert again["progress"]["filesListed"] == 8
    assert again["error"].startswith("all 8 files failed")
    shown = chimera("jobs", "clone", first["jobId"], "--target", "copy", "--dry-run")
    assert f"job {first['jobId']} again, on this machine" in shown.stderr
    assert "would read" in shown.stdout
    assert not (tmp_path / "copy").exists()
    copy = json.loads(chimera("jobs", "clone", first["jobId"], "--target", "copy", "--wait", "--json").stdout)
    assert copy["summary"]["shards"] == 2
    assert lines_of(str(tmp_path / "copy")) == expected_lines(good_files())
    assert "is complete already" in chimera("jobs", "cancel", first["jobId"], code=2).stderr
    assert json.loads(chimera("jobs", "sync", "--json").stdout) == {"ended": []}


def test_paths_may_come_from_a_file(chimera, folder, tmp_path):
    (tmp_path / "paths").write_text(f"{folder}top.ndjson\n\n{folder}crlf.bz2\r\n", newline="")
    done = chimera("submit", "--paths-from", "paths", "--target", "out", "--wait", "--json")
    assert json.loads(done.stdout)["progress"]["filesComplete"] == 2
    assert "no inputs" in chimera("submit", "--target", "out2", code=2).stderr


def test_a_job_that_fails_exits_with_1(chimera, folder):
    done = chimera("submit", f"{folder}bad/", "--target", "out", "--wait", code=1)
    assert "failed: all 8 files failed" in done.stdout
    done = chimera("submit", f"{folder}bad/", "--target", "out2", "--wait", "--json", code=1)
    assert json.loads(done.stdout)["status"] == "failed"
    done = chimera("submit", folder, "--target", "out3", "--max-failures", "7", "--wait", code=1)
    assert "8 of 23 files failed, and max-failures allows 7" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["submit", "none/", "--target", "out"], "no file matches"),
        (["submit", "{folder}", "--target", "{folder}out"], "is inside the input"),
        (["submit", "{folder}", "--target", "out", "--source", "nope"], "no source is named 'nope'"),
        (["submit", "{folder}", "--target", "out", "--runner", "nope"], "no runner is named 'nope'"),
        (
            ["submit", "{folder}", "--target", "s3://b/out"],
            "s3:// is not written, only gs:// and local folders: target",
        ),
        (["submit", "{folder}"], "Missing option '--target'"),
        (["submit", "{folder}", "--target", "out", "--shards", "x"], "valid integer"),
        (["jobs", "show", "2026-01-01-aaaaaaaa"], "no job '2026-01-01-aaaaaaaa' in this job log"),
        (["jobs", "list", "--page", "nonsense"], "page"),
        (["ls", "{folder}nothing-here"], "there is no such object or folder"),
        (["ls", "{folder}x[y"], "is not closed"),
        (["nope"], "No such command 'nope'"),
    ],
)
def test_a_request_that_makes_no_sense_exits_with_2(chimera, folder, arguments, says):
    done = chimera(*(argument.format(folder=folder) for argument in arguments), code=2)
    assert says in done.stderr
    assert done.stdout == ""


def test_a_refusal_is_one_json_document_too(chimera, folder):
    done = chimera("submit", "none/", "--target", "out", "--json", code=2)
    assert json.loads(done.stdout)["error"]["kind"] == "NothingMatchesError"


def test_output_that_is_there_is_not_replaced_unless_asked(chimera, folder, tmp_path):
    chimera("submit", f"{folder}top.ndjson", "--target", "out", "--wait")
    before = lines_of(str(tmp_path / "out"))
    assert "already holds output" in chimera("submit", folder, "--target", "out", code=2).stderr
    assert lines_of(str(tmp_path / "out")) == before
    chimera("submit", folder, "--target", "out", "--overwrite", "--wait")
    assert lines_of(str(tmp_path / "out")) == expected_lines(good_files())


def test_without_a_stack_a_bucket_is_asked_for_in_vain_but_not_for_long(chimera):
    environment = {"STORAGE_EMULATOR_HOST": ""}
    done = chimera("ls", "gs://b/", code=1, **environment)
    assert "no local stack runs; start one with `chimera up --detach`" in done.stderr


def test_a_stack_of_ones_own_from_up_to_down(chimera, tmp_path, folder):
    environment = {"STORAGE_EMULATOR_HOST": ""}
    started = chimera("up", "--detach", **environment)
    try:
        assert f"export CHIMERA_DATA_DIR={tmp_path / '.chimera'}" in started.stdout
        assert chimera("env", **environment).stdout == started.stdout
        assert chimera("up", "--detach", **environment).stdout == started.stdout
        other = chimera("up", "--detach", "--data-dir", "other", **environment)
        assert other.stdout != started.stdout
        assert "22 files" in chimera("put", folder, "gs://history/ADVANCED", **environment).stdout
        listed = chimera("ls", "gs://history/ADVANCED/", **environment).stdout
        assert "gs://history/ADVANCED/2016/" in listed
        assert "gs://history/ADVANCED/crlf.bz2" in listed
        assert json.loads(chimera("ls", "gs://", "--json", **environment).stdout)["folders"] == [
            "gs://history/"
        ]
        assert (
            "no such" in chimera("ls", "gs://history/", "--data-dir", "other", code=2, **environment).stderr
        )
        chimera("put", Path(folder) / "top.ndjson", "gs://results", **environment)
        asked = ("doctor", "gs://history/ADVANCED/", "--target", "gs://results", "--target", "gs://later")
        examined = json.loads(chimera(*asked, "--json", **environment).stdout)
        states = {finding["check"]: finding["state"] for finding in examined["findings"]}
        assert examined["ok"]
        for check in ("local stack", "stack storage", "stack dataflow", "stack metadata", "job log"):
            assert states[check] == "ok"
        assert (states["bucket history"], states["bucket results"], states["bucket later"]) == (
            "ok",
            "ok",
            "off",
        )
        missing = chimera("doctor", "gs://no-such-bucket", code=1, **environment).stdout
        assert "remedy: chimera put FILES gs://no-such-bucket/" in missing
        done = chimera(
            "submit", "gs://history/ADVANCED/", "--target", "gs://results/1", "--wait", **environment
        )
        assert "complete: 15 files read, 8 failed" in done.stdout
        found = json.loads(chimera("ls", "gs://results/1/**/output-*", "--json", **environment).stdout)
        assert [entry["uri"] for entry in found["objects"]] == [
            "gs://results/1/output/output-00000-of-00001.ndjson"
        ]
    finally:
        chimera("down", "--data-dir", "other", **environment)
        stopped = chimera("down", **environment)
    assert "stopped" in stopped.stdout
    assert "no local stack runs" in chimera("down", **environment).stdout
    assert "no local stack runs" in chimera("env", code=1, **environment).stderr


def test_sources_are_listed(chimera):
    assert set(json.loads(chimera("sources", "--json").stdout)) >= {"betfair", "ndjson"}
