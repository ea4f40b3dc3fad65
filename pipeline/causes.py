"""What went wrong, out of what a runner raises.

A runner hands on a worker's exception as text: its traceback, wrapped as often as it crossed a process or a
stage. The last line has the cause.
"""

from __future__ import annotations

import re

_LAST = re.compile(r"^(?P<kind>[A-Za-z_][\w.]*)(?:: (?P<text>.*))?$", re.DOTALL)
_WHERE = re.compile(r" \[while running '(?P<step>[^']*)'\]")
_OURS = "pipeline.errors."


def cause_of(error: BaseException | str) -> str:
    """The cause in a sentence: chimera's own errors by their text, others with their kind and stage."""
    text = error if isinstance(error, str) else _text(error)
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if not lines:
        return type(error).__name__ if isinstance(error, BaseException) else "failed without a reason"
    # A message may have several lines; the traceback's own are indented.
    start = max((i for i, line in enumerate(lines) if line.startswith(("  ", "Traceback"))), default=-1) + 1
    cause = "\n".join(lines[start:] or lines[-1:])
    steps = _WHERE.findall(cause)
    cause = _WHERE.sub("", cause).strip()
    found = _LAST.match(cause)
    if found and found["kind"].startswith(_OURS) and found["text"]:
        return found["text"].strip()
    return f"{cause} (in {steps[-1]})" if steps else cause


def _text(error: BaseException) -> str:
    kind = type(error)
    if kind is RuntimeError and "Traceback" in str(error):
        return str(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return f"{name}: {error}"
