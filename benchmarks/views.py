"""How fast a job to Parquet of a view is, Betfair's runners, to the same job to raw NDJSON; of files and of their tar.

Ours and the peer run in turn on the same files, twice; speeds are slopes: twice the files minus once, of the
least time of each.
"""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Sequence
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
    once, twice = _tar(files.once, context.work / "once.tar"), _tar(files.twice, context.work / "twice.tar")
    forms = {"files": (files.once, files.twice), "tar": (once, twice)}
    jobs = {"raw": (), "view": ("--view", _VIEW, "--format", "parquet")}
    times: dict[tuple[str, str, Path], list[float]] = {}
    for _ in range(1 if context.quick else 2):
        for form, paths in forms.items():
            for path in paths:
                for job, more in jobs.items():
                    times.setdefault((form, job, path), []).append(_job(context, path, more))

    def speed(form: str, job: str) -> float:
        first, second = (min(times[form, job, path]) for path in forms[form])
        return slope(files.raw_once, first, files.raw_twice, second)

    return [
        Row(
            what=f"submit --view {_VIEW} --format parquet, {text}{files.files} .bz2 files, raw bytes read, slope",
            ours=speed(form, "view"),
            unit="MB/s",
            goal=Goal(at_least=0.9),
            peer_name="the same job to raw NDJSON",
            peer=speed(form, "raw"),
            ratio=speed(form, "view") / speed(form, "raw"),
        )
        for form, text in (("files", ""), ("tar", "a tar of "))
    ]


def _tar(folder: Path, path: Path) -> Path:
    with tarfile.open(path, "w") as archive:
        archive.add(folder, arcname=".")
    return path


def _job(context: Context, path: Path, more: Sequence[str]) -> float:
    """The seconds of one job, which must read every file."""
    target = context.work / "out"
    command = submit_command(path, target, context.work / "log")
    seconds = run([*command, "--source", _SOURCE, *more], cwd=context.root).seconds
    summary = json.loads((target / "summary.json").read_text(encoding="utf-8"))
    if summary["files"]["failed"] or not summary["lines"]:
        raise BenchmarkError(f"of {path} {summary['files']['failed']:,} files failed")
    shutil.rmtree(target)
    return seconds
