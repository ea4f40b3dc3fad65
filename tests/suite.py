"""Every test: `python -m tests.suite`. Those of one unit run beside those with services, in SERVICES processes (4).

Tests with services wait for other processes for a third of their time; those of one unit take what is left meanwhile.
What the latter say is told when they end, so that the two do not write into each other's lines.

A few that failed are run once more, with nothing beside them. One that passes then is called unsteady, by name, with
what it said the first time above it: it is to be mended like any other, but does not hold up what has nothing to do
with it. One that fails again has failed, and so has each of many that fail at once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

_PYTEST = (sys.executable, "-m", "pytest")
_BUILD = Path("build/tests")
_FAILED = 1  # pytest's exit code where it ran to its end
_FEW = 5


def main() -> int:
    _BUILD.mkdir(parents=True, exist_ok=True)
    log = _BUILD / "units.log"
    processes = os.environ.get("SERVICES") or "4"
    with log.open("wb") as output:
        units = subprocess.Popen(
            ["nice", "-n", "5", *_run("units", "auto", "tests/unit")], stdout=output, stderr=output
        )
    folders = ("tests/integration", "tests/notebooks", "tests/ui")
    services = subprocess.Popen(_run("services", processes, "--no-loadscope-reorder", *folders))
    codes = [services.wait(), units.wait()]
    sys.stdout.write(log.read_text(encoding="utf-8", errors="replace"))
    if set(codes) <= {0, _FAILED}:
        return once_more([*failed_of("units"), *failed_of("services")]) if any(codes) else 0
    return max(codes, key=abs)


def _run(name: str, processes: str, *arguments: str) -> list[str]:
    """The command of a run that remembers in a folder of its own what failed."""
    (_BUILD / name / "v/cache/lastfailed").unlink(missing_ok=True)
    options = (
        "--override-ini",
        f"cache_dir={_BUILD / name}",
        f"--numprocesses={processes}",
        "--dist=loadfile",
    )
    return [*_PYTEST, *options, *arguments]


def failed_of(name: str) -> Iterable[str]:
    memory = _BUILD / name / "v/cache/lastfailed"
    return json.loads(memory.read_text(encoding="utf-8")) if memory.exists() else ()


def once_more(failed: list[str]) -> int:
    """Run these again, if they are few; pytest's exit code."""
    if not failed or len(failed) > _FEW:
        return _FAILED
    print(f"\nonce more, alone: {', '.join(failed)}", flush=True)
    code = subprocess.run(
        [*_PYTEST, "--override-ini", f"cache_dir={_BUILD / 'again'}", *failed], check=False
    ).returncode
    if code == 0:
        print(f"unsteady, and to be mended: {', '.join(failed)} failed beside others and passed alone")
    return code


if __name__ == "__main__":
    sys.exit(main())
