"""What was read so far of files that are not through."""

from __future__ import annotations

import threading


class ReadSoFar:
    """The bytes of files that are being read, as stored and raw, for whoever asks from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stored = self._raw = 0

    def add(self, stored: int, raw: int) -> None:
        with self._lock:
            self._stored += stored
            self._raw += raw

    def take(self) -> tuple[int, int]:
        """What was added since it was taken last."""
        with self._lock:
            taken = self._stored, self._raw
            self._stored = self._raw = 0
        return taken
