"""The process that kernels are forked from: `python -m chimera_nb.server.fork_server SOCKET`, a descriptor's number.

It has imported what the dashboard's kernels need and does nothing else than wait for requests, on one thread, so that
no lock is held and nothing runs at the moment of a fork. It opens no connection, file, event loop or zmq context: a
kernel makes its own. It ends when the other end of its socket is closed, which is when the dashboard's server ends.

A request is a line of JSON, {"argv", "env", "cwd", "name"}, with the reading end of a pipe beside it, the lifeline. The
answer is a line, {"pid"}, with a pidfd of the kernel beside it. The kernel begins when a byte comes through its
lifeline, and ends when that is closed.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread
from typing import Any

from chimera_nb.server.kernel import log_to_server
from pipeline.imports import import_for_good

# A page's kernel has imported all of these by the time its first rows are on screen; none of them starts a thread.
# ipykernel comes first: what it provides is looked for by ipywidgets as it is imported.
_IMPORTED = (
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "ipywidgets",
    "anywidget",
    "chimera_nb.widgets.dashboard.widget",
    "google.cloud.storage",
)
_LARGEST_REQUEST = 8 << 20  # bytes; an environment can have two megabytes on Linux


def main(imported: Sequence[str] = _IMPORTED, run: Callable[[int], None] | None = None) -> None:
    """Import, then fork. `run`, given its lifeline, is what a kernel does; for tests."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    import_for_good(*imported)
    if threads := len(list(Path("/proc/self/task").iterdir())) - 1:
        sys.exit(f"kernels cannot be forked: what they import has started {threads} threads")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system reaps each kernel as it ends
    lifeline = None
    with contextlib.suppress(ConnectionError):  # the server has ended
        connection.sendall(b"{}\n")
        lifeline = _serve(connection)
    if lifeline is not None:
        (run or _run)(lifeline)


def _serve(connection: socket.socket) -> int | None:
    """Fork a kernel for each request until there are no more. Returns in each kernel too, with its lifeline."""
    while request := _received(connection):
        asked, lifeline = request
        pid = os.fork()
        if not pid:
            connection.close()
            _become(lifeline, **asked)
            return lifeline
        os.close(lifeline)
        known = os.pidfd_open(pid)
        try:
            socket.send_fds(connection, [json.dumps({"pid": pid}).encode() + b"\n"], [known])
        finally:
            os.close(known)
    return None


def _received(connection: socket.socket) -> tuple[dict[str, Any], int] | None:
    """The next request with its lifeline; None when there is none to come."""
    text, lifelines, _, _ = socket.recv_fds(connection, _LARGEST_REQUEST, 1)
    while text and not text.endswith(b"\n"):
        more = connection.recv(_LARGEST_REQUEST)
        if not more:
            return None
        text += more
    return (json.loads(text), lifelines[0]) if text else None


def _become(lifeline: int, *, argv: list[str], env: dict[str, str], cwd: str, name: str) -> None:
    """Be as `python -m chimera_nb.server.kernel ARGUMENTS` would, once the server knows of this process."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv = argv
    with contextlib.suppress(OSError):  # what `ps` and `top` call it
        Path("/proc/self/comm").write_text(name, "utf-8")
    if not os.read(lifeline, 1):
        os._exit(1)  # the server did not hear of this kernel


def _run(lifeline: int) -> None:
    """A kernel, to its end."""
    log_to_server()
    from ipykernel.kernelapp import IPKernelApp
    from ipywidgets import register_comm_target

    class ForkedKernelApp(IPKernelApp):
        """One that ends with its lifeline, and knows of the widgets that were imported before there was a shell."""

        def init_poller(self) -> None:
            self.poller = Lifeline(lifeline)

        def init_extensions(self) -> None:
            register_comm_target()
            super().init_extensions()

    ForkedKernelApp.launch_instance()


class Lifeline(Thread):
    """Ends this process, whatever it does, when its lifeline is closed."""

    def __init__(self, lifeline: int) -> None:
        super().__init__(name="lifeline", daemon=True)
        self._lifeline = lifeline

    def run(self) -> None:
        while os.read(self._lifeline, 1):
            pass
        os._exit(1)


if __name__ == "__main__":
    main()
