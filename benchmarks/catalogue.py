"""How fast a folder's catalogue is made, to betfair-database's index of the same files.

Each runs in a process of its own, which has loaded what it needs, up to the index on disk, on all cores it uses; in
turn, and the least time of each counts. The peer has an environment of its own, since Beam imports tqdm where it is
there, and with it ipywidgets.

Both have to decode a block of bzip2 to see its end. Where files have many blocks we decode the last one alone. Where
they have one, all that can be saved on a core is what the peer does beside: it takes 1.7 times what bz2 alone does.
Then there are the cores, of which the peer uses one. So there are rows by CPU too, and one to bz2 alone, the floor.
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

_CPU = """
import resource, time
def cpu():
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
def told(found):
    print(json.dumps([found, time.perf_counter() - loaded[0], cpu() - loaded[1]]))
"""
_OURS = f"""{_CPU}
import json, sys
from pathlib import Path
from chimera_nb.session import Session
from chimera_nb.settings import Settings
from chimera_nb.data.catalogue.catalogue import catalogue
session = Session(Settings(data_dir=Path(sys.argv[2])))
catalogue(sorted(Path(sys.argv[1]).iterdir())[0], session=session)
loaded = time.perf_counter(), cpu()
told(len(catalogue(sys.argv[1], session=session)))
"""
_THEIRS = f"""{_CPU}
import json, sys
import betfairdatabase
betfairdatabase.progress_bar(False)
loaded = time.perf_counter(), cpu()
told(betfairdatabase.index(sys.argv[1]))
"""
_BZ2 = f"""{_CPU}
import bz2, json, sys
from pathlib import Path
files = sorted(Path(sys.argv[1]).iterdir())
loaded = time.perf_counter(), cpu()
told(sum(bool(bz2.decompress(file.read_bytes())) for file in files))
"""
# Of files: how many, and their raw bytes. The first are as large as a market of PRO, the second as one of BASIC.
_SETS = {"PRO": (120, 2_000_000), "BASIC": (2_000, 50_000)}
_GOALS = {"PRO": Goal(at_least=3), "BASIC": Goal(at_least=1)}
_ROUNDS = 2


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
    none = (float("inf"), float("inf"))  # seconds by the clock, and of CPU
    least = dict.fromkeys(("ours", "again", "theirs", "bz2"), none)
    for turn in range(1 if context.quick else _ROUNDS):
        copy = context.work / f"{plan}-{turn}"  # the peer writes beside the files
        shutil.copytree(folder, copy)
        command = [sys.executable, "-c", _OURS, str(folder), str(context.work / f"data-{plan}-{turn}")]
        commands = {
            "theirs": [str(peer), "-c", _THEIRS, str(copy)],
            "ours": command,
            "again": command,
            "bz2": [sys.executable, "-c", _BZ2, str(folder)],
        }
        for name, one in commands.items():
            wall, cpu = _seconds(one, context, count)
            least[name] = (min(least[name][0], wall), min(least[name][1], cpu))
        shutil.rmtree(copy)
        said = ", ".join(f"{name} {wall:.2f} s, CPU {cpu:.2f} s" for name, (wall, cpu) in least.items())
        print(f"  {plan}: {said}", file=sys.stderr)
    (ours, ours_cpu), (theirs, theirs_cpu), (_, bz2_cpu) = (least[name] for name in ("ours", "theirs", "bz2"))
    text = f"catalogue of {count:,} made-up {plan} files, {count * size / 1e6:,.0f} MB raw"
    peer_name = "betfairdatabase"
    return [
        Row(
            f"{text}, all cores",
            count / ours,
            "files/s",
            _GOALS[plan],
            peer_name,
            count / theirs,
            theirs / ours,
        ),
        Row(
            f"{text}, by CPU",
            count / ours_cpu,
            "files/s",
            _GOALS[plan],
            peer_name,
            count / theirs_cpu,
            theirs_cpu / ours_cpu,
        ),
        Row(
            f"the same by CPU, to bz2 of them whole ({peer_name}: {bz2_cpu / theirs_cpu:.2f})",
            count / ours_cpu,
            "files/s",
            Goal(at_least=0.5),
            "bz2",
            count / bz2_cpu,
            bz2_cpu / ours_cpu,
        ),
        Row(f"the same {plan} files again, as they were", least["again"][0], "s", Goal(under=ours)),
    ]


def _seconds(command: list[str], context: Context, count: int) -> tuple[float, float]:
    """By the clock, and of CPU."""
    done = subprocess.run(
        command, cwd=context.root, capture_output=True, text=True, check=False, timeout=1800
    )
    if done.returncode:
        raise BenchmarkError(f"{command[0]} failed: {done.stderr[-1000:]}")
    found, seconds, cpu = json.loads(done.stdout.splitlines()[-1])
    if found != count:
        raise BenchmarkError(f"{command[0]} found {found:,} of {count:,} markets")
    return seconds, cpu


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
