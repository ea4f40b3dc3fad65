"""A line of a job's log: time, level and text. Here alone it becomes the text of a job document, and is read again.

"[2024-01-19T10:00:00.000Z] started on this machine, in one process"
"[2024-01-19T10:00:09.214Z] ERROR: no bucket gs://results"
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

_STAMP = re.compile(r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] ")
_STAMPED = re.compile(r"\[(?P<time>\d{4}-\d\d-\d\dT[^\]]{1,30})\] (?P<text>.*)", re.DOTALL)
_MARKS: dict[str, Literal["warning", "error"]] = {"WARNING: ": "warning", "ERROR: ": "error"}


class LogLine(NamedTuple):
    """One line; `time` is RFC 3339, or "" where the line has none."""

    time: str
    level: Literal["info", "warning", "error"]
    text: str

    def format(self) -> str:
        """The text in a document; without a time just the level and the message."""
        mark = "" if self.level == "info" else f"{self.level.upper()}: "
        return f"{f'[{self.time}] ' if self.time else ''}{mark}{self.text}"

    @classmethod
    def parse(cls, line: str) -> LogLine:
        """The inverse of `format`, for any text: what another program has written may have no time."""
        found = _STAMPED.fullmatch(line)
        time, text = (found["time"], found["text"]) if found else ("", line)
        for mark, level in _MARKS.items():
            if text.startswith(mark):
                return cls(time, level, text.removeprefix(mark))
        return cls(time, "info", text)


def stamp_of(line: str) -> str:
    """The "[timestamp] ", to the millisecond, that a line begins with, or "". Their order as text is that of time."""
    found = _STAMP.match(line)
    return found[0] if found else ""
