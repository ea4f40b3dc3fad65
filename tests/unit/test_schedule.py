"""What `chimera submit --every` prints is what each scheduler takes, with the command as it was given."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess

import pytest
from typer.testing import CliRunner

from chimera_nb.cli import app
from chimera_nb.cli.schedule import Interval
from pipeline.errors import RefusedError

ASKED = ["submit", "in 1/*.bz2", "--target", 'out%$"x', "--source", "betfair", "--shards", "3", "--every"]


def schedule(*arguments: str) -> dict:
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


@pytest.mark.parametrize(
    ("text", "cron", "calendar"),
    [
        ("30m", "*/30 * * * *", "*:0/30"),
        ("6h", "0 */6 * * *", "0/6:00:00"),
        ("1d", "0 3 * * *", "*-*-* 03:00:00"),
        ("24h", "0 3 * * *", "*-*-* 03:00:00"),
        ("1w", "0 3 * * 1", "Mon *-*-* 03:00:00"),
    ],
)
def test_an_interval_is_what_cron_and_systemd_call_it(text, cron, calendar):
    assert Interval.parse(text) == Interval(text, cron, calendar)
    if shutil.which("systemd-analyze"):
        subprocess.run(["systemd-analyze", "calendar", calendar], check=True, capture_output=True)


@pytest.mark.parametrize("text", ["", "d", "0h", "7m", "5h", "2d", "60m", "1y", "1 d", "-1d"])
def test_an_interval_that_cron_cannot_say_is_refused(text):
    with pytest.raises(RefusedError, match="divide"):
        Interval.parse(text)


def test_each_text_runs_the_command_as_it_was_given_for_what_is_new(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = schedule(*ASKED, "1d")
    command = made["command"]
    given = command[command.index("submit") :]
    assert given[:3] == ["submit", f"{tmp_path}/in 1/*.bz2", "--target"]
    assert given[3:] == [
        *(f'{tmp_path}/out%$"x', "--source", "betfair"),
        *("--since", "last", "--shards", "3", "--wait"),
    ]
    fields, _, line = made["cron"].partition(" flock ")
    assert fields == "0 3 * * *"
    assert re.search(r"(?<!\\)%", made["cron"]) is None
    assert shlex.split(line.replace(r"\%", "%"))[2:] == command
    started = re.search(r"^ExecStart=(.*)$", made["systemd"]["service"], re.MULTILINE)[1]
    assert [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(started)] == command
    assert "Persistent=true" in made["systemd"]["timer"]
    assert made["cloudScheduler"] == []
    told = CliRunner().invoke(app, [*ASKED, "1d"]).output
    assert all(
        text.strip() in told for text in (made["cron"], made["systemd"]["service"], "over gs:// alone")
    )


def test_a_job_of_buckets_on_dataflow_has_commands_for_the_cloud():
    asked = ("submit", "gs://history/", "--target", "gs://results/x", "--runner", "dataflow", "--every", "6h")
    run, ask = map(shlex.split, schedule(*asked, "--since", "2026-01-31-1a2b3c4d")["cloudScheduler"])
    [given] = [word.removeprefix("--args=^~^") for word in run if word.startswith("--args=")]
    assert given.split("~")[:4] == ["submit", "gs://history/", "--target", "gs://results/x"]
    assert "2026-01-31-1a2b3c4d" in given.split("~")
    name = run[4]
    assert any(word.endswith(f"/jobs/{name}:run") for word in ask)
    assert "--schedule=0 */6 * * *" in ask


def test_single_names_in_great_number_are_refused(tmp_path):
    names = [f"{tmp_path}/{n}.bz2" for n in range(30)]
    done = CliRunner().invoke(app, ["submit", *names, "--target", f"{tmp_path}/out", "--every", "1d"])
    assert isinstance(done.exception, RefusedError)
