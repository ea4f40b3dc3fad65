"""A catalogue's progress in a notebook: a bar under the cell while it is made, and nothing anywhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chimera_nb.data.catalogue.make import CatalogueProgress
from chimera_nb.machine.kernel import cell_bar, in_kernel


@contextmanager
def catalogue_bar() -> Iterator[Callable[[CatalogueProgress], None]]:
    """A function that shows progress, in a kernel; elsewhere it does nothing. The bar goes at the end."""
    if not in_kernel():
        yield lambda _: None
        return
    with cell_bar() as show:
        yield lambda progress: show(progress.done, progress.total, progress.text)
