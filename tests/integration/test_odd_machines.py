"""Commands on machines as people have them: each works there, or says in one line what is in its way."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.fixtures.every_command import Outcome
from tests.fixtures.machines import MACHINES, PLAIN, Machine

_ROOT = Path(__file__).parents[2]
_AS_ROOT = os.geteuid() == 0  # who can be somebody else
_CHIMERA = [sys.executable, "-m", "chimera_nb"]
_LAST_RESORT = "not foreseen"  # what is said of an error that nobody thought of


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    """One that says nothing of this machine but where its programs are."""
    own = {
        name: str(tmp_path / name.lower())
        for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "XDG_STATE_HOME")
    }
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(_ROOT), **own, **more}


@pytest.mark.timeout(600)
def test_every_command_on_every_machine_works_or_says_why_in_one_line(
    stack, storage_client, tmp_path_factory
):
    storage_client.create_bucket("odd")
    storage_client.bucket("odd").blob("x").upload_from_string(b"{}\n")
    folder = Path(tempfile.mkdtemp(prefix="machines-"))  # pytest's own folders are its user's alone
    folder.chmod(0o755)
    machines = [machine for machine in MACHINES if machine.as_user is None or _AS_ROOT]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tests.fixtures.every_command", str(folder)],
            input=json.dumps([machine.name for machine in (PLAIN, *machines)]),
            env=environment(folder, CHIMERA_DATA_DIR=str(stack.data_dir)),
            cwd=_ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        shutil.rmtree(folder)
    assert done.returncode == 0, done.stderr
    outcomes = [Outcome(**outcome) for outcome in json.loads(done.stdout)]
    plain = {_line_of(outcome): outcome for outcome in outcomes if outcome.machine == PLAIN.name}
    found = {
        f"{outcome.machine}: chimera {' '.join(outcome.line)}: {fault}: {outcome.code} {outcome.said!r}"
        for machine in (PLAIN, *machines)
        for outcome in outcomes
        if outcome.machine == machine.name
        for fault in _faults(machine, outcome, plain.get(_line_of(outcome)))
    }
    assert found == set()
    assert {outcome.machine for outcome in outcomes} == {machine.name for machine in (PLAIN, *machines)}
    assert {outcome.code for outcome in plain.values()} == {0, 2}


def _line_of(outcome: Outcome) -> tuple[str, ...]:
    return tuple(
        word for word in outcome.line if not word.startswith("/")
    )  # without the machine's own folder


def _faults(machine: Machine, outcome: Outcome, plain: Outcome | None) -> Iterable[str]:
    if "Traceback" in outcome.said or _LAST_RESORT in outcome.said:
        yield "was not foreseen"
    if outcome.code not in (0, 1, 2):
        yield "ended otherwise"
    if outcome.line[0] == "doctor" and outcome.code == 1 and "  remedy: " in outcome.printed:
        return  # which is to find fault with a machine, and says what helps
    lines = outcome.said.splitlines()
    errors = [line for line in lines if line.startswith(("refused: ", "error: "))]
    if (
        outcome.code
        and 2 not in machine.closed
        and (len(errors), lines[-1:]) != (1, errors[:1])
        and not machine.silent
    ):
        yield "has not one line that says why"
    if "--json" in outcome.line and outcome.printed:
        try:
            json.loads(outcome.printed)
        except ValueError:
            yield "printed what is no JSON document"
    if plain is None or outcome.code == plain.code:
        return
    if machine.works:
        yield "differs from a plain machine"
    elif machine.says not in outcome.said:
        yield f"does not say {machine.says}"


_MET = {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9", "TMPDIR": "/nonexistent/x"}


def test_a_job_runs_without_a_home_and_a_name_behind_a_proxy(stack, bucket, storage_client, tmp_path):
    storage_client.bucket(bucket).blob("in/a.json").upload_from_string(b'{"a": 1}\n')
    without_name = "import pwd\ndef getpwuid(number): raise KeyError(number)\npwd.getpwuid = getpwuid\n"
    (tmp_path / "sitecustomize.py").write_text(without_name)
    met = {**_MET, "CHIMERA_DATA_DIR": str(stack.data_dir), "PYTHONPATH": f"{tmp_path}{os.pathsep}{_ROOT}"}
    done = subprocess.run(
        [*_CHIMERA, "submit", f"gs://{bucket}/in/", "--target", f"gs://{bucket}/out", "--wait", "--json"],
        env={"PATH": os.environ["PATH"], **met},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert (document["status"], document["summary"]["lines"]) == ("complete", 1)
    assert document["createdBy"] == "unknown"


@pytest.mark.parametrize(
    ("shell", "code", "said"),
    [
        ("{chimera} sources >&-", 0, ""),
        ("{chimera} jobs list >&- 2>&- <&-", 0, ""),
        ("{chimera} jobs show none 2>&-", 2, ""),
        ("{chimera} sources | true", 1, ""),
        ("{chimera} jobs show --help | head -1 >/dev/null", None, ""),
        (
            "{chimera} sources --json >/dev/full",
            1,
            "error: standard output cannot be written: No space left on device\n",
        ),
    ],
)
def test_nobody_reads_what_a_command_prints(shell, code, said, tmp_path):
    """The interpreter's own end, too, has nothing to add."""
    line = "set -o pipefail; " + shell.replace("{chimera}", " ".join(_CHIMERA))
    own = environment(tmp_path, CHIMERA_DATA_DIR=str(tmp_path / "data"))
    done = subprocess.run(
        ["bash", "-c", line], env=own, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stderr == said
    assert code is None or done.returncode == code
