"""Whether somebody looks at this process through a notebook or a dashboard, and a bar for whoever does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

_Progress = TypeVar("_Progress")


def in_kernel() -> bool:
    """Whether this process is a notebook's or a dashboard's kernel."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is not None


@contextmanager
def cell_bar() -> Iterator[Callable[[int, int | None, str], None]]:
    """A bar under the cell, which goes at the end; for a kernel only.

    Gives a function of how much is done, of how much in all (0 or None while that is not known), and the same in words.
    """
    import ipywidgets
    from IPython.display import display

    bar = ipywidgets.FloatProgress(max=1.0, layout=ipywidgets.Layout(width="20em"))
    text = ipywidgets.Label()
    box = ipywidgets.HBox([bar, text])
    display(box)

    def show(done: int, total: int | None, words: str) -> None:
        bar.value = done / total if total else 0.0
        text.value = words

    try:
        yield show
    finally:
        for widget in (box, bar, text):
            widget.close()


@contextmanager
def bar_in_kernel(
    shown: Callable[[_Progress], tuple[int, int | None, str]],
) -> Iterator[Callable[[_Progress], None]]:
    """A function that shows progress in such a bar, as `shown` has it; elsewhere than in a kernel it does nothing."""
    if not in_kernel():
        yield lambda _: None
        return
    with cell_bar() as show:
        yield lambda progress: show(*shown(progress))
