"""One run of several benchmarks: what came of each. One that fails, or takes too long, is no other's loss."""

from __future__ import annotations

import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.profile import profile
from benchmarks.row import BenchmarkError, Context, MissingPeerError, Row, TooBusyError

# Quick ones are to end within three minutes, others within thirty-five: after so long none is begun any more, and then
# the last is stopped.
_QUICK_SECONDS, _QUICK_STOPPED = 140, 150
_SECONDS, _STOPPED = 38 * 60, 42 * 60
# From the one that takes least, so that a run that is out of time has come to as many as it can.
_ORDER = (
    *("markets", "small-objects", "startup", "preview", "records", "catalogue", "finish", "model"),
    *("inventory", "listing", "forecast", "whole-job", "archives", "archive-workers", "visitors"),
    *(
        "large-ranges",
        "large-workers",
        "large",
        "throughput",
        "dashboard",
        "browser",
        "dataflow",
        "views",
        "memory",
    ),
)

Benchmark = Callable[[Context], list[Row]]


class OutOfTimeError(TooBusyError):
    """A benchmark was stopped."""


def in_order(names: list[str]) -> list[str]:
    """The benchmarks in the order in which they are run."""
    places = {name: place for place, name in enumerate(_ORDER)}
    return sorted(names, key=lambda name: places.get(name, len(places)))


@dataclass
class Run:
    """What has been measured so far.

    quick     little data, once, and no goal is judged
    data_dir  holds what is made once and kept
    root      the repository
    seconds   that each took
    left_out  for which there was no time
    failed    with the reason in a line
    profiles  of some, run quickly
    """

    quick: bool
    data_dir: Path
    root: Path
    rows: list[Row] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, list[tuple[str, float]]] = field(default_factory=dict)
    is_missing_peer: bool = False
    began: float = field(default_factory=time.monotonic)

    def measure(self, name: str, benchmark: Benchmark, work: Path) -> None:
        """Run a benchmark in a folder of its own, which is made."""
        if self._left() <= 0:
            self.left_out.append(name)
            return
        print(f"{name}:", file=sys.stderr)
        work.mkdir()
        started = time.monotonic()
        try:
            with _stopped_after(self._left(last=True)):
                self.rows += benchmark(Context(self.data_dir, work, self.quick, self.root))
            self.seconds[name] = time.monotonic() - started
        except TooBusyError as e:
            print(f"no result: {e}", file=sys.stderr)
            if self.quick or isinstance(e, OutOfTimeError):
                self.left_out.append(name)
            else:
                self.failed[name] = str(e)
        except BenchmarkError as e:
            print(f"no result: {e}", file=sys.stderr)
            self.failed[name] = str(e).partition("\n")[0]
            self.is_missing_peer = self.is_missing_peer or isinstance(e, MissingPeerError)
        except Exception as e:  # noqa: BLE001 - a fault of one benchmark; the others are not measured anew for it
            traceback.print_exc()
            self.failed[name] = f"{type(e).__name__}: {e}".partition("\n")[0]

    def profile(self, name: str, benchmark: Benchmark, work: Path) -> None:
        """See where a benchmark spends its time, if there is some left; it is run quickly."""
        if self._left() < (self.seconds[name] if self.quick else 60):
            return
        print(f"profile of {name}:", file=sys.stderr)
        work.mkdir()
        try:
            with _stopped_after(self._left(last=True)):
                context = Context(self.data_dir, work, True, self.root)
                self.profiles[name] = profile(benchmark, context)
        except Exception as e:  # noqa: BLE001 - the figures are what was wanted
            print(f"no profile of {name}: {e}", file=sys.stderr)

    def _left(self, *, last: bool = False) -> float:
        """For how many seconds another may be begun, or with `last` that one go on."""
        begin, end = (_QUICK_SECONDS, _QUICK_STOPPED) if self.quick else (_SECONDS, _STOPPED)
        return self.began + (end if last else begin) - time.monotonic()


@contextmanager
def _stopped_after(seconds: float) -> Iterator[None]:
    """Raise TooBusyError in what is done here when it takes longer; whatever it has started it ends by itself."""

    def stop(*_: object) -> None:
        raise OutOfTimeError("there was no time left for it")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
