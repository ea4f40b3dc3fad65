"""How fast a job is over a tar of many small files, to the same files in a folder; and with a second worker.

The sizes are those of Betfair's BASIC files: 22,000 in a month, of some kilobytes. Speeds are slopes: all of the files
minus half of them, of the least time of each, in turn.
"""

from __future__ import annotations

import bz2
import io
import json
import shutil
import tarfile
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from benchmarks import dataflow
from benchmarks.command import run
from benchmarks.cores import gain_of_two
from benchmarks.data import small_markets
from benchmarks.row import BenchmarkError, Context, Goal, Row, slope
from benchmarks.throughput import submit_command

_MEMBERS = 22_000
_DECODED = 2_000  # of them, to see what the machine's cores give


@dataclass(frozen=True)
class Forms:
    """The same files as a folder and as a tar, half of them and all of them, and the raw bytes of both."""

    folders: tuple[Path, Path]
    tars: tuple[Path, Path]
    raw: tuple[int, int]
    members: int


def rows(context: Context) -> list[Row]:
    forms = _forms(context)
    seconds: dict[str, tuple[list[float], list[float]]] = {"tar": ([], []), "files": ([], [])}
    for _ in range(1 if context.quick else 3):
        for half in (0, 1):
            for name, paths in (("files", forms.folders), ("tar", forms.tars)):
                seconds[name][half].append(_job(context, paths[half], forms.raw[half]))
    speeds = {
        name: slope(forms.raw[0], min(once), forms.raw[1], min(twice))
        for name, (once, twice) in seconds.items()
    }
    return [
        Row(
            what=f"submit --runner direct, a tar of {forms.members:,} .bz2 files, "
            f"{forms.raw[1] / 1e6:.0f} MB raw, slope",
            ours=speeds["tar"],
            unit="MB/s",
            goal=Goal(at_least=0.95),
            peer_name="the same in a folder",
            peer=speeds["files"],
            ratio=speeds["tar"] / speeds["files"],
        )
    ]


def worker_rows(context: Context) -> list[Row]:
    """A tar on the local stack, read by two workers of the local Dataflow and by one."""
    forms = _forms(context)
    with tarfile.open(forms.tars[0]) as half:
        some = (half.extractfile(member) for member in half if member.isfile())
        gain = gain_of_two([file.read() for file in islice(some, _DECODED) if file])
    with dataflow.stack(context.work / "stack") as folder:
        for tar in forms.tars:
            dataflow.chimera(folder, "put", str(tar), "gs://bench/in")
        halves = [(f"gs://bench/in/{tar.name}", raw) for tar, raw in zip(forms.tars, forms.raw, strict=True)]
        what = (
            f"a tar of {forms.members:,} .bz2 files, {forms.raw[1] / 1e6:.0f} MB raw "
            f"(two cores to one, decoding them alone: {gain:.2f})"
        )
        return [dataflow.two_workers(context, folder, what, halves, 1.8)]


def _job(context: Context, path: Path, raw: int) -> float:
    out = context.work / "out"
    command = submit_command(path, out, context.work / "log")
    done = run(command, cwd=context.root)
    summary = json.loads((out / "summary.json").read_text())
    shutil.rmtree(out)
    if summary["outputBytes"] != raw:
        raise BenchmarkError(f"{path}: {summary['outputBytes']:,} bytes came out of {raw:,}")
    return done.seconds


def _forms(context: Context) -> Forms:
    members = 200 if context.quick else _MEMBERS
    folder = context.data_dir / f"members-{members}"
    recipe = folder.with_name(f"{folder.name}.json")
    tars = (folder / "tar" / "half.tar", folder / "tar" / "all.tar")
    folders = (folder / "files" / "a", folder / "files")
    if not recipe.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        tars[0].parent.mkdir(parents=True)
        raw = _make(members, folders, tars)
        recipe.write_text(json.dumps(raw))
    first, both = json.loads(recipe.read_text())
    return Forms(folders, tars, (first, both), members)


def _make(members: int, folders: tuple[Path, Path], tars: tuple[Path, Path]) -> tuple[int, int]:
    raw = [0, 0]
    with tarfile.open(tars[0], "w") as half, tarfile.open(tars[1], "w") as whole:
        for number, market in enumerate(small_markets(members)):
            in_half = number < members // 2
            name = f"{'a' if in_half else 'b'}/{number % 30}/1.{130_000_000 + number}.bz2"
            data = bz2.compress(market, 9)
            place = folders[1] / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for archive in (half, whole) if in_half else (whole,):
                archive.addfile(info, io.BytesIO(data))
            raw[0] += len(market) if in_half else 0
            raw[1] += len(market)
    return raw[0], raw[1]
