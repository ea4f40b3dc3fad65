"""python -m tests.install [PYTHON ...]: install the built wheel as people do, on each Python, and try it.

Exit 0 all is well, 1 something is not: what it was is printed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.install.environment import install
from tests.install.trials import TRIALS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.install", description=__doc__)
    parser.add_argument("pythons", nargs="*", default=[sys.executable], help="this one if left out")
    parser.add_argument("--unpinned", action="store_true", help="the newest versions that the ranges allow")
    parser.add_argument("--only", action="append", choices=TRIALS, help="may be repeated; all if left out")
    options = parser.parse_args()
    return max([_check(python, options) for python in options.pythons])


def _check(python: str, options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="installed-", ignore_cleanup_errors=True) as folder:
        began = time.monotonic()
        try:
            installed = install(Path(folder), python, pinned=not options.unpinned)
        except RuntimeError as e:
            print(f"{python}  install    FAILED: {e}")
            return 1
        print(f"{python}  install    ok  {time.monotonic() - began:.0f} s", flush=True)
        worst = 0
        for name in options.only or TRIALS:
            began = time.monotonic()
            try:
                said = TRIALS[name](installed)
            except Exception as e:  # noqa: BLE001 - the others are tried all the same
                print(f"{python}  {name:<9}  FAILED: {type(e).__name__}: {e}")
                worst = 1
            else:
                print(f"{python}  {name:<9}  ok  {time.monotonic() - began:.0f} s  {said}", flush=True)
        return worst


if __name__ == "__main__":
    sys.exit(main())
