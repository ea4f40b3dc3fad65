"""How fast a job to Parquet of a view is, Betfair's runners, to the same job to raw NDJSON.

Ours and the peer run in turn on the same files, three times; speeds are
slopes: twice the files minus once, of the least time of each.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from benchmarks.command import run
from benchmarks.data import many_files
from benchmarks.row import BenchmarkError, Context, Goal, MissingPeerError, Row, slope
from benchmarks.throughput import submit_command
from pipeline.sources import get_source
from pipeline.sources.views import views_of

_SOURCE, _VIEW = "betfair", "runners"


def rows(context: Context) -> list[Row]:
    if _VIEW not in views_of(get_source(_SOURCE)):
        raise MissingPeerError(f"source {_SOURCE} offers no view {_VIEW}: nothing to measure here")
    files = many_files(context.data_dir, 60 if context.quick else 600)
    times: dict[tuple[str, Path], list[float]] = {}
    for _ in range(1 if context.quick else 3):
        for folder in (files.once, files.twice):
            for name, more in (("raw", []), ("view", ["--view", _VIEW, "--format", "parquet"])):
                times.setdefault((name, folder), []).append(_job(context, folder, more))
    speeds = {
        name: slope(
            files.raw_once,
            min(times[name, files.once]),
            files.raw_twice,
            min(times[name, files.twice]),
        )
        for name in ("raw", "view")
    }
    return [
        Row(
            what=f"submit --view {_VIEW} --format parquet, {files.files} .bz2 files, raw bytes read, slope",
            ours=speeds["view"],
            unit="MB/s",
            goal=Goal(at_least=0.9),
            peer_name="the same job to raw NDJSON",
            peer=speeds["raw"],
            ratio=speeds["view"] / speeds["raw"],
        )
    ]


def _job(context: Context, folder: Path, more: list[str]) -> float:
    """The seconds of one job, which must read every file."""
    target = context.work / "out"
    command = submit_command(folder, target, context.work / "log")
    seconds = run([*command, "--source", _SOURCE, *more], cwd=context.root).seconds
    summary = json.loads((target / "summary.json").read_text(encoding="utf-8"))
    if summary["files"]["failed"] or not summary["lines"]:
        raise BenchmarkError(f"of {folder} {summary['files']['failed']:,} files failed")
    shutil.rmtree(target)
    return seconds
