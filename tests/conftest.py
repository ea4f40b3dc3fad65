"""Fixtures for every test; each module under tests/fixtures/ holds those of one subject."""

from __future__ import annotations

import gc
import sys
from typing import Any

from hypothesis import settings

from chimera_nb.server.importing import LEFT_OUT_OF_SERVER

# Until the tests are collected all that is made is kept: the collector would look through it for nothing.
gc.disable()
# As in the dashboard's own process; None says that it is not there.
sys.modules.update(dict.fromkeys(LEFT_OUT_OF_SERVER))  # type: ignore[arg-type]

# How long an example takes is the machine's business; a hang is caught by the time limit of each test.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")

pytest_plugins = [
    "tests.fixtures.browsing",
    "tests.fixtures.dashboard",
    "tests.fixtures.dataflow",
    "tests.fixtures.firestore",
    "tests.fixtures.forked",
    "tests.fixtures.installed",
    "tests.fixtures.job_logs",
    "tests.fixtures.node",
    "tests.fixtures.refusing_store",
    "tests.fixtures.stack",
    "tests.fixtures.ui",
]


def pytest_collection_finish(session: Any) -> None:
    del session
    gc.freeze()
    gc.enable()
