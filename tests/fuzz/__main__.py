"""python -m tests.fuzz --seconds 600 --seed N: run every property for so many seconds of CPU, and tell what was found.

Exit 1 when a property does not hold; hypothesis prints the smallest case, to be kept in tests/unit/test_fuzz.py.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from collections import deque
from itertools import count

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.properties import PROPERTIES, outcomes

_AT_A_TIME = 250


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description="Fuzz the codecs and line splitting."
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="of CPU, all properties together")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--only", choices=sorted(PROPERTIES), action="append")
    asked = parser.parse_args()
    print(f"seed {asked.seed}")
    cases, found = dict.fromkeys(asked.only or PROPERTIES, 0), 0
    left = deque(cases)
    for turn in count():
        if not left or time.process_time() > asked.seconds:
            break
        try:
            _run(left[0], asked.seed + turn, cases)
            left.rotate(-1)
        except Exception:  # noqa: BLE001 - whatever it is, it is a finding
            found += 1
            traceback.print_exc()
            left.popleft()  # it would find the same again
    for name, number in cases.items():
        print(f"{name:<8} {number:>9,} cases")
    for outcome, number in sorted(outcomes.items()):
        print(f"    {outcome:<24} {number:>9,}")
    print(f"{sum(cases.values()):,} cases in {time.process_time():,.0f} s of CPU, {found} findings")
    return 1 if found else 0


def _run(name: str, number: int, cases: dict[str, int]) -> None:
    check, strategies = PROPERTIES[name]

    @seed(number)
    @settings(
        max_examples=_AT_A_TIME,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.tuples(*strategies))
    def run(arguments: tuple[object, ...]) -> None:
        cases[name] += 1
        check(*arguments)

    run()


if __name__ == "__main__":
    sys.exit(main())
