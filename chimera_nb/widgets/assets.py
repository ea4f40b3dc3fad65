"""The ES module and the style sheet of a widget, joined from the files in static/ with no build step."""

from __future__ import annotations

from pathlib import Path

_STATIC = Path(__file__).parent / "static"


def script(*names: str) -> str:
    """One ES module of these files, after what all views share. The last one exports `render`."""
    return _joined("js", "text", "view", *names)


def style(*names: str) -> str:
    """One style sheet of these files, after the base that all widgets share."""
    return _joined("css", "base", *names)


def _joined(kind: str, *names: str) -> str:
    return "\n".join((_STATIC / f"{name}.{kind}").read_text("utf-8") for name in names)
