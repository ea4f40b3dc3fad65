"""A worker's process: what the machine image's boot program does on Google Cloud, then Beam's own worker.

    python -S -P worker.py CORE LEFT,OUT NAME ...     with PYTHONPATH=<site>:<site-packages>

It is run as a file, and imports nothing of this project: the project is hidden from it. `-S` skips .pth files,
which is how a project under development is installed; NAMEs, which may be installed for good beside Beam, are
found in <site> alone, the first of PYTHONPATH. So is what is LEFT OUT of Beam's import (pipeline/imports.py), but
for that time only. A worker has one CORE, where the system can keep it to one.
"""

from __future__ import annotations

import gc
import importlib.abc
import importlib.machinery
import logging
import os
import signal
import sys
import threading
from collections.abc import Collection, Sequence
from types import ModuleType


class StagedOnly(importlib.abc.MetaPathFinder):
    """Finds some packages where they were staged, or not at all."""

    def __init__(self, names: Collection[str], site: str) -> None:
        self._names = frozenset(names)
        self._site = site

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        if fullname not in self._names:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, [self._site])
        if spec is None:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return spec


def end_with_parent() -> int:
    """Have this process and its whole group killed when the pipe on standard input closes.

    Gives the pipe, for children that are to do the same. Standard input itself is empty from now on.
    """
    pipe = os.dup(0)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - no pathlib: a worker's start is waited for
        os.dup2(nothing.fileno(), 0)

    def watch() -> None:
        while os.read(pipe, 1):
            pass
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, name="end with parent", daemon=True).start()
    return pipe


def main(core: int, left_out: Sequence[str], names: Sequence[str]) -> None:
    end_with_parent()
    if sys.platform == "linux":
        os.sched_setaffinity(0, {core})
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    site = os.environ["PYTHONPATH"].split(os.pathsep)[0]
    at_first = StagedOnly(left_out, site)
    sys.meta_path[:0] = [StagedOnly(names, site), at_first]
    gc.disable()
    from apache_beam.runners.worker import sdk_worker_main

    sys.meta_path.remove(at_first)
    gc.freeze()  # as pipeline/imports.py does, which is not to be had here
    gc.enable()
    sdk_worker_main.main([])


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2].split(","), sys.argv[3:])
