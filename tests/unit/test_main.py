"""The command line's last word: one line, and an exit code that says what it was."""

from __future__ import annotations

import json

import pytest

import chimera_nb.cli
from chimera_nb.__main__ import TRACEBACK_VARIABLE, main
from pipeline.errors import RefusedError, StackError


@pytest.fixture
def fails(monkeypatch):
    """Have every command fail in one way."""

    def arrange(error: BaseException) -> None:
        def run(_: object) -> None:
            raise error

        monkeypatch.setattr(chimera_nb.cli, "run", run)

    return arrange


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (RefusedError("no"), 2, "refused: no"),
        (StackError("a\nb"), 1, r"error: a\nb"),
        (PermissionError(13, "Permission denied", "/x/y"), 1, "error: /x/y: Permission denied"),
        (OSError(24, "Too many open files"), 1, "error: Too many open files"),
        (
            FileNotFoundError(2, "No such file or directory", b"/\xff"),
            1,
            r"error: /\udcff: No such file or directory",
        ),
        (
            ModuleNotFoundError("No module named 'aiohttp.web'", name="aiohttp.web"),
            1,
            "error: aiohttp is not installed here; install all of it: pip install 'chimera-nb[notebook,local]'",
        ),
        (
            KeyError("x"),
            1,
            "error: KeyError: 'x'; this was not foreseen: set CHIMERA_TRACEBACK=1 to see where it was, and report it",
        ),
        (RecursionError(), 1, "error: RecursionError; this was not foreseen: "),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_whatever_happens_is_one_line(error, code, said, fails, capsys):
    fails(error)
    with pytest.raises(SystemExit) as ended:
        main(["sources"])
    assert ended.value.code == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(said)
    assert err.count("\n") == (1 if said else 0)


def test_with_json_there_is_one_document(fails, capsys):
    fails(KeyError("x"))
    with pytest.raises(SystemExit):
        main(["sources", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["error"]["kind"] == "KeyError"


def test_who_looks_for_the_fault_gets_its_traceback(fails, monkeypatch):
    monkeypatch.setenv(TRACEBACK_VARIABLE, "1")
    fails(KeyError("x"))
    with pytest.raises(KeyError):
        main(["sources"])


@pytest.mark.parametrize(
    "line",
    [
        "",
        "-h",
        "subnit",
        "jobs",
        "jobs -h",
        "jobs shw x",
        "jobs show",
        "jobs show -h",
        "put in",
        "sources --jso",
    ],
)
def test_the_one_command_that_is_asked_for_says_what_it_says_among_all(line, capsys):
    with pytest.raises(SystemExit) as among_all:
        chimera_nb.cli.app(line.split(), prog_name="chimera")
    said = capsys.readouterr()
    with pytest.raises(SystemExit) as alone:
        chimera_nb.cli.run(line.split())
    assert (alone.value.code, capsys.readouterr()) == (among_all.value.code, said)
    assert said.out + said.err
