"""How soon the first records of a large .bz2 in a bucket are seen, and how much of it is read for them.

Each time is of the first preview in a new process, with the making of its client and all its requests, but
without Python's start and imports. What crosses the wire is counted below the client. The file is one of about
a gigabyte as it is stored: one stream of many blocks after another.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.data import big_file
from benchmarks.row import BenchmarkError, Context, Goal, Row

_URI = "gs://bench/large.bz2"
_LIMIT = 600  # seconds for one command
_PREVIEW = """
import json, sys, time
import urllib3
from chimera_nb.data.preview import preview

requests_made, received = [], [0]
urlopen = urllib3.HTTPConnectionPool.urlopen  # by which the client and our own requests go

def counted(pool, method, url, *arguments, **options):
    response = urlopen(pool, method, url, *arguments, **options)
    if "/o/" in url:  # the client asks for the bucket by itself, for its traces
        requests_made.append(url)
    if "alt=media" in url:
        received[0] += int(response.headers["Content-Length"])
    return response

urllib3.HTTPConnectionPool.urlopen = counted
began = time.perf_counter()
found = preview(sys.argv[1])
seconds = time.perf_counter() - began
print(json.dumps({
    "seconds": seconds, "media": sum("alt=media" in url for url in requests_made), "urls": requests_made,
    "received": received[0], "size": found.size, "lines": len(found.lines), "problem": found.problem,
}))
"""


def rows(context: Context) -> list[Row]:
    size = 10_000_000 if context.quick else 1_000_000_000
    large = _large_file(context, size)
    folder = context.work / "stack"
    _run("-m", "chimera_nb", "up", "--detach", "--data-dir", str(folder))
    try:
        _run("-m", "chimera_nb", "put", str(large), "gs://bench", "--data-dir", str(folder))
        large.unlink()
        os.sync()
        found = [_preview(folder) for _ in range(1 if context.quick else 5)]
    finally:
        _run("-m", "chimera_nb", "down", "--data-dir", str(folder))
    for one in found:
        if one["problem"] or not one["lines"] or one["size"] < size:
            raise BenchmarkError(f"the preview of {_URI} is not what it should be: {one}")
        if one["media"] != 1 or len(one["urls"]) > 2:
            raise BenchmarkError(f"the preview of {_URI} took {one['media']} reads of {one['urls']}")
    what = f"preview of a .bz2 of {found[0]['size'] / 1e6:,.0f} MB in a bucket, {found[0]['lines']:,} lines"
    return [
        Row(what, ours=median(one["seconds"] for one in found) * 1000, unit="ms", goal=Goal(under=1000)),
        Row(f"{what}: read", ours=found[0]["received"] / 1000, unit="kB", goal=Goal(under=256.001)),
    ]


def _large_file(context: Context, size: int) -> Path:
    one = big_file(context.data_dir, 100_000_000 if context.quick else 1_000_000_000).path
    large = context.work / "large.bz2"
    with large.open("wb") as out:
        while out.tell() < size:
            with one.open("rb") as source:
                while piece := source.read(1 << 20):
                    out.write(piece)
    return large


def _preview(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_run("-c", _PREVIEW, _URI, CHIMERA_DATA_DIR=str(folder)))
    return found


def _run(*arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=_LIMIT,
        env={name: value for name, value in os.environ.items() if name != "STORAGE_EMULATOR_HOST"}
        | environment,
    )
    if done.returncode:
        raise BenchmarkError(
            f"{' '.join(arguments)[:60]} ended with {done.returncode}: {done.stdout}{done.stderr}"
        )
    return done.stdout
