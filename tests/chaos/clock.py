"""Clocks that step, for processes started from here: libfaketime, which Debian's package `faketime` brings."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from tests.chaos.ground import Ground

_PLACES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/local/lib/faketime/libfaketimeMT.so.1")


class MissingFaketimeError(Exception):
    """Clocks cannot be made to step here."""


class Clock:
    """The wall clock of the processes that were started with it; the monotonic one goes on as it does."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._offset = 0
        self.step(0)

    def step(self, seconds: int) -> None:
        self._offset += seconds
        whole = self._file.with_suffix(".new")
        whole.write_text(f"{self._offset:+d}s\n")
        whole.replace(self._file)


def environment(**timed: str) -> dict[str, str]:
    """The variables that give a process another clock."""
    return {
        "LD_PRELOAD": str(_library()),
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_NO_CACHE": "1",
        **timed,
    }


@contextlib.contextmanager
def stepping(ground: Ground) -> Iterator[Clock]:
    """Jobs that are submitted within have a clock that can be made to step."""
    file = ground.running.data_dir / "clock"
    clock = Clock(file)
    wanted = environment(FAKETIME_TIMESTAMP_FILE=str(file))
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield clock
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _library() -> Path:
    for pattern in _PLACES:
        for found in Path("/").glob(pattern[1:]):
            return found
    raise MissingFaketimeError(
        "clocks cannot step here: install libfaketime (Debian: apt-get install faketime)"
    )
