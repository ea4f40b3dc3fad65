"""How fast Betfair's views are on one core, to betfair_data and betfairlightweight; and what a large market takes.

All run in this process on the same raw bytes, in turn, by CPU time: a ratio is of the least of each. The peers read a
market to its end and make nothing of it; ours is complete Arrow batches. Real PRO files are taken where they are.
"""

from __future__ import annotations

import bz2
import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.row import BenchmarkError, Context, Goal, MissingPeerError, Row
from chimera_nb.local.demo.files import market_of_size
from pipeline.sources.betfair.catalogue import Catalogue
from pipeline.sources.betfair.prices import Prices
from pipeline.sources.betfair.runners import Runners
from pipeline.sources.view import View
from tests.fixtures.files import REAL

_BLOCK = 1 << 20
_LARGE = 107_000_000
_MEMORY = r"""
import bz2, json, re, sys
from pipeline.read.lines import whole_lines
from pipeline.sources.betfair.{module} import {view}
class NoFile:
    uri = "bench"
    def bad_line(self, number, reason): raise SystemExit(reason)
    def note(self, text): pass
rows = 0
with bz2.open(sys.argv[1]) as file:
    for batch in {view}().rows(whole_lines(iter(lambda: file.read(1 << 18), b"")), NoFile()):
        rows += len(batch)
status = open("/proc/self/status").read()  # getrusage has the peak of the process that forked this one
print(json.dumps([rows, int(re.search(r"VmHWM:\s+(\d+)", status)[1]) * 1024 / 1e6]))
"""


class NoFile:
    """A file of which nothing is wanted but its rows."""

    uri = "bench"

    def bad_line(self, number: int, reason: str) -> None:
        raise BenchmarkError(f"line {number} {reason}")

    def note(self, text: str) -> None:
        """Of no interest here."""


def rows(context: Context) -> list[Row]:
    markets, what = _markets(4 if context.quick else 28)
    folder = context.work / "raw"
    folder.mkdir()
    for number, raw in enumerate(markets):
        (folder / f"1.{number}").write_bytes(raw)
    speeds = _speeds(markets, folder, 1 if context.quick else 3)
    size = sum(map(len, markets)) / 1e6

    def row(view: str, peer: str, goal: float) -> Row:
        text = f"{view}, {len(markets)} {what} files, {size:.0f} MB raw, one core"
        ratio = speeds[view] / speeds[peer]
        return Row(text, speeds[view], "MB/s", Goal(at_least=goal), peer, speeds[peer], ratio)

    return [
        row("runners", "betfair_data", 1.3),
        row("runners", "betfairlightweight", 8),
        row("runners (offers=False)", "betfair_data", 1.3),
        row("runners (offers=False)", "betfairlightweight", 8),
        row("prices", "betfairlightweight", 2.5),
        row("catalogue (total=False)", "runners", 3),
        *_memory(context),
        *_refused(),
    ]


def _markets(count: int) -> tuple[list[bytes], str]:
    real = sorted(REAL.rglob("PRO/**/*.bz2"))[:count] if REAL.is_dir() else []
    if real:
        return [bz2.decompress(path.read_bytes()) for path in real], "real PRO"
    return [market_of_size(seed, 1_000_000, plan="PRO") for seed in range(count)], "made-up PRO"


def _speeds(markets: list[bytes], folder: Path, rounds: int) -> dict[str, float]:
    try:
        import betfair_data
        import betfairlightweight
    except ImportError as e:
        raise MissingPeerError(f"{e.name} is not installed: make setup") from e
    logging.getLogger("betfairlightweight").setLevel(logging.CRITICAL)
    client = betfairlightweight.APIClient("", "", "")

    def rust(number: int) -> int:
        return sum(1 for _ in betfair_data.File("1.1", markets[number]))

    def lightweight(number: int) -> int:
        listener = betfairlightweight.StreamListener(max_latency=None, lightweight=True)
        stream = client.streaming.create_historical_generator_stream(str(folder / f"1.{number}"), listener)
        return sum(1 for _ in stream.get_generator()())

    def ours(view: View) -> Callable[[int], int]:
        return lambda number: sum(map(len, view.rows(blocks(markets[number]), NoFile())))

    readers = {
        "betfair_data": rust,
        "betfairlightweight": lightweight,
        "runners": ours(Runners()),
        "runners (offers=False)": ours(Runners(offers=False)),
        "prices": ours(Prices()),
        "catalogue (total=False)": ours(Catalogue(total=False)),
    }
    least = dict.fromkeys(readers, float("inf"))
    for _ in range(rounds):
        for name, read in readers.items():
            began = time.process_time()
            found = sum(read(number) for number in range(len(markets)))
            least[name] = min(least[name], time.process_time() - began)
            if not found:
                raise BenchmarkError(f"{name} found nothing in the files")
            print(f"  {name} {least[name]:.2f} s", file=sys.stderr)
    return {name: sum(map(len, markets)) / seconds / 1e6 for name, seconds in least.items()}


def _memory(context: Context) -> list[Row]:
    size = _LARGE // (20 if context.quick else 1)
    path = context.data_dir / f"market-{size // 1_000_000}.bz2"
    if not path.exists():
        print(f"making a market of {size / 1e6:.0f} MB raw in {path} ...", file=sys.stderr)
        path.write_bytes(bz2.compress(market_of_size(1, size, plan="PRO")))
    found = []
    for module in ("runners", "prices"):
        script = _MEMORY.format(module=module, view=module.capitalize())
        done = subprocess.run(
            [sys.executable, "-c", script, str(path)],
            cwd=context.root,
            capture_output=True,
            text=True,
            check=False,
            timeout=1800,
        )
        if done.returncode:
            raise BenchmarkError(f"{module} of {path} failed: {done.stderr[-1000:]}")
        number, peak = json.loads(done.stdout)
        text = f"peak RSS of {module}, {number:,} rows of one market of {size / 1e6:.0f} MB raw, bz2 and all"
        found.append(Row(text, peak, "MB", Goal(under=100)))
    return found


def _refused() -> list[Row]:
    """Of the real files those that a reader gives nothing of."""
    import betfair_data

    from tests.markets.files import read, real_files

    files = [read(path) for path in real_files()]
    if not files:
        return []
    theirs = sum(not any(True for _ in betfair_data.File("1.1", raw)) for raw in files)
    ours = sum(not any(map(len, Runners().rows(blocks(raw), NoFile()))) for raw in files)
    text = f"real files of {len(files)} that are refused (betfair_data: {theirs})"
    return [Row(text, ours, "files", Goal(under=1))]


def blocks(raw: bytes) -> Iterator[bytes]:
    """Whole lines, about 1 MiB at a time."""
    return whole_lines(raw[start : start + _BLOCK] for start in range(0, len(raw), _BLOCK))


def whole_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    from pipeline.read.lines import whole_lines as cut

    return cut(chunks)
