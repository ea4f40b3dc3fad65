"""What runs beside the analyst: browse, sample, launch and watch, from Jupyter, a dashboard or the command line.

    from chimera_nb import peek, sample, read_output, flatten, open_demo
    %load_ext chimera_nb

Importing this package imports neither Beam nor pandas; both load on first need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chimera_nb.data.frames import flatten
    from chimera_nb.data.output import read_output
    from chimera_nb.data.sampling.sample import peek, sample
    from chimera_nb.demo import open_demo

__all__ = ["flatten", "load_ipython_extension", "open_demo", "peek", "read_output", "sample"]

_PLACES = {
    "flatten": "chimera_nb.data.frames",
    "open_demo": "chimera_nb.demo",
    "peek": "chimera_nb.data.sampling.sample",
    "read_output": "chimera_nb.data.output",
    "sample": "chimera_nb.data.sampling.sample",
}


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext chimera_nb` calls: makes the magic %chimera known (`chimera_nb.magics`)."""
    from chimera_nb.magics import ChimeraMagics

    shell.register_magics(ChimeraMagics)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
