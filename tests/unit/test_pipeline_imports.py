"""What the floor that runs on a worker costs to import, and how long its modules are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import pipeline

HEAVY = ("apache_beam", "pandas", "google.cloud.firestore", "numpy", "IPython")
MODULES = sorted(Path(pipeline.__file__).parent.rglob("*.py"))


def test_checking_a_job_and_reading_its_result_import_nothing_heavy():
    code = (
        "import sys, pipeline.admit, pipeline.target.results, pipeline.__main__\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(MODULES[0].parent)))
def test_a_module_is_one_idea_of_at_most_three_hundred_lines(module):
    assert len(module.read_text(encoding="utf-8").splitlines()) <= 300
