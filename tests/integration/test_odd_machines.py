"""Commands on machines as people have them: each works there, or says in one line what is in its way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
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
    folder = tmp_path_factory.mktemp("machines")
    for above in (folder, *folder.parents[:2]):  # pytest's, which are its user's alone
        above.chmod(0o755)
    machines = [machine for machine in MACHINES if machine.as_user is None or _AS_ROOT]
    done = subprocess.run(
        [sys.executable, "-m", "tests.fixtures.every_command", str(folder)],
        input=json.dumps([machine.name for machine in (PLAIN, *machines)]),
        env=environment(folder, CHIMERA_DATA_DIR=str(stack.data_dir)),
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
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
    assert {outcome.code for outcome in plain.values()} == {0, 1, 2}


def _line_of(outcome: Outcome) -> tuple[str, ...]:
    return tuple(
        word for word in outcome.line if not word.startswith("/")
    )  # without the machine's own folder


def _faults(machine: Machine, outcome: Outcome, plain: Outcome | None) -> Iterable[str]:
    if "Traceback" in outcome.said or _LAST_RESORT in outcome.said:
        yield "was not foreseen"
    if outcome.code not in (0, 1, 2):
        yield "ended otherwise"
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
