"""Lines of a job's log: as fields, and as the text that a job document has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimera_nb.jobs.log_line import LogLine, stamp_of

NOW = "2026-01-02T03:04:05.678Z"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"[{NOW}] ERROR: it [broke]\nhere", LogLine(NOW, "error", "it [broke]\nhere")),
        (f"[{NOW}] WARNING: slow", LogLine(NOW, "warning", "slow")),
        (f"[{NOW}] well", LogLine(NOW, "info", "well")),
        ("ERROR: no stamp", LogLine("", "error", "no stamp")),
        ("[yesterday] well", LogLine("", "info", "[yesterday] well")),
        (f"[{NOW}] an ERROR: further on", LogLine(NOW, "info", "an ERROR: further on")),
    ],
)
def test_a_line_is_read_as_it_is_written(text, line):
    assert LogLine.parse(text) == line
    assert line.format() == text


@given(st.text(), st.sampled_from(["", f"[{NOW}] ", "[2024-01-01T10:00Z] "]))
def test_no_text_is_changed_by_being_read(text, stamp):
    assert LogLine.parse(stamp + text).format() == stamp + text


def test_only_a_time_to_the_millisecond_is_a_stamp():
    assert stamp_of(f"[{NOW}] well") == f"[{NOW}] "
    assert stamp_of("[2024-01-01T10:00Z] well") == ""
