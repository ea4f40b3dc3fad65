"""The ES module and the style sheet of a widget, made of the files beside the widgets with no build step.

anywidget takes the text of one module, and neither Jupyter nor Voilà serves the files that it would import: a module
from a text has no address that "./other.js" could be relative to. Bundlers are the usual answer, at the price of a
build before each release and of a second copy of the code. Here linker.py joins them when the widget is imported.
"""

from __future__ import annotations

from pathlib import Path

from chimera_nb.widgets.base.linker import link

_WIDGETS = Path(__file__).parents[1]


def script(name: str) -> str:
    """One ES module of this file ("package/name") and of all that it imports. It exports `render` by default."""
    return link(_WIDGETS / f"{name}.js")


def style(*names: str) -> str:
    """One style sheet of these files, after the base that all widgets share."""
    shared = ("base/style", "base/pieces")
    return "\n".join((_WIDGETS / f"{name}.css").read_text("utf-8") for name in (*shared, *names))
