"""python -m benchmarks: run all, print the table. Exit 0 all goals met, 1 one missed, 2 it cannot be run here."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks import (
    archives,
    browser,
    catalogue,
    dashboard,
    dataflow,
    finish,
    inventory,
    large,
    listing,
    markets,
    memory,
    model,
    preview,
    records,
    small_objects,
    startup,
    throughput,
    views,
    visitors,
    whole_job,
)
from benchmarks.profile import profile
from benchmarks.results import document, machine, slowest
from benchmarks.row import BenchmarkError, Context, MissingPeerError, Row, TooBusyError, table

BENCHMARKS: dict[str, Callable[[Context], list[Row]]] = {
    "startup": startup.rows,
    "throughput": throughput.rows,
    "memory": memory.rows,
    "dataflow": dataflow.rows,
    "finish": finish.rows,
    "archives": archives.rows,
    "archive-workers": archives.worker_rows,
    "large": large.rows,
    "preview": preview.rows,
    "records": records.rows,
    "small-objects": small_objects.rows,
    "listing": listing.rows,
    "inventory": inventory.rows,
    "markets": markets.rows,
    "browser": browser.rows,
    "dashboard": dashboard.rows,
    "visitors": visitors.rows,
    "views": views.rows,
    "catalogue": catalogue.rows,
    "model": model.rows,
    "whole-job": whole_job.rows,
}
# Quick ones are to end within three minutes: after so long none is begun any more, and then the last is stopped.
_QUICK_SECONDS = 150
_QUICK_STOPPED = 165
_ROOT = Path(__file__).resolve().parent.parent


def main(
    arguments: Sequence[str] | None = None,
    benchmarks: Mapping[str, Callable[[Context], list[Row]]] = BENCHMARKS,
) -> int:
    options = _parse(arguments, list(benchmarks))
    options.data_dir.mkdir(parents=True, exist_ok=True)
    chosen = options.only or list(benchmarks)
    rows: list[Row] = []
    seconds: dict[str, float] = {}
    left_out: list[str] = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="run-", dir=options.data_dir) as work:
        try:
            for name in chosen:
                if options.quick and time.monotonic() - began > _QUICK_SECONDS:
                    left_out.append(name)
                    continue
                print(f"{name}:", file=sys.stderr)
                folder = Path(work, name)
                folder.mkdir()
                started = time.monotonic()
                left = began + _QUICK_STOPPED - started if options.quick else None
                context = Context(options.data_dir, folder, options.quick, _ROOT)
                rows += _measured(benchmarks[name], context, left)
                seconds[name] = time.monotonic() - started
            profiles = {}
            for name in slowest(seconds) if options.results else ():
                if options.quick and time.monotonic() - began + seconds[name] > _QUICK_SECONDS:
                    continue
                print(f"profile of {name}:", file=sys.stderr)
                folder = Path(work, f"{name}-profiled")
                folder.mkdir()
                left = began + _QUICK_STOPPED - time.monotonic() if options.quick else None
                with suppress(TooBusyError), _stopped_after(left):
                    profiles[name] = profile(benchmarks[name], Context(options.data_dir, folder, True, _ROOT))
        except MissingPeerError as e:
            print(e, file=sys.stderr)
            return 2
        except BenchmarkError as e:
            print(f"no result: {e}", file=sys.stderr)
            return 1
    about = machine()
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    print(table(rows, judged=not options.quick))
    if left_out:
        print(f"left out, since there was no time for them: {', '.join(left_out)}")
    if options.results:
        told = document(rows, seconds, profiles, quick=options.quick, left_out=left_out)
        options.results.parent.mkdir(parents=True, exist_ok=True)
        options.results.write_text(told, "utf-8")
    good = options.quick or all(row.ok for row in rows)
    if options.json:
        found = {"machine": about, "quick": options.quick, "rows": [row.to_json() for row in rows]}
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    return 0 if good else 1


@contextmanager
def _stopped_after(seconds: float | None) -> Iterator[None]:
    """Raise TooBusyError in what is done here when it takes longer; whatever it has started it ends by itself."""
    if seconds is None:
        yield
        return

    def stop(*_: object) -> None:
        raise TooBusyError("there was no time left for it")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _measured(
    benchmark: Callable[[Context], list[Row]], context: Context, seconds: float | None
) -> list[Row]:
    """Its rows; none where the machine is too busy for them, or they take longer, and the run is a quick one."""
    try:
        with _stopped_after(seconds):
            return benchmark(context)
    except TooBusyError as e:
        if not context.quick:
            raise
        print(f"no result, which a quick run does without: {e}", file=sys.stderr)
        return []


def _parse(arguments: Sequence[str] | None, names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="little data, once, for three minutes at most; no goal is judged"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too")
    parser.add_argument("--only", action="append", choices=names, help="just this one; may be repeated")
    parser.add_argument(
        "--data-dir",
        type=lambda text: Path(text).resolve(),
        default=_ROOT / "build" / "bench-data",
        help="keeps what is measured on, about 250 MB; needs 2 GB free (default: %(default)s)",
    )
    parser.add_argument(
        "--results",
        type=Path,
        metavar="FILE",
        help="write machine, date, table and a profile of the two slowest there, in Markdown (default: "
        "benchmarks/RESULTS.md where all are run; build/RESULTS-quick.md with --quick; none with --only)",
    )
    options = parser.parse_args(arguments)
    if options.results is None and not options.only:
        options.results = _ROOT / ("build/RESULTS-quick.md" if options.quick else "benchmarks/RESULTS.md")
    return options


if __name__ == "__main__":
    sys.exit(main())
