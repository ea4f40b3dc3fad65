"""Seconds that are spent on one thing, added up over many times."""

from __future__ import annotations

import time


class Stopwatch:
    """Runs within a `with`, by one thread at a time. Attribute: seconds, so far."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._began = 0.0

    def __enter__(self) -> None:
        self._began = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.monotonic() - self._began
