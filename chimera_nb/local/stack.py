"""The local stack: start, serve, stop and find it.

A stack is one supervisor process on one data folder. It runs the services in `_serve`, in their order, and ends
them in the other. `stack.lock` is held for as long as it lives, so one folder has one supervisor;
`start.lock` while somebody starts or stops it, so two who start it get the same one.

    <data_dir>/stack.json     the living stack      <data_dir>/stack.log     what its supervisor says
    <data_dir>/storage/       buckets and objects   <data_dir>/incoming/     objects that are being written
    <data_dir>/dataflow/      jobs of the Dataflow  <data_dir>/dataflow.log  what it says, and what it is not
    <data_dir>/set-aside/     files found in storage/ that are no objects

Importing this module is cheap: services are imported where they run.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from chimera_nb.local.state import Record, clean, known_data_dirs, read_record
from chimera_nb.machine.private import open_private, private_data_dir
from chimera_nb.machine.process_id import ProcessId
from pipeline.errors import StackError
from pipeline.folders import absolute, current_folder
from pipeline.imports import import_for_good
from pipeline.proxies import direct_environment

if TYPE_CHECKING:
    from chimera_nb.local.storage.faults import Faults

_START_SECONDS = 60.0
_STOP_SECONDS = 15.0


@dataclass(frozen=True)
class Stack:
    """A stack that runs."""

    data_dir: Path
    storage_endpoint: str  # http://localhost:PORT
    dataflow_endpoint: str  # the same, of another port
    pid: int  # of its supervisor
    started_at: str  # RFC 3339

    def exports(self) -> dict[str, str]:
        """The environment in which clients, ours and others', find this stack."""
        from chimera_nb.environment import client_environment

        return {
            "STORAGE_EMULATOR_HOST": self.storage_endpoint,
            "CHIMERA_DATA_DIR": str(self.data_dir),
            **client_environment(self.dataflow_endpoint, self.data_dir),
            **direct_environment(),
        }


def start(data_dir: Path) -> Stack:
    """A stack on this data that goes on without us: the one that runs already, else a new one.

    Raises StackError with the end of its log if it does not come up.
    """
    data_dir = _prepared(data_dir)
    with _locked(data_dir / "start.lock", _START_SECONDS):
        running = _living(data_dir)
        if running:
            return running
        log = data_dir / "stack.log"
        with open_private(log, "wb") as output:
            supervisor = subprocess.Popen(
                [sys.executable, "-m", "chimera_nb.local.stack", str(data_dir)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd=data_dir,
            )
        # Somebody must ask how it ended, or it stays behind as a zombie of ours.
        threading.Thread(target=supervisor.wait, name="wait for the local stack", daemon=True).start()
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and supervisor.returncode is None:
            running = _living(data_dir)
            if running:
                return running
            time.sleep(0.02)
        running = _living(data_dir)  # one that somebody began in the foreground at the same time
        if running:
            return running
        if supervisor.returncode is None:
            supervisor.kill()
    from chimera_nb.local.storage.server import tail

    raise StackError(f"the local stack on {data_dir} does not start: {tail(log)} (all of it: {log})")


def serve(
    data_dir: Path, on_ready: Callable[[Stack], None] | None = None, faults: Faults | None = None
) -> None:
    """Be the stack, in the foreground, until SIGINT or SIGTERM; `on_ready` is called once, when it answers.

    Call it from the main thread. Raises StackError where a stack runs on this data already.
    """
    data_dir = _prepared(data_dir)
    with _locked(data_dir / "stack.lock", 0):
        clean(data_dir)
        before = os.umask(0o077)  # all that it writes, and all that it starts, is its owner's
        try:
            asyncio.run(_serve(data_dir, on_ready or (lambda _: None), faults))
        finally:
            os.umask(before)
            clean(data_dir)


async def _serve(data_dir: Path, on_ready: Callable[[Stack], None], faults: Faults | None) -> None:
    import_for_good("chimera_nb.local.dataflow.server", "chimera_nb.local.storage.server")
    from chimera_nb.local.dataflow.server import running_dataflow
    from chimera_nb.local.ports import listen
    from chimera_nb.local.storage.server import running_storage

    serving = asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM):

        def end(number: signal.Signals = number) -> None:
            for each in (signal.SIGINT, signal.SIGTERM):  # a second one would break off the cleaning up
                asyncio.get_running_loop().add_signal_handler(each, lambda: None)
            if serving is not None:
                serving.cancel(f"signal {number}")

        asyncio.get_running_loop().add_signal_handler(number, end)
    try:
        async with contextlib.AsyncExitStack() as services:
            storage = await services.enter_async_context(running_storage(data_dir, faults))
            listening = services.enter_context(listen(data_dir / "dataflow.port"))
            await services.enter_async_context(running_dataflow(listening, data_dir, storage))
            record = Record(
                ProcessId.of(os.getpid()),
                storage,
                f"http://localhost:{listening.getsockname()[1]}",
                datetime.now(UTC).isoformat(timespec="seconds"),
            )
            record.write(data_dir)
            on_ready(_stack(data_dir, record))
            await asyncio.get_running_loop().create_future()  # until a signal
    except asyncio.CancelledError:
        return  # a signal: this is how a stack ends


