"""Writers of the embedded job log that are killed in the middle of it."""

from __future__ import annotations

import json
import random
import subprocess
import sys


def test_after_two_hundred_kills_in_the_middle_of_a_write_it_opens_and_nothing_final_is_lost(tmp_path):
    seed = random.randrange(1 << 32)
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.sqlite_killed_writers", str(tmp_path), "50", str(seed)],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, f"seed {seed}: {done.stderr[-3000:]}"
    found = json.loads(done.stdout)
    assert found["kills"] == 200
    assert found["told"] >= 40  # in four rounds of five it was waited for
    assert found["unfinished"] > 20  # many were caught in the middle of it
