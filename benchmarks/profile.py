"""Where a benchmark's processes spend their time: it is run once more, quickly, and sampled.

Each Python that it starts imports `sampling/sitecustomize`.
"""

from __future__ import annotations

import json
import os
import sysconfig
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.row import Context, Row

_SAMPLING = Path(__file__).parent / "sampling"
SHOWN = 12
# Where a thread waits for others: no work, and more of it than of all else.
_WAITS = frozenset(
    {
        "wait",
        "_wait_for_tstate_lock",
        "select",
        "poll",
        "accept",
        "get",
        "_recv",
        "_worker",
        "read_events",
        "_try_wait",
    }
)
_PYTHON = f"{Path(sysconfig.get_path('stdlib')).parent}/"


def profile(benchmark: Callable[[Context], list[Row]], context: Context) -> list[tuple[str, float]]:
    """The functions at which its processes were most often seen, and each one's share of all that were no waiting."""
    with tempfile.TemporaryDirectory(dir=context.work) as folder, _sampling_into(folder):
        benchmark(context)
        counts: Counter[str] = Counter()
        for path in Path(folder).glob("*.json"):
            counts.update(json.loads(path.read_text()))
    return shares(counts, context.root)


def shares(counts: Counter[str], root: Path) -> list[tuple[str, float]]:
    """The SHOWN largest, named from the repository or the package on."""
    work = {
        name: count
        for name, count in counts.items()
        if name.rpartition(".")[2].rpartition(":")[2] not in _WAITS
    }
    whole = sum(work.values()) or 1
    most = Counter(work).most_common(SHOWN)
    return [(_short(name, root), count / whole) for name, count in most]


def _short(name: str, root: Path) -> str:
    path, _, function = name.rpartition(":")
    path = path.removeprefix(f"{root}/").removeprefix(_PYTHON).rpartition("site-packages/")[2]
    return f"{path} {function}"


@contextmanager
def _sampling_into(folder: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in ("PYTHONPATH", "BENCHMARK_PROFILES")}
    known = before["PYTHONPATH"]
    os.environ["PYTHONPATH"] = f"{_SAMPLING}{os.pathsep}{known}" if known else str(_SAMPLING)
    os.environ["BENCHMARK_PROFILES"] = folder
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
