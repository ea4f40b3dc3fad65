"""One process, now and for good: its id and the time it was made, for an id alone is soon another's."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass

import psutil

_SAME_SECONDS = 2.0  # Linux counts from its start, whose time moves a little as the clock is set
_END_SECONDS = 5.0


@dataclass(frozen=True)
class ProcessId:
    """One process, now and for good."""

    pid: int
    created: float  # seconds since the epoch

    @classmethod
    def of(cls, pid: int) -> ProcessId:
        return cls(pid, psutil.Process(pid).create_time())

    def living(self) -> psutil.Process | None:
        """The process while it runs; None when it has ended, even if nobody has asked how."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < _SAME_SECONDS
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None

    def end(self, seconds: float = _END_SECONDS) -> bool:
        """Ask it to end, and kill it if it has not after so long. False where there was nothing to end."""
        process = self.living()
        if process is None:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
            if not self._ended_within(seconds):
                process.kill()
                self._ended_within(_END_SECONDS)
        return True

    def _ended_within(self, seconds: float) -> bool:
        # psutil's own wait takes a zombie of another process for a living one.
        deadline = time.monotonic() + seconds
        while self.living() and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.living() is None
