"""A worker's process: what the machine image's boot program does on Google Cloud, then Beam's own worker.

It is a copy of the job's process, made when Beam has been imported there: that import is most of what a worker costs.
The project is then hidden from it, and so is what else of the job's process Google Cloud has not: it finds the packages
beside Beam, and first of all those that were staged. A worker has one core, where the system can keep it to one.
"""

from __future__ import annotations

import gc
import importlib
import importlib.abc
import importlib.machinery
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
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

    Gives the pipe, for copies of this process that are to do the same. Standard input itself is empty from now on.
    """
    pipe = os.dup(0)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    _end_with(pipe)
    return pipe


def _end_with(pipe: int) -> None:
    def watch() -> None:
        while os.read(pipe, 1):
            pass
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, name="end with parent", daemon=True).start()


class Worker:
    """A copy of this process, which waits to be told which worker it is. To be made before gRPC serves anything."""

    def __init__(self, path: Sequence[str], hidden: Collection[str], pipe: int) -> None:
        """`path` is its sys.path, with the staged packages in the first folder; `hidden` are found there alone.

        `pipe` is that of `end_with_parent`.
        """
        from apache_beam.runners.worker import sdk_worker_main

        told, self._tell = os.pipe()
        gc.freeze()
        self._pid = os.fork()
        if self._pid:
            os.close(told)
            return
        code = 1
        try:
            _end_with(pipe)
            os.close(self._tell)
            with os.fdopen(told) as given:
                _become(**json.loads(given.readline()))
            _hide(path, hidden)
            sdk_worker_main.main([])
            code = 0
        except BaseException:  # noqa: BLE001 - this process is a copy of another, and must not go on as that
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def start(self, environment: Mapping[str, str], log: Path, core: int) -> None:
        """Have it begin, with these variables besides this process's own."""
        given = {"environment": dict(environment), "log": str(log), "core": core}
        with os.fdopen(self._tell, "w") as tell:
            print(json.dumps(given), file=tell)

    def wait(self) -> int:
        """Its exit code when it has ended, negative for a signal. To be called once."""
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])


def _become(environment: Mapping[str, str], log: str, core: int) -> None:
    os.environ.update(environment)
    with Path(log).open("wb") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    if sys.platform == "linux":
        os.sched_setaffinity(0, {core})


def _hide(path: Sequence[str], hidden: Collection[str]) -> None:
    """Forget what was imported of the hidden packages and of staged ones, and find them where they were staged."""
    staged = {found.name.partition(".")[0] for found in Path(path[0]).iterdir()}
    for name in [name for name in sys.modules if name.partition(".")[0] in staged.union(hidden)]:
        del sys.modules[name]
    sys.modules["__main__"] = ModuleType("__main__")
    editable = [finder for finder in sys.meta_path if "__editable__" in getattr(finder, "__module__", "")]
    sys.meta_path[:] = [StagedOnly(hidden, path[0]), *(f for f in sys.meta_path if f not in editable)]
    sys.path[:] = path
    importlib.invalidate_caches()
