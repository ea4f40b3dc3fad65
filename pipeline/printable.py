"""Text from outside, on its way to a terminal: on one line, with nothing in it that a terminal would obey.

A name or a message may hold what clears the screen, forges a line or turns the reading order round (CVE-2021-42574).
Every character that Python does not call printable is shown as its escape: control characters of both sets,
line and paragraph separators, marks of direction, what has no width, lone surrogates.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from typing import TextIO


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

    Streams that were closed (`>&-`) take what is written and lose it. Call it again after handlers were added to the
    root logger.
    """
    _open_closed()
    handlers = [*logging.getLogger().handlers, *filter(None, [logging.lastResort])]
    for handler in handlers:
        handler.addFilter(on_one_line)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(
            stream, "reconfigure", None
        )  # what a test or a notebook puts there may have none
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def let_go_of(stream: TextIO) -> None:
    """Have a stream that cannot be written drop its buffer and all further output, so that no flush at exit fails."""
    with contextlib.suppress(OSError, ValueError):
        lost = os.open(os.devnull, os.O_WRONLY)
        os.dup2(lost, stream.fileno())
        os.close(lost)


def _open_closed() -> None:
    """Without it the next file that is opened gets the number of a standard stream, and what is printed goes there."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            while os.open(os.devnull, os.O_RDWR) < number:
                pass
    for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            made = open(number, "w" if number else "r", encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, made)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()
