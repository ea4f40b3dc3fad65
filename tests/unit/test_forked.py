"""Commands that tests fork are as those that are started, and are told apart by what they are."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.fixtures.forked import STARTED, ForkingPopen, asked_of

REFUSED = [sys.executable, "-m", "chimera_nb", "submit", "none", "--target", "out", "--json"]


def test_it_prints_and_ends_as_one_that_is_started(tmp_path, monkeypatch):
    def ended(popen) -> tuple[int, str, str]:
        monkeypatch.setattr(subprocess, "Popen", popen)
        # The stacks of whoever runs this are none of its own.
        for name in ("XDG_RUNTIME_DIR", "XDG_CACHE_HOME"):
            monkeypatch.setenv(name, str(tmp_path))
        done = subprocess.run(REFUSED, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    forking = subprocess.Popen
    assert issubclass(forking, ForkingPopen)
    forked = ended(forking)
    assert forked == ended(STARTED)
    assert forked[0] == 2
    assert str(tmp_path / "none") in forked[2]


def test_what_the_interpreter_would_have_to_know_at_its_start_is_started():
    assert asked_of(REFUSED).arguments == REFUSED[3:]
    assert asked_of(REFUSED, env={**os.environ, "A": "b"}).env["A"] == "b"
    assert asked_of(REFUSED, env={**os.environ, "PYTHONPATH": "/x"}) is None
    assert asked_of(REFUSED, preexec_fn=os.getpid) is None
    assert asked_of([sys.executable, "-X", "dev", *REFUSED[1:]]) is None
    assert asked_of([sys.executable, "-m", "pytest"]) is None
