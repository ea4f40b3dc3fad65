"""Fixtures for every test; each module under tests/fixtures/ holds those of one subject."""

from __future__ import annotations

pytest_plugins = ["tests.fixtures.dataflow", "tests.fixtures.firestore", "tests.fixtures.stack"]
