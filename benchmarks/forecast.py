"""How far forecasts are off, over twenty local jobs that are different: by number and size of files, codec and view.

Each is foretold when it is submitted, as any user's is, with what the jobs before it have taught; the first three only
teach. Core-seconds are what a forecast is judged by: seconds change with what else the machine does, and are told.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median

import zstandard

from benchmarks.data import market_files
from benchmarks.model import Foretold, foretold_job
from benchmarks.row import Context, Goal, Row

_TEACHING = 3
_WITHIN = 25  # percent
_PACKED: dict[str, Callable[[bytes], bytes]] = {
    "bz2": bz2.compress,
    "gz": gzip.compress,
    "xz": lambda raw: lzma.compress(raw, preset=1),
    "zst": lambda raw: zstandard.ZstdCompressor().compress(raw),
    "json": bytes,
}


@dataclass(frozen=True)
class Job:
    """What a job reads: so many files of a kind (as they are called, or "tar", "zip", "mixed"), and how.

    `lines` is how many of a market's lines each file has; None for all, of about 290 kB.
    """

    files: int
    kind: str = "bz2"
    lines: int | None = None
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        size = "markets" if self.lines is None else f"files of {self.lines} lines"
        return " ".join((f"{self.files:,} {size}, {self.kind}", *self.options))


_VIEW = ("--source", "betfair", "--view")
JOBS = (
    *(Job(60), Job(2000, lines=1), Job(120, "gz")),  # teach
    *(Job(1), Job(20), Job(150), Job(300), Job(300, options=("--shards", "4"))),
    *(Job(100, "gz"), Job(300, "gz"), Job(300, "zst"), Job(200, "xz"), Job(300, "json")),
    *(Job(1000, lines=1), Job(6000, lines=1), Job(4000, "gz", 5), Job(3000, "json", 3)),
    *(Job(200, "tar"), Job(200, "zip"), Job(250, "mixed")),
    Job(100, options=(*_VIEW, "catalogue", "--format", "csv")),
    Job(60, options=(*_VIEW, "runners", "--format", "csv")),
    Job(40, options=(*_VIEW, "prices", "--format", "parquet")),
)


def rows(context: Context) -> list[Row]:
    jobs = JOBS[: _TEACHING + 3] if context.quick else JOBS
    found: list[tuple[Job, Foretold]] = []
    for number, job in enumerate(jobs):
        told = foretold_job(context, laid(context.data_dir, job), f"job-{number}", job.options)
        if number >= _TEACHING:
            found.append((job, told))
    print(table(found), file=sys.stderr)
    off = [abs(told.off) for _, told in found]
    what = f"{len(found)} different local jobs, core-seconds foretold"
    return [
        Row(
            f"{what}: jobs that are off by more than {_WITHIN} %",
            sum(one > _WITHIN for one in off),
            "jobs",
            Goal(under=1),
        ),
        Row(f"{what}: median", median(off), "% off", Goal(under=15)),
        Row(f"{what}: worst", max(off), "% off", Goal(under=_WITHIN)),
    ]


def table(found: list[tuple[Job, Foretold]]) -> str:
    """In Markdown, a line for each job."""
    lines = [
        "| job | core-seconds foretold | came to | off | seconds foretold | came to | off |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for job, told in found:
        core = f"{told.core:.1f} | {told.core_came:.1f} | {told.off:+.0f} %"
        lines.append(
            f"| {job} | {core} | {told.seconds:.1f} | {told.seconds_came:.1f} | {told.seconds_off:+.0f} % |"
        )
    return "\n".join(lines)


def laid(data_dir: Path, job: Job) -> Path:
    """What the job reads, made once: a folder, or an archive."""
    name = f"{job.kind}-{job.files}-{job.lines or 'all'}"
    folder = data_dir / "forecast" / name
    whole = folder / "whole"
    where = folder / "in" if job.kind not in {"tar", "zip"} else folder / f"in.{job.kind}"
    if not whole.exists():
        folder.mkdir(parents=True, exist_ok=True)
        if job.kind == "tar":
            with tarfile.open(where, "w") as archive:
                for file, data in _files(job):
                    member = tarfile.TarInfo(file)
                    member.size = len(data)
                    archive.addfile(member, io.BytesIO(data))
        elif job.kind == "zip":
            with zipfile.ZipFile(where, "w", zipfile.ZIP_DEFLATED) as packed:
                for file, data in _files(job):
                    packed.writestr(file, data)
        else:
            for file, data in _files(job):
                path = where / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        whole.touch()
    return where


def _files(job: Job) -> Iterator[tuple[str, bytes]]:
    kinds = {"tar": ["bz2"], "zip": ["json"], "mixed": ["bz2", "gz", "zst", "json"]}.get(job.kind, [job.kind])
    for number, raw in enumerate(market_files(job.files)):
        kind = kinds[number % len(kinds)]
        data = raw if job.lines is None else b"".join(islice(io.BytesIO(raw), job.lines))
        yield f"{number // 1000:03}/1.{170_000_000 + number}.{kind}", _PACKED[kind](data)
