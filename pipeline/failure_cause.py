"""What went wrong, out of what a runner raises.

A runner hands on a worker's exception as text: its traceback, wrapped as often as it crossed a process or a
stage. What follows the last traceback has the cause.
"""

from __future__ import annotations

import re

# Beam makes a RuntimeError of an exception that it cannot make again with its own words added.
_OURS = re.compile(r"(?:RuntimeError: )*pipeline\.errors\.\w+: (?P<text>.+)", re.DOTALL)
_WHERE = re.compile(r" \[while running '(?P<step>[^']*)'\]")


def cause_of(error: BaseException | str) -> str:
    """The cause in a sentence: chimera's own errors by their text, others with their kind and stage."""
    text = error if isinstance(error, str) else _text(error)
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if not lines:
        return type(error).__name__ if isinstance(error, BaseException) else "failed without a reason"
    cause = "\n".join(_after_traceback(lines))
    steps = _WHERE.findall(cause)
    cause = _WHERE.sub("", cause).strip()
    if found := _OURS.fullmatch(cause):
        return found["text"].strip()
    return f"{cause} (in {steps[-1]})" if steps else cause


def _after_traceback(lines: list[str]) -> list[str]:
    """The message that the last traceback leads to; it may have several lines, indented or not."""
    begins = max((i for i, line in enumerate(lines) if line.startswith("Traceback")), default=None)
    if begins is None:
        return lines
    message = (i for i, line in enumerate(lines) if i > begins and not line.startswith("  "))
    return lines[next(message, len(lines) - 1) :]


def _text(error: BaseException) -> str:
    kind = type(error)
    if kind is RuntimeError and "Traceback" in str(error):
        return str(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return f"{name}: {error}".removesuffix(": ")
