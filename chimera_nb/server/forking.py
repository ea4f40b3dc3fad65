"""The dashboard's end of the fork server: start it, ask it for kernels, do without it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

PARENT_VARIABLE = "JPY_PARENT_PID"
_COMMAND = (sys.executable, "-m", "chimera_nb.server.fork_server")
_LARGEST_ANSWER = 4096
_UP_SECONDS = 60.0  # for its imports, on a machine that has much else to do
_FORK_SECONDS = 20.0
_AGAIN_SECONDS = 60.0

_log = logging.getLogger(__name__)


class ForkServerError(Exception):
    """There is no fork server now. The kernel that was asked for does not exist, and will not."""


class ForkedProcess:
    """A forked kernel, as far as jupyter_client uses a Popen. Its exit code is not known: -1 when it has ended."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, pidfd: int, lifeline: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._pidfd, self._lifeline = pidfd, lifeline

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._pidfd], [], [], 0)[0]:
            self._ended()
        return self.returncode

    def wait(self) -> int:
        if self.returncode is None:
            select.select([self._pidfd], [], [])
            self._ended()
        return -1

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            signal.pidfd_send_signal(self._pidfd, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended(self) -> None:
        self.returncode = -1
        os.close(self._pidfd)
        os.close(self._lifeline)
        # The fork server reaps it, unless that has ended; it is a child of the first process of the container then,
        # which may be this one.
        with contextlib.suppress(OSError):
            os.waitpid(self.pid, os.WNOHANG)


def can_fork() -> bool:
    """Whether this system has what forking kernels takes: Linux 5.3, outside of a sandbox that knows no pidfd."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


class ForkServer:
    """A process that forks kernels. For one event loop; where it fails, a new one is tried after a minute."""

    def __init__(
        self, environment: Mapping[str, str], folder: str, command: Sequence[str] = _COMMAND
    ) -> None:
        """`environment` and `folder` are those of the kernels; `command` gets the number of its socket."""
        # ipykernel reads the variable as it is imported.
        self._environment = {**environment, PARENT_VARIABLE: str(os.getpid())}
        self._folder, self._command = folder, tuple(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._is_up = False
        self._failed_at = float("-inf")
        self._turn = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def begin(self) -> None:
        """Have it import what kernels need, so that the first one is there sooner."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [*self._command, str(theirs.fileno())],
                    env=self._environment,
                    cwd=self._folder,
                    stdin=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,  # Ctrl-C is for the dashboard's server, which ends it
                )
            except BaseException:
                ours.close()
                raise
        self._connection, self._is_up = ours, False

    async def fork(self, argv: Sequence[str], env: Mapping[str, str], cwd: str, name: str) -> ForkedProcess:
        """A kernel with these arguments, which `name` stands for in lists of processes. Raises ForkServerError."""
        request = {"argv": list(argv), "env": dict(env), "cwd": cwd, "name": name}
        async with self._turn:
            if self._process is None and time.monotonic() - self._failed_at < _AGAIN_SECONDS:
                raise ForkServerError("it has ended within the last minute")
            try:
                return await asyncio.to_thread(self._forked, json.dumps(request).encode() + b"\n")
            except (OSError, ValueError, KeyError, IndexError) as e:
                self.close()
                self._failed_at = time.monotonic()
                why = str(e) or type(e).__name__
                _log.warning("The fork server has ended (%s): kernels start without it and take longer", why)
                raise ForkServerError(why) from e

    def close(self) -> None:
        """End it. The kernels that it made go on."""
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._connection = self._process = None

    def _forked(self, request: bytes) -> ForkedProcess:
        if self._process is None:
            self.begin()
        connection = self._connection
        assert connection is not None
        if not self._is_up:
            connection.settimeout(_UP_SECONDS)
            _answer(connection)
            self._is_up = True
        connection.settimeout(_FORK_SECONDS)
        lifeline, keep = os.pipe()
        try:
            try:
                socket.send_fds(connection, [request[:1]], [lifeline])
            finally:
                os.close(lifeline)
            connection.sendall(request[1:])
            said, pidfds = _answer(connection)
            kernel = ForkedProcess(said["pid"], pidfds[0], keep)
        except BaseException:
            os.close(keep)  # a kernel that was forked all the same ends by it
            raise
        with contextlib.suppress(BrokenPipeError):  # it has ended already
            os.write(keep, b"!")
        return kernel


def _answer(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """What the fork server says, and the descriptors with it. Raises OSError, ValueError."""
    text, descriptors, _, _ = socket.recv_fds(connection, _LARGEST_ANSWER, 1)
    if not text:
        raise ConnectionError("it said nothing more")
    return json.loads(text), descriptors
