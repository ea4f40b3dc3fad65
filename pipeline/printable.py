"""Text from outside, on its way to a terminal: on one line, with nothing in it that a terminal would obey.

A name or a message may hold what clears the screen, forges a line or turns the reading order round (CVE-2021-42574).
Every character that Python does not call printable is shown as its escape: control characters of both sets,
line and paragraph separators, marks of direction, what has no width, lone surrogates.
"""

from __future__ import annotations

import logging
import sys


def printable(text: object) -> str:
    """The text on one line, with an escape for each character that is not printable."""
    said = str(text)
    return said if said.isprintable() else "".join(c if c.isprintable() else _escape(c) for c in said)


def on_one_line(record: logging.LogRecord) -> bool:
    """A logging filter: what was sent from outside makes no line of its own, and says nothing to the terminal."""
    record.msg = printable(record.getMessage())
    record.args = ()
    return True


def guard_terminal() -> None:
    """For entry points: log messages on one line each, and what the terminal's encoding has not as its escape.

    Call it again after handlers were added to the root logger.
    """
    handlers = [*logging.getLogger().handlers, *filter(None, [logging.lastResort])]
    for handler in handlers:
        handler.addFilter(on_one_line)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(
            stream, "reconfigure", None
        )  # what a test or a notebook puts there may have none
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()
