"""Kernels by fork: each is a process of its own, and none outlives, blocks or is lost with what it came from."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from chimera_nb.server.forking import ForkServer, ForkServerError, can_fork
from tests.fixtures.waiting import until_async

pytestmark = pytest.mark.skipif(not can_fork(), reason="this system has no pidfd")

# The fork server with nothing imported. A kernel writes down what it is, and how often it was interrupted.
_PROGRAM = """
import json, os, random, signal, sys, threading
from chimera_nb.server import fork_server

def kernel(lifeline):
    fork_server.Lifeline(lifeline).start()
    interrupts = []
    def say(*_):
        said = {
            "argv": sys.argv, "environment": dict(os.environ), "cwd": os.getcwd(), "random": random.random(),
            "session": os.getsid(0), "threads": threading.active_count(), "interrupts": len(interrupts),
            "sockets": [n for n in os.listdir("/proc/self/fd") if "socket" in os.path.realpath(f"/proc/self/fd/{n}")],
            "child": os.waitstatus_to_exitcode(os.system("exit 3")),
        }
        with open(sys.argv[1] + ".new", "w") as file:
            json.dump(said, file)
        os.replace(sys.argv[1] + ".new", sys.argv[1])
    def interrupted(*_):
        interrupts.append(_)
        say()
    signal.signal(signal.SIGINT, interrupted)
    say()
    while True:
        signal.pause()

fork_server.main((), kernel)
"""
_THREADED = """
import threading
from chimera_nb.server import fork_server
threading.Thread(target=threading.Event().wait, daemon=True).start()
fork_server.main(())
"""
COMMAND = (sys.executable, "-c", _PROGRAM)


def said(path: Path):
    return json.loads(path.read_text()) if path.exists() else None


@contextlib.contextmanager
def forking(tmp_path, command=COMMAND):
    server = ForkServer({**os.environ, "FROM": "server"}, str(tmp_path), command)
    try:
        yield server
    finally:
        server.close()


def test_kernels_are_processes_of_their_own_that_end_as_told(tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()

    async def use(server):
        a, b = await asyncio.gather(
            *(server.fork([n, str(tmp_path / n)], {"NAME": n}, str(folder), f"kernel-{n}") for n in "ab")
        )
        first, second = [await until_async(lambda n=n: said(tmp_path / n)) for n in "ab"]
        assert first["argv"] == ["a", str(tmp_path / "a")]
        assert first["environment"]["NAME"] == "a"
        assert "FROM" not in first["environment"]  # all of it is the one that was asked for
        assert first["cwd"] == str(folder)
        assert first["session"] == a.pid  # Ctrl-C at the server's terminal is not for it
        assert first["random"] != second["random"]
        assert first["threads"] == 2  # its own and the lifeline's
        assert first["sockets"] == second["sockets"] == []  # none of the server's or of each other
        assert first["child"] == 3  # it hears of its own children
        assert psutil.Process(a.pid).name() == "kernel-a"

        a.send_signal(signal.SIGINT)
        await until_async(lambda: said(tmp_path / "a")["interrupts"] == 1)
        assert said(tmp_path / "b")["interrupts"] == 0

        assert (a.poll(), b.poll()) == (None, None)
        a.kill()
        assert a.wait() == -1
        await until_async(lambda: not psutil.pid_exists(a.pid))  # nor a zombie
        a.send_signal(signal.SIGINT)  # of what has ended: nothing happens
        assert (a.poll(), b.poll()) == (-1, None)

        os.kill(server.pid, signal.SIGKILL)  # kernels go on without it, and new ones are refused for a while
        with pytest.raises(ForkServerError):
            await server.fork(["c", str(tmp_path / "c")], {}, str(folder), "kernel-c")
        with pytest.raises(ForkServerError, match="last minute"):
            await server.fork(["c", str(tmp_path / "c")], {}, str(folder), "kernel-c")
        assert b.poll() is None
        server._failed_at = float("-inf")
        c = await server.fork(["c", str(tmp_path / "c")], {}, str(folder), "kernel-c")
        assert await until_async(lambda: said(tmp_path / "c"))
        for kernel in (b, c):
            kernel.terminate()
            assert kernel.wait() == -1

    with forking(tmp_path) as server:
        asyncio.run(use(server))
    assert server.pid is None


def test_a_kernel_ends_with_the_server_that_was_killed(tmp_path):
    program = f"""
import asyncio, signal
from chimera_nb.server.forking import ForkServer
server = ForkServer({{}}, {str(tmp_path)!r}, {COMMAND!r})
kernel = asyncio.run(server.fork(["a", {str(tmp_path / "a")!r}], {{}}, "/", "kernel-a"))
print(server.pid, kernel.pid, flush=True)
signal.pause()
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        pids = [int(pid) for pid in process.stdout.readline().split()]
        asyncio.run(until_async(lambda: said(tmp_path / "a")))
        process.kill()
    assert len(pids) == 2
    asyncio.run(until_async(lambda: not any(map(psutil.pid_exists, pids))))


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("raise SystemExit('no')", "nothing more"),
        ("import os, sys; os.write(int(sys.argv[1]), b'{}\\n')", "ended|nothing more|Broken pipe|reset"),
        (_THREADED, "nothing more"),
    ],
)
def test_a_fork_server_that_cannot_serve_says_so_once(tmp_path, caplog, program, why):
    with forking(tmp_path, (sys.executable, "-c", program)) as server:
        for _ in range(2):
            with pytest.raises(ForkServerError, match=f"{why}|last minute"):
                asyncio.run(server.fork([], {}, "/", "kernel"))
    assert [record.message for record in caplog.records if "fork server" in record.message] != []
    assert len(caplog.records) == 1
