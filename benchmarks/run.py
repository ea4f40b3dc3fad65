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

# Quick ones are to end within three minutes: after so long none is begun any more, and then the last is stopped.
_QUICK_SECONDS = 150
_QUICK_STOPPED = 165
# From the one that takes least, so that a quick run comes to as many as it can.
_QUICK_ORDER = (
    *("listing", "small-objects", "startup", "markets", "records", "inventory", "model", "finish", "preview"),
    *(
        "catalogue",
        "forecast",
        "whole-job",
        "archives",
        "archive-workers",
        "visitors",
        "throughput",
        "dashboard",
    ),
    *("browser", "dataflow", "large", "views", "memory"),
)

Benchmark = Callable[[Context], list[Row]]


def in_order(names: list[str], *, quick: bool) -> list[str]:
    """The benchmarks in the order in which they are run."""
    last = len(_QUICK_ORDER)
    places = {name: place for place, name in enumerate(_QUICK_ORDER)}
    return sorted(names, key=lambda name: places.get(name, last)) if quick else names


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
        if self._left(_QUICK_SECONDS) <= 0:
            self.left_out.append(name)
            return
        print(f"{name}:", file=sys.stderr)
        work.mkdir()
        started = time.monotonic()
        try:
            with _stopped_after(self._left(_QUICK_STOPPED)):
                self.rows += benchmark(Context(self.data_dir, work, self.quick, self.root))
            self.seconds[name] = time.monotonic() - started
        except TooBusyError as e:
            print(f"no result: {e}", file=sys.stderr)
            if self.quick:  # which does without
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
        if self._left(_QUICK_SECONDS) < self.seconds[name]:
            return
        print(f"profile of {name}:", file=sys.stderr)
        work.mkdir()
        try:
            with _stopped_after(self._left(_QUICK_STOPPED)):
                context = Context(self.data_dir, work, True, self.root)
                self.profiles[name] = profile(benchmark, context)
        except Exception as e:  # noqa: BLE001 - the figures are what was wanted
            print(f"no profile of {name}: {e}", file=sys.stderr)

    def _left(self, seconds: float) -> float:
        """How long it may go on."""
        return self.began + seconds - time.monotonic() if self.quick else float("inf")


@contextmanager
def _stopped_after(seconds: float) -> Iterator[None]:
    """Raise TooBusyError in what is done here when it takes longer; whatever it has started it ends by itself."""
    if seconds == float("inf"):
        yield
        return

    def stop(*_: object) -> None:
        raise TooBusyError("there was no time left for it")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
