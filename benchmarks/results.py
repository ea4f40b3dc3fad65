"""RESULTS.md: what was measured, on what, when; and where the two slowest benchmarks spent their time."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from benchmarks.row import cells
from benchmarks.run import Run
from pipeline.cores import usable_cores

_PACKAGES = (
    "apache-beam",
    "google-cloud-storage",
    "pyarrow",
    "pandas",
    "msgspec",
    "betfairlightweight",
    "betfair-data",
)


def machine() -> dict[str, str]:
    """What it was measured on."""
    return {
        "cores": str(len(usable_cores())),
        "processor": _processor(),
        "memory": f"{psutil.virtual_memory().total / 1e9:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "load": f"{os.getloadavg()[0]:.1f}",
        "Python": platform.python_version(),
        **{name: found for name in _PACKAGES if (found := _version(name))},
    }


def document(run: Run) -> str:
    """The whole of it, in Markdown."""
    about = machine()
    how = "`make bench`"
    if run.quick:
        how = "`make bench ARGS=--quick`: little data, once, and no goal is judged"
    parts = [
        "# What was measured",
        f"{how}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC. Ratios are to a peer in the same run.",
        _table(("", ""), about.items()),
        "## Rows",
        _table(
            ("what", "ours", "peer", "ratio", "goal", "met"),
            [cells(row, judged=not run.quick) for row in run.rows],
        ),
        "## Seconds",
        _table(("benchmark", "took"), _seconds(run.seconds)),
    ]
    if run.failed:
        parts += ["## No result", _table(("benchmark", "why"), run.failed.items())]
    if run.left_out:
        parts.append(f"Left out, since there was no time for them: {', '.join(run.left_out)}.")
    for name, found in run.profiles.items():
        parts += [
            f"## Where {name} spends its time",
            "Of the moments at which a thread was at work, when it is run quickly:",
            _table(("share", "function"), [(f"{share:.1%}", f"`{where}`") for where, share in found]),
        ]
    return "\n\n".join(parts) + "\n"


def _seconds(took: Mapping[str, float]) -> list[tuple[str, str]]:
    return [(name, f"{seconds:.0f} s") for name, seconds in (*took.items(), ("all", sum(took.values())))]


def slowest(seconds: Mapping[str, float], count: int = 2) -> list[str]:
    """The benchmarks that took longest."""
    return sorted(seconds, key=lambda name: -seconds[name])[:count]


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [list(line) for line in lines]
    told = ["| " + " | ".join(line) + " |" for line in (list(head), ["---"] * len(head), *rows)]
    return "\n".join(told)


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    names = (
        line.partition(":")[2].strip()
        for line in path.read_text().splitlines()
        if line.startswith("model name")
    )
    return next(names, platform.machine()) if path.exists() else platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
