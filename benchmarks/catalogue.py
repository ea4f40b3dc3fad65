"""How fast a folder's catalogue is made, to betfair-database's index of the same files.

Each runs in a process of its own, which has loaded what it needs, up to the index on disk, on all cores it uses; in
turn, and the least time of each counts. The peer has an environment of its own, since Beam imports tqdm where it is
there, and with it ipywidgets.
"""

from __future__ import annotations

import bz2
import json
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

from benchmarks.row import BenchmarkError, Context, Goal, MissingPeerError, Row
from chimera_nb.local.demo.files import market_of_size

_OURS = """
import json, sys, time
from pathlib import Path
from chimera_nb.session import Session
from chimera_nb.settings import Settings
from chimera_nb.data.catalogue.catalogue import catalogue
session = Session(Settings(data_dir=Path(sys.argv[2])))
catalogue(sorted(Path(sys.argv[1]).iterdir())[0], session=session)
loaded = time.perf_counter()
made = catalogue(sys.argv[1], session=session)
print(json.dumps([len(made), time.perf_counter() - loaded]))
"""
_THEIRS = """
import json, sys, time
import betfairdatabase
betfairdatabase.progress_bar(False)
loaded = time.perf_counter()
found = betfairdatabase.index(sys.argv[1])
print(json.dumps([found, time.perf_counter() - loaded]))
"""
# Of files: how many, and their raw bytes. The first are as large as a market of PRO. The second are of one block of
# bzip2, as those of BASIC: both have to decode all of it, so that what is left to gain are the cores.
_SETS = {"PRO": (120, 2_000_000), "BASIC": (2_000, 50_000)}
_GOALS = {"PRO": Goal(at_least=3), "BASIC": Goal(at_least=1)}
_ROUNDS = 3


def rows(context: Context) -> list[Row]:
    try:
        peer = _peer(context)
    except MissingPeerError as e:
        print(f"left out: {e}", file=sys.stderr)
        return []
    return [row for plan in _SETS for row in _rows(context, peer, plan)]


def _rows(context: Context, peer: Path, plan: str) -> list[Row]:
    count, size = _SETS[plan]
    folder = _markets(context, plan, count // (15 if context.quick else 1), size)
    count = len(list(folder.iterdir()))
    ours = theirs = again = float("inf")
    for turn in range(1 if context.quick else _ROUNDS):
        copy = context.work / f"{plan}-{turn}"  # the peer writes beside the files
        shutil.copytree(folder, copy)
        data = context.work / f"data-{plan}-{turn}"
        theirs = min(theirs, _seconds([str(peer), "-c", _THEIRS, str(copy)], context, count))
        shutil.rmtree(copy)
        command = [sys.executable, "-c", _OURS, str(folder), str(data)]
        ours = min(ours, _seconds(command, context, count))
        again = min(again, _seconds(command, context, count))
        print(f"  {plan}: ours {ours:.2f} s, again {again:.2f} s, theirs {theirs:.2f} s", file=sys.stderr)
    text = f"catalogue of {count:,} made-up {plan} files, {count * size / 1e6:,.0f} MB raw, all cores"
    return [
        Row(text, count / ours, "files/s", _GOALS[plan], "betfairdatabase", count / theirs, theirs / ours),
        Row(f"the same {plan} files again, as they were", again, "s", Goal(under=ours)),
    ]


def _seconds(command: list[str], context: Context, count: int) -> float:
    done = subprocess.run(
        command, cwd=context.root, capture_output=True, text=True, check=False, timeout=1800
    )
    if done.returncode:
        raise BenchmarkError(f"{command[0]} failed: {done.stderr[-1000:]}")
    found, seconds = json.loads(done.stdout.splitlines()[-1])
    if found != count:
        raise BenchmarkError(f"{command[0]} found {found:,} of {count:,} markets")
    return seconds


def _markets(context: Context, plan: str, count: int, size: int) -> Path:
    """A folder of markets, named by their ids; made once."""
    folder = context.data_dir / f"catalogue-{plan}-{count}-{size}"
    if folder.is_dir():
        return folder
    print(f"making {count:,} markets in {folder} ...", file=sys.stderr)
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    # What differs is the market; to make each message anew would take minutes.
    raws = [market_of_size(seed, size, plan=plan) for seed in range(min(count, 5))]
    for number in range(count):
        raw = raws[number % len(raws)]
        market_id = raw.split(b'"id":"', 1)[1].split(b'"', 1)[0]
        name = b"1.%d" % (200_000_000 + number)
        (part / f"{name.decode()}.bz2").write_bytes(bz2.compress(raw.replace(market_id, name)))
    part.rename(folder)
    return folder


def _peer(context: Context) -> Path:
    """The peer's Python, in an environment that is made on first need."""
    project = tomllib.loads((context.root / "pyproject.toml").read_text())
    wanted = project["project"]["optional-dependencies"]["peers"]
    folder = context.root / "build" / "peers"
    python = folder / "bin" / "python"
    mark = folder / "installed"
    if mark.is_file() and mark.read_text().split() == wanted:
        return python
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    try:
        venv.create(folder, clear=True)
        subprocess.run(
            [uv, "pip", "install", "--quiet", "--python", str(python), *wanted],
            check=True,
            capture_output=True,
            text=True,
            timeout=300,
        )
    except (OSError, subprocess.SubprocessError) as e:
        said = getattr(e, "stderr", None) or str(e)
        raise MissingPeerError(f"{' '.join(wanted)} cannot be installed: {said.strip()}") from e
    mark.write_text(" ".join(wanted))
    return python
