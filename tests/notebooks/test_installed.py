"""chimera-nb as people install it, on this Python; `make install-check` tries others, and the notebooks there, too."""

from __future__ import annotations

import pytest

from tests.install.trials import try_dashboard, try_demo, try_doctor, try_import

pytestmark = pytest.mark.timeout(300)


def test_what_is_imported_is_what_was_installed_and_the_doctor_finds_no_fault(installed):
    assert try_import(installed).startswith("Python 3.")
    assert "all in order" in try_doctor(installed)


def test_the_demo_runs_twice(installed):
    assert try_demo(installed).endswith("/run-001")
    assert try_demo(installed).endswith("/run-002")


def test_the_dashboard_comes_with_its_files_and_widgets_and_goes_with_ctrl_c(installed):
    files, widgets = (int(word) for word in try_dashboard(installed).split() if word.isdigit())
    assert files > 1
    assert widgets > 10
