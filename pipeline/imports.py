"""Importing what a process of our own keeps until its end, at less than half the cost.

Most of the start of such a process are imports, and most of its end is the search of what they brought for garbage.
What is imported here is kept from the garbage collector, which would look through it while it is imported, as the
process works, and once more at the end.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.abc
import logging
import sys
from collections.abc import Collection, Iterator
from importlib import import_module

from pipeline.beam_work import spare

# Beam imports these where they are installed, for its connectors to BigQuery, Pub/Sub, Parquet and MongoDB and its data
# frames.
# No job here has any of those: they are not to be had in its processes. What a plugin itself imports is as ever.
LEFT_OUT_OF_BEAM = ("google.cloud.bigquery", "google.cloud.pubsub", "pandas", "pyarrow", "bson")
_BEAM = "apache_beam.runners.portability.fn_api_runner"  # with all of Beam that a graph is made of


def import_for_good(*names: str, without: Collection[str] = ()) -> None:
    """Import modules that are needed until this process ends. For entry points: the collector is the process's.

    `without` are modules that are not to be had meanwhile, of packages that do without them where they are missing.
    """
    if all(name in sys.modules for name in names):
        return
    gc.disable()
    try:
        with _absent(without):
            for name in names:
                import_module(name)
    finally:
        gc.freeze()
        gc.enable()


def import_beam() -> None:
    """Import Beam with its runner of this machine, in a process whose graphs are all ours."""
    told = logging.getLogger("apache_beam.io.mongodbio")
    told.setLevel(logging.ERROR)  # it warns of what is left out, which nobody here misses
    try:
        import_for_good(_BEAM, without=LEFT_OUT_OF_BEAM)
    finally:
        told.setLevel(logging.NOTSET)
    spare()


def import_arrow() -> None:
    """Import Arrow, in a process that makes no frames, without pandas, where that is not imported yet.

    Arrow imports pandas with the first array that it makes, to know its values when it meets them. What asks it for a
    frame finds pandas all the same.
    """
    if "pandas" in sys.modules:
        return
    with _absent(("pandas",)):
        import_module("pyarrow").array([])


@contextlib.contextmanager
def _absent(names: Collection[str]) -> Iterator[None]:
    """Have modules of these names not found."""
    absent = _Absent(names)
    sys.meta_path.insert(0, absent)
    try:
        yield
    finally:
        sys.meta_path.remove(absent)


class _Absent(importlib.abc.MetaPathFinder):
    """Finds that what is left out is not there."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        del path, target
        if fullname in self._names:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
