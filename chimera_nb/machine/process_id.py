"""One process, identified by its pid and its start: a pid alone is given to another process later.

Nothing here asks what time it is. The kernel counts ticks from its own start, and has a random id for each of its
starts: both stay what they are when somebody sets the clock.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

_END_SECONDS = 5.0
_PROC = Path("/proc")
_NO_BOOT_ID = "unknown"


@dataclass(frozen=True)
class ProcessId:
    """The identity of one process.

    pid          its number, within its namespace
    start_ticks  when it was started: ticks since its kernel was (on macOS the kernel's own note of the time)
    boot_id      one start of one kernel
    namespace    where the number means this process: each container has its own on one kernel
    """

    pid: int
    start_ticks: int
    boot_id: str
    namespace: str

    @classmethod
    def of(cls, pid: int) -> ProcessId:
        """Raises ProcessLookupError where there is none."""
        return cls(pid, _look(pid)[0], boot_id(), namespace())

    @property
    def can_be_seen(self) -> bool:
        """Whether its number means here what it meant there; else nothing can be said of it."""
        return _NO_BOOT_ID != self.boot_id == boot_id() and self.namespace == namespace()

    def living(self) -> bool:
        """Whether it runs, here. One that has ended is gone, even if nobody has asked how."""
        if (self.boot_id, self.namespace) != (boot_id(), namespace()):
            return False
        try:
            start_ticks, is_zombie = _look(self.pid)
        except ProcessLookupError:
            return False
        return start_ticks == self.start_ticks and not is_zombie

    def end(self, seconds: float = _END_SECONDS) -> bool:
        """Ask it to end, and kill it, with what it has started, if it has not after so long.

        False where there was nothing to end.
        """
        if not self.living():
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
            if not self._ended_within(seconds):
                self._kill()
                self._ended_within(_END_SECONDS)
        return True

    def _kill(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            top = psutil.Process(self.pid)
            started_by_it = top.children(recursive=True)
            for one in [top, *started_by_it] if self.living() else ():
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()

    def _ended_within(self, seconds: float) -> bool:
        # psutil's own wait takes a zombie of another process for a living one.
        deadline = time.monotonic() + seconds
        while self.living() and time.monotonic() < deadline:
            time.sleep(0.02)
        return not self.living()


@functools.cache
def boot_id() -> str:
    """The random id of this start of the kernel; "unknown" where the system has none (gVisor)."""
    with contextlib.suppress(OSError):
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip() or _NO_BOOT_ID
    if sys.platform == "darwin":
        found = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"], capture_output=True, text=True, check=False
        )
        return found.stdout.strip() or _NO_BOOT_ID
    return _NO_BOOT_ID


@functools.cache
def namespace() -> str:
    """The namespaces by which this process sees numbers and ticks; "" where the system has none."""
    found = []
    for kind in ("pid", "time"):
        with contextlib.suppress(OSError):
            found.append(str((_PROC / "self/ns" / kind).readlink()))
    return " ".join(found)


def _look(pid: int) -> tuple[int, bool]:
    """When a process was started, and whether it is a zombie. Raises ProcessLookupError where there is none."""
    if not (_PROC / "self/stat").exists():
        return _ask_ps(pid)
    try:
        text = (_PROC / str(pid) / "stat").read_bytes()
    except OSError as e:
        raise ProcessLookupError(f"no process {pid}") from e
    # proc_pid_stat(5): the name, in parentheses, may hold any character; the state is field 3, the start 22.
    fields = text.rpartition(b")")[2].split()
    return int(fields[19]), fields[0] in (b"Z", b"X")


def _ask_ps(pid: int) -> tuple[int, bool]:
    """The same by ps. macOS notes the time of day as it starts a process, and sets the note by no clock later."""
    found = subprocess.run(
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C", "TZ": "UTC"},
    )
    state, _, started = found.stdout.strip().partition(" ")
    if not started:
        raise ProcessLookupError(f"no process {pid}")
    when = datetime.strptime(" ".join(started.split()), "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    return int(when.timestamp()), state.startswith("Z")
