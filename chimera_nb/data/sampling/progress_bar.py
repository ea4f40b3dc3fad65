"""A sample's progress in a notebook: a bar under the cell while it runs, and nothing anywhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chimera_nb.data.sampling.run import SampleProgress
from chimera_nb.machine.kernel import in_kernel


@contextmanager
def sample_bar() -> Iterator[Callable[[SampleProgress], None]]:
    """A function that shows progress, in a kernel; elsewhere it does nothing. The bar goes when the sample is made."""
    if not in_kernel():
        yield lambda _: None
        return
    import ipywidgets
    from IPython.display import display

    bar = ipywidgets.FloatProgress(max=1.0, layout=ipywidgets.Layout(width="20em"))
    text = ipywidgets.Label()
    box = ipywidgets.HBox([bar, text])
    display(box)

    def show(progress: SampleProgress) -> None:
        bar.value = progress.bytes_read / progress.bytes_total if progress.bytes_total else 0.0
        text.value = describe(progress)

    try:
        yield show
    finally:
        for widget in (box, bar, text):
            widget.close()


def describe(progress: SampleProgress) -> str:
    """Progress in words."""
    if not progress.files_total:
        return f"listing: {progress.files_listed:,} files"
    failed = f", {progress.files_failed:,} failed" if progress.files_failed else ""
    return (
        f"{progress.files_done:,} of {progress.files_total:,} files{failed}; "
        f"{progress.bytes_read / 1e6:,.1f} of {progress.bytes_total / 1e6:,.1f} MB"
    )
