"""How fast a finished job's output becomes a DataFrame, against pandas.read_json(lines=True) on the same shards.

Each reading is in a process of its own, ours and theirs in turn; imports are not counted. What is read is compared. The
peer has to read all columns whatever is wanted, so that each of its readings is held against both of ours.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.data import market_files
from benchmarks.row import BenchmarkError, Context, Goal, Row, median_ratio
from pipeline.target.layout import shard_uri, summary_uri

_SHARDS = 4
_LIMIT = 600  # seconds for one reading
_READ = """
import glob, json, sys, time
import pandas
from benchmarks.command import own_peak
from chimera_nb import read_output
read_output

def peer(target, columns):
    parts = [pandas.read_json(path, lines=True) for path in sorted(glob.glob(target + "/output/*"))]
    return pandas.concat(parts, ignore_index=True)

def ours(target, columns):
    return read_output(target, columns=columns)

who, target, columns = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
began = time.perf_counter()
frame = {"ours": ours, "pandas": peer}[who](target, columns)
seconds = time.perf_counter() - began
print(json.dumps({"seconds": seconds, "rows": len(frame), "pt": int(frame.pt.sum()), "MB": own_peak()}))
"""


def rows(context: Context) -> list[Row]:
    target = context.work / "out"
    size, lines = _write(target, market_files(20 if context.quick else 200))
    wanted = {"all columns": (None, 2), "one scalar column": (["pt"], 10)}
    ours: dict[str, list[dict[str, Any]]] = {what: [] for what in wanted}
    peers = []
    for _ in range(1 if context.quick else 3):
        for what, (columns, _goal) in wanted.items():
            ours[what].append(_read("ours", target, columns))
        peers.append(_read("pandas", target, None))
    for one in (*peers, *(one for each in ours.values() for one in each)):
        if one["rows"] != lines or one["pt"] != peers[0]["pt"]:
            raise BenchmarkError(f"what was read is not the same: {one}, {peers[0]}")
    theirs = [size / one["seconds"] / 1e6 for one in peers]
    found = []
    for what, (_columns, goal) in wanted.items():
        speeds = [size / one["seconds"] / 1e6 for one in ours[what]]
        peak = max(one["MB"] for one in ours[what])
        text = f"read_output of {size / 1e6:.0f} MB in {lines:,} records, {what} ({peak:,.0f} MB of memory)"
        ratio = median_ratio(speeds, theirs)
        found.append(
            Row(text, median(speeds), "MB/s", Goal(at_least=goal), "pandas.read_json", median(theirs), ratio)
        )
    return found


def _write(target: Path, markets: Any) -> tuple[int, int]:
    """What a job over the markets leaves: its bytes and lines."""
    size = lines = 0
    files = []
    for index in range(_SHARDS):
        path = Path(shard_uri(str(target), "output", index, _SHARDS))
        path.parent.mkdir(parents=True, exist_ok=True)
        files.append(path.open("wb"))
    for index, market in enumerate(markets):
        size += files[index % _SHARDS].write(market)
        lines += market.count(b"\n")
    for file in files:
        file.close()
    summary = {"jobId": "bench", "shards": _SHARDS, "outputBytes": size, "lines": lines}
    Path(summary_uri(str(target))).write_text(json.dumps(summary))
    return size, lines


def _read(who: str, target: Path, columns: list[str] | None) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _READ, who, str(target), json.dumps(columns)],
        capture_output=True,
        text=True,
        check=False,
        timeout=_LIMIT,
        env={**os.environ, "CHIMERA_DATA_DIR": str(target.parent / "data")},
    )
    if done.returncode:
        raise BenchmarkError(f"{who} ended with {done.returncode}: {done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result
