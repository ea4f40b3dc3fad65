"""The ES module and the style sheet of a widget, joined from the files beside the widgets with no build step."""

from __future__ import annotations

from pathlib import Path

_WIDGETS = Path(__file__).parents[1]


def script(*names: str) -> str:
    """One ES module of these files ("package/name"), after what all views share. The last one exports `render`."""
    return _joined("js", "base/text", "base/view", *names)


def style(*names: str) -> str:
    """One style sheet of these files, after the base that all widgets share."""
    return _joined("css", "base/style", *names)


def _joined(kind: str, *names: str) -> str:
    return "\n".join((_WIDGETS / f"{name}.{kind}").read_text("utf-8") for name in names)
