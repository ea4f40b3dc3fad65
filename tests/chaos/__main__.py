"""`make chaos`: jobs are killed, starved, confused and set upon each other, and what stands afterwards is compared.

    python -m tests.chaos [--seed N] [--scale 0.1] [--only TEXT] [--lanes 2]

After each round the target is compared with an oracle line by line and held against `chimera verify --deep`. The table
at the end says how many lines were lost or doubled, and what looked whole and was not: all have to be 0. Exits with 1
if one is not. With the same seed the same things happen; at which moment of a job, the machine has a say in.

Lanes run side by side, each with a local stack of its own. A round takes 10 to 30 s.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from threading import Thread

from tests.chaos.ground import opened
from tests.chaos.rounds import SCENARIOS

_HEAD = ("scenario", "rounds", "whole", "lost", "doubled", "false", "seconds")


def main() -> int:
    asked = _arguments()
    if asked.lane is not None:
        _lane(asked)
        return 0
    began = time.monotonic()
    sums = {name: dict.fromkeys(_HEAD[1:], 0) for name in SCENARIOS}
    for found in _from_lanes(asked):
        row = sums[found["scenario"]]
        row["rounds"] += 1
        for column in ("whole", "lost", "doubled", "seconds"):
            row[column] += found[column]
        row["false"] += len(found["false"])
        wrong = found["lost"] or found["doubled"] or found["false"]
        print(
            f"{found['scenario']} {found['number']}: {'WRONG ' if wrong else ''}"
            f"{'whole' if found['whole'] else 'nothing'}, {found['seconds']:.0f} s",
            *found["false"],
            sep="\n    ",
            flush=True,
        )
    _print_table(sums, time.monotonic() - began, asked.seed)
    total = sum(row["lost"] + row["doubled"] + row["false"] for row in sums.values())
    missing = sum(row["rounds"] for row in sums.values()) - sum(count for _, count in _planned(asked))
    if missing:
        print(f"{-missing} rounds did not take place")
    return 1 if total or missing else 0


def _planned(asked: argparse.Namespace) -> list[tuple[str, int]]:
    return [
        (name, max(1, round(rounds * asked.scale)))
        for name, (_, rounds) in SCENARIOS.items()
        if asked.only in name
    ]


def _lane(asked: argparse.Namespace) -> None:
    """The rounds of one lane; a line of JSON for each."""
    with (
        tempfile.TemporaryDirectory(prefix="chaos-") as folder,
        opened(Path(folder), f"{asked.seed}/{asked.lane}") as ground,
    ):
        for name, rounds in _planned(asked):
            for number in range(asked.lane, rounds, asked.lanes):
                ground.numbers.seed(f"{asked.seed}/{name}/{number}")
                began = time.monotonic()
                found = {"scenario": name, "number": number, "lost": 0, "doubled": 0, "whole": False}
                try:
                    found |= vars(SCENARIOS[name][0](ground, number))
                except Exception:  # noqa: BLE001 - a round that breaks is a finding, and the others go on
                    found["false"] = [traceback.format_exc()]
                ground.faults()
                print(json.dumps({**found, "seconds": time.monotonic() - began}), flush=True)


def _from_lanes(asked: argparse.Namespace) -> Iterator[dict]:
    lines: Queue[str | None] = Queue()

    def read(lane: subprocess.Popen[str]) -> None:
        for line in lane.stdout:
            lines.put(line)
        lane.wait()
        lines.put(None)

    for lane in range(asked.lanes):
        command = [sys.executable, "-m", "tests.chaos", f"--lane={lane}"]
        command += [f"--{name}={getattr(asked, name)}" for name in ("seed", "scale", "only", "lanes")]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        Thread(target=read, args=(process,), daemon=True).start()
    left = asked.lanes
    while left:
        line = lines.get()
        if line is None:
            left -= 1
        else:
            yield json.loads(line)


def _print_table(sums: dict[str, dict[str, float]], seconds: float, seed: int) -> None:
    print(f"\nseed {seed}, {seconds / 60:.0f} min")
    width = max(map(len, SCENARIOS)) + 2
    print(_HEAD[0].ljust(width) + "".join(name.rjust(10) for name in _HEAD[1:]))
    for name, row in sums.items():
        if row["rounds"]:
            print(name.ljust(width) + "".join(f"{row[column]:10.0f}" for column in _HEAD[1:]))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of rounds")
    parser.add_argument("--only", default="", help="scenarios with this in their name")
    parser.add_argument("--lanes", type=int, default=2)
    parser.add_argument("--lane", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
