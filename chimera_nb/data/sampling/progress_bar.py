"""A sample's progress in a notebook: a bar under the cell while it runs, and nothing anywhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chimera_nb.data.sampling.run import SampleProgress
from chimera_nb.machine.kernel import cell_bar, in_kernel


@contextmanager
def sample_bar() -> Iterator[Callable[[SampleProgress], None]]:
    """A function that shows progress, in a kernel; elsewhere it does nothing. The bar goes when the sample is made."""
    if not in_kernel():
        yield lambda _: None
        return
    with cell_bar() as show:
        yield lambda progress: show(progress.bytes_read, progress.bytes_total, describe(progress))


def describe(progress: SampleProgress) -> str:
    """Progress in words."""
    if not progress.files_total:
        return f"listing: {progress.files_listed:,} files"
    failed = f", {progress.files_failed:,} failed" if progress.files_failed else ""
    return (
        f"{progress.files_done:,} of {progress.files_total:,} files{failed}; "
        f"{progress.bytes_read / 1e6:,.1f} of {progress.bytes_total / 1e6:,.1f} MB"
    )
