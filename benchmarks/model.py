"""What the forecast says of jobs that nobody runs here, and what it says of those that are run.

The table is the model (`chimera_nb.jobs.forecast`) at its word: Dataflow, n1-standard-4, workers by the size. The check
runs jobs of small local files, and compares core-seconds, which do not change with what else the machine does. The
first job is not judged: it teaches the model this machine's pace, as it does with any user's.
"""

from __future__ import annotations

import bz2
import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.command import run
from benchmarks.row import BenchmarkError, Context, Goal, Row
from benchmarks.throughput import submit_command
from chimera_nb.jobs.forecast.actual import actual_of
from chimera_nb.jobs.forecast.machine import machine_of
from chimera_nb.jobs.forecast.model import Work, forecast
from chimera_nb.jobs.log.sqlite import SqliteJobLog
from chimera_nb.settings import Settings
from chimera_nb.units import size as show_size

_TAUGHT_BY = 3000
_CHECKED = (1000, 10_000, 100_000)
_RATIO = 10  # raw bytes to a stored one, of market files
# Files, their stored bytes together, and workers.
_TABLE = (
    (10**4, 10**9, 2),
    (10**5, 10**10, 10),
    (10**6, 10**11, 50),
    (10**7, 10**12, 200),
    (10**8, 10**14, 1000),
    (10**9, 10**15, 4000),
)


def table() -> str:
    """The model for 10^4 to 10^9 files and up to a petabyte, a line each."""
    cloud = Settings(place="cloud", job_log="sqlite", project="any")
    head = f"{'files':>13} {'stored':>9} {'workers':>8} {'hours':>7} {'worker-h':>10} {'requests':>14}"
    lines = [f"{head} {'money':>14}  limit"]
    for files, size, workers in _TABLE:
        on = machine_of("dataflow", {"machine_type": "n1-standard-4", "max_workers": workers}, cloud)
        told = forecast(Work(files, size, size * _RATIO), on)
        lines.append(
            f"{files:>13,} {show_size(size):>9} {workers:>8,} {(told.seconds or 0) / 3600:>7,.2f} "
            f"{told.worker_hours:>10,.1f} {sum(told.operations.values()):>14,} {told.money:>10,.2f} {told.currency}"
            f"  {told.limit}"
        )
    return "\n".join(lines)


def rows(context: Context) -> list[Row]:
    """Print the table, and run what it can be checked by."""
    print(table())
    checked = (1000,) if context.quick else _CHECKED
    taught_by = 300 if context.quick else _TAUGHT_BY
    foretold_job(context, small_files(context.data_dir, taught_by), "teaches")
    found = {
        files: foretold_job(context, small_files(context.data_dir, files), f"out-{files}")
        for files in checked
    }
    of_core = [
        Row(f"forecast of core-seconds, {files:,} small local files", abs(told.off), "% off", Goal(under=15))
        for files, told in found.items()
    ]
    of_clock = [
        Row(
            f"forecast of seconds, {files:,} small local files",
            abs(told.seconds_off),
            "% off",
            Goal(under=15),
        )
        for files, told in found.items()
    ]
    return of_core + of_clock


@dataclass(frozen=True)
class Foretold:
    """What a job was foretold to take, and what it took: seconds of cores, and of the clock."""

    core: float
    core_came: float
    seconds: float
    seconds_came: float

    @property
    def off(self) -> float:
        """Percent of what it came to."""
        return 100 * (self.core / self.core_came - 1)

    @property
    def seconds_off(self) -> float:
        return 100 * (self.seconds / self.seconds_came - 1)


def foretold_job(context: Context, where: Path, name: str, options: Sequence[str] = ()) -> Foretold:
    """Run a job over a folder or an archive, after the others of this context, and look at its record."""
    target = context.work / name
    command = [*submit_command(where, target, context.work / "log"), *options]
    run([*command, "--budget", "1000h"], cwd=context.root)  # so that all are counted, however long that takes
    with closing(SqliteJobLog(context.work / "log" / "jobs.sqlite")) as log:
        [record] = log.list(limit=1).records
    shutil.rmtree(target)
    told, came = record.forecast or {}, actual_of(record) or {}
    values = [each.get(key) for key in ("coreSeconds", "seconds") for each in (told, came)]
    if not all(values):
        raise BenchmarkError(f"the record of a job over {where} has no forecast, or did not end well")
    return Foretold(*map(float, values))


def small_files(data_dir: Path, files: int) -> Path:
    """A folder of so many .bz2 of a line each, made once."""
    folder = data_dir / f"small-{files}"
    whole = folder / "whole"
    if not whole.exists():
        for n in range(files):
            path = folder / "files" / f"{n // 1000:03}" / f"{n:06}.json.bz2"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bz2.compress(b'{"n": %d, "of": %d}\n' % (n, files), 1))
        whole.touch()
    return folder / "files"


if __name__ == "__main__":
    print(table())
