"""A catalogue's progress in a notebook: a bar under the cell while it is made, and nothing anywhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chimera_nb.data.catalogue.make import CatalogueProgress
from chimera_nb.machine.kernel import in_kernel


@contextmanager
def catalogue_bar() -> Iterator[Callable[[CatalogueProgress], None]]:
    """A function that shows progress, in a kernel; elsewhere it does nothing. The bar goes at the end."""
    if not in_kernel():
        yield lambda _: None
        return
    import ipywidgets
    from IPython.display import display

    bar = ipywidgets.FloatProgress(max=1.0, layout=ipywidgets.Layout(width="20em"))
    text = ipywidgets.Label()
    box = ipywidgets.HBox([bar, text])
    display(box)

    def show(progress: CatalogueProgress) -> None:
        bar.value = progress.done / progress.total if progress.total else 0.0
        text.value = progress.text

    try:
        yield show
    finally:
        for widget in (box, bar, text):
            widget.close()
