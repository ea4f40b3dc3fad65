"""Fixtures for every test; each module under tests/fixtures/ holds those of one subject."""

from __future__ import annotations

from hypothesis import settings

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
