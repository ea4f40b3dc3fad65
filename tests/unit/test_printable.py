"""What reaches a terminal: names and messages from outside, and what it must not be made to do by them."""

from __future__ import annotations

import io
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import chimera_nb.cli
from chimera_nb.cli import display, job_display
from chimera_nb.jobs.failures import Cause, FailedFile, Failures
from pipeline.printable import on_one_line, printable

EVIL = [
    ("a\x1b[2Jb", r"a\x1b[2Jb"),  # ESC: clears the screen
    ("a\x9b2Jb", r"a\x9b2Jb"),  # the same in one character of the second set
    ("a\nfailed: b", r"a\nfailed: b"),
    ("a\r b", r"a\r b"),
    ("a\u202egpj.exe", r"a\u202egpj.exe"),  # read from the right
    ("a\u2066b\u2069", r"a\u2066b\u2069"),
    ("a\u2028b", r"a\u2028b"),
    ("a\ud800b", r"a\ud800b"),
    ("a\x07\x00\x7f", r"a\x07\x00\x7f"),
    ("Zürich 日本 🙂 [bold]", "Zürich 日本 🙂 [bold]"),
]


@pytest.mark.parametrize(("text", "shown"), EVIL)
def test_what_a_terminal_would_obey_is_shown_as_its_escape(text, shown):
    assert printable(text) == shown


@given(st.text())
def test_whatever_comes_it_is_one_printable_line(text):
    assert printable(text).isprintable()


@pytest.mark.parametrize(("text", "shown"), EVIL)
def test_the_command_line_prints_names_and_reasons_escaped(text, shown, monkeypatch):
    said = io.StringIO()
    monkeypatch.setattr(display.out, "_file", said)
    failed = Failures(
        [Cause("because", 1, "gs://b/x")],
        [FailedFile(f"gs://b/{text}", f"because {text}", 0, 1, True)],
        1,
    )
    job_display.print_failures(failed)
    assert said.getvalue().splitlines()[1:] == [f"    gs://b/{shown}: because {shown}"]


def test_every_line_of_the_command_line_goes_through_the_one_function():
    folder = Path(chimera_nb.cli.__file__).parent
    for path in folder.glob("*.py"):
        # A table is given cells that went through it; what they say themselves beside it is in these alone.
        if path.name not in {"display.py", "job_display.py", "plan_display.py", "table.py"}:
            assert not re.search(r"(?<!\.)\bText\(|from rich", path.read_text()), path.name


def run(*arguments: str, code: int, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        capture_output=True,
        env={**os.environ, **environment},
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done


def test_an_error_that_names_a_hostile_file_is_one_plain_line(tmp_path):
    name = f"{tmp_path}/no\x1b[2J\nfailed: x\u202e"
    for arguments, code in (
        (("chimera_nb", "ls", name, "--data-dir", str(tmp_path)), 2),
        (("pipeline", "--input", name, "--target", str(tmp_path / "out")), 2),
    ):
        said = run(*arguments, code=code).stderr
        assert said.count("\n") == 1
        assert r"no\x1b[2J\nfailed: x\u202e" in said
        assert said.removesuffix("\n").isprintable()


def test_what_the_terminals_encoding_has_not_is_escaped(tmp_path):
    (tmp_path / "日本.json").write_text("{}")
    ascii_only = {"PYTHONIOENCODING": "ascii", "COLUMNS": "400"}
    shown = run("chimera_nb", "ls", f"{tmp_path}/", "--data-dir", str(tmp_path), code=0, **ascii_only)
    assert r"\u65e5\u672c.json" in shown.stdout
    lost = ("ls", f"{tmp_path}/無.json", "--data-dir", str(tmp_path))
    error = run("chimera_nb", *lost, code=2, **ascii_only).stderr
    assert r"\u7121.json" in error
    assert "Traceback" not in error


def test_a_log_message_is_one_plain_line():
    record = logging.LogRecord("x", logging.WARNING, "", 0, "%s is odd", ("a\nb\x1b[0m",), None)
    assert on_one_line(record)
    assert record.getMessage() == r"a\nb\x1b[0m is odd"