def stop(data_dir: Path) -> bool:
    """End the stack on this data, and all it started. False where none was running; its data stays.

    It ends the process that the record names only if that is this user's and something holds the stack's lock. Raises
    UntrustedError for a record that others can write.
    """
    data_dir = _resolved(data_dir)
    if not data_dir.is_dir():
        return False
    with _locked(data_dir / "start.lock", _START_SECONDS):
        record = read_record(data_dir)
        was_running = record is not None and _is_supervised(data_dir) and _is_mine(record)
        if record is not None and was_running:
            was_running = record.supervisor.end(_STOP_SECONDS)
        clean(data_dir)
    return was_running


def find(data_dir: Path | None = None) -> Stack | None:
    """The stack that runs on this data. None where there is none.

    Without `data_dir`: the one $CHIMERA_DATA_DIR names, if it is set; else that of the nearest .chimera upward
    that has one; else the only one this user runs. Raises StackError where there are several.
    """
    named = data_dir or os.environ.get("CHIMERA_DATA_DIR")
    if named:
        return _living(_resolved(named))
    for folder in _upward():
        running = _living(folder)
        if running:
            return running
    all_running = [running for folder in known_data_dirs() if (running := _living(folder))]
    if len(all_running) > 1:
        folders = ", ".join(str(running.data_dir) for running in all_running)
        raise StackError(
            f"{len(all_running)} local stacks are running ({folders}); say which with --data-dir"
        )
    return all_running[0] if all_running else None


def _living(data_dir: Path) -> Stack | None:
    record = read_record(data_dir)
    return _stack(data_dir, record) if record and _is_mine(record) else None


def _is_mine(record: Record) -> bool:
    """Whether the supervisor lives, and is this user's."""
    try:
        return record.supervisor.living() and psutil.Process(record.supervisor.pid).uids().real == os.getuid()
    except psutil.NoSuchProcess:  # it has just ended
        return False


def _is_supervised(data_dir: Path) -> bool:
    """Whether a process holds the lock that a supervisor holds for as long as it lives."""
    try:
        with _locked(data_dir / "stack.lock", 0):
            return False
    except StackError:
        return True


def _stack(data_dir: Path, record: Record) -> Stack:
    return Stack(
        data_dir, record.storage_endpoint, record.dataflow_endpoint, record.supervisor.pid, record.started_at
    )


def _upward() -> Iterator[Path]:
    here = Path(current_folder())
    return (folder / ".chimera" for folder in (here, *here.parents))


def _resolved(data_dir: Path | str) -> Path:
    """The data folder from / on, without links. Raises StackError for links that lead nowhere."""
    try:
        return Path(absolute(str(data_dir))).resolve()
    except (OSError, RuntimeError) as e:  # the latter for links in a circle
        raise StackError(f"{data_dir} cannot be followed ({e}); pass another --data-dir") from e


def _prepared(data_dir: Path) -> Path:
    """The data folder, made if need be, absolute. Raises StackError where it cannot be written."""
    data_dir = _resolved(data_dir)
    if data_dir.exists() and not data_dir.is_dir():
        raise StackError(
            f"{data_dir} is a file; the local stack keeps its data in a folder: pass another --data-dir"
        )
    try:
        private_data_dir(data_dir)
        probe = data_dir / f".writable.{os.getpid()}.{threading.get_ident()}"
        probe.touch()
        probe.unlink()
    except OSError as e:
        raise StackError(
            f"{data_dir} cannot be written ({e.strerror}); pass --data-dir with a folder that can"
        ) from e
    return data_dir


@contextlib.contextmanager
def _locked(path: Path, seconds: float) -> Iterator[None]:
    """Hold a lock that ends with its process. Raises StackError if another holds it for longer than that."""
    deadline = time.monotonic() + seconds
    with open_private(path, "ab") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() >= deadline:
                    raise StackError(
                        f"another process has the local stack on {path.parent} in hand ({path.name}); "
                        "`chimera down` ends it, --data-dir starts another beside it"
                    ) from None
                time.sleep(0.05)
        yield


def _main() -> int:
    import logging

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    try:
        serve(Path(sys.argv[1]))
    except StackError as e:
        print(e, file=sys.stderr)  # noqa: T201 - its standard error is the log
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main())
