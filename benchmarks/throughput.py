"""How fast `submit --runner direct` is over many local .bz2 files, to lbzip2 and to Beam's own reading.

Ours and the peers run in turn on the same files, three times, but Beam's once, which takes longer than all else. Speeds
are slopes: twice the files minus once, of the least time of each.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.command import run
from benchmarks.data import find_lbzip2, many_files
from benchmarks.row import BenchmarkError, Context, Goal, Row, slope

_LBZIP2 = 'find "$1" -name "*.bz2" -print0 | xargs -0 "$3" -n2 -dc > "$2"'

Command = Callable[[Path, Path], list[str]]  # folder, output folder


def submit_command(folder: Path, target: Path, data_dir: Path) -> list[str]:
    """Our job on a folder, or on an archive, in one local process, waited for."""
    options = ["--target", str(target), "--runner", "direct", "--wait", "--json", "--overwrite"]
    return [
        sys.executable,
        "-m",
        "chimera_nb",
        "submit",
        f"{folder}/" if folder.is_dir() else str(folder),
        *options,
        "--data-dir",
        str(data_dir),
    ]


def rows(context: Context) -> list[Row]:
    lbzip2 = find_lbzip2()
    files = many_files(context.data_dir, 60 if context.quick else 600)
    commands: dict[str, Command] = {
        "ours": lambda folder, out: submit_command(folder, out, context.work / "log"),
        "lbzip2": lambda folder, out: ["sh", "-c", _LBZIP2, "sh", str(folder), str(out / "one"), lbzip2],
        "beam": lambda folder, out: [
            *(sys.executable, "-m", "benchmarks.beam_lines"),
            *(f"{folder}/*.bz2" if folder == files.once else f"{folder}/*/*.bz2", str(out / "lines")),
        ],
    }
    _read_all(files.twice)
    once: dict[str, list[float]] = {name: [] for name in commands}
    twice: dict[str, list[float]] = {name: [] for name in commands}
    for repetition in range(1 if context.quick else 3):
        for seconds, folder in ((once, files.once), (twice, files.twice)):
            some = {name: each for name, each in commands.items() if name != "beam" or not repetition}
            found = _seconds(context, some, folder, check=repetition == 0 and folder == files.twice)
            for name, value in found.items():
                seconds[name].append(value)
    # The least of several times is the one that the machine's other business has lengthened least.
    speeds = {
        name: slope(files.raw_once, min(once[name]), files.raw_twice, min(twice[name])) for name in commands
    }
    what = f"submit --runner direct, {files.files} .bz2 files, {files.raw_once / 1e6:.0f} MB raw, slope"
    return [
        _row(what, speeds, "lbzip2", "lbzip2 -n2", 0.5),
        _row(what, speeds, "beam", "ReadFromText | WriteToText", 5),
    ]


def _row(what: str, speeds: dict[str, float], peer: str, peer_name: str, goal: float) -> Row:
    return Row(
        what=what,
        ours=speeds["ours"],
        unit="MB/s",
        goal=Goal(at_least=goal),
        peer_name=peer_name,
        peer=speeds[peer],
        ratio=speeds["ours"] / speeds[peer],
    )


def _seconds(
    context: Context, commands: dict[str, Command], folder: Path, *, check: bool
) -> dict[str, float]:
    """Each command's duration on the folder; with `check` all outputs must hold as many lines and bytes."""
    seconds: dict[str, float] = {}
    sizes: dict[str, tuple[int, int]] = {}
    for name, command in commands.items():
        out = context.work / name
        out.mkdir()
        seconds[name] = run(command(folder, out), cwd=context.root).seconds
        if check:
            sizes[name] = _lines_and_bytes(out / "output" if name == "ours" else out)
        shutil.rmtree(out)
    if len(set(sizes.values())) > 1:
        found = "; ".join(f"{name} {lines:,} lines, {size:,} bytes" for name, (lines, size) in sizes.items())
        raise BenchmarkError(f"the outputs of {folder} differ: {found}")
    return seconds


def _lines_and_bytes(folder: Path) -> tuple[int, int]:
    lines = size = 0
    for path in folder.iterdir():
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                lines += chunk.count(b"\n")
                size += len(chunk)
    return lines, size


def _read_all(folder: Path) -> None:
    """Bring the files into the page cache, so that no one's first run pays for the disk."""
    for path in folder.rglob("*.bz2"):
        path.read_bytes()
