"""python -m benchmarks: run all, print the table.

Exit 0 all goals met, 1 one missed or not measured, 2 a peer is not installed; what else was measured is told all the
same.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks import (
    archives,
    browser,
    catalogue,
    dashboard,
    dataflow,
    finish,
    forecast,
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
from benchmarks.results import document, machine, slowest
from benchmarks.row import Context, Row, table
from benchmarks.run import Run, in_order

BENCHMARKS: dict[str, Callable[[Context], list[Row]]] = {
    "startup": startup.rows,
    "throughput": throughput.rows,
    "memory": memory.rows,
    "dataflow": dataflow.rows,
    "finish": finish.rows,
    "archives": archives.rows,
    "archive-workers": archives.worker_rows,
    "large": large.rows,
    "large-ranges": large.range_rows,
    "large-workers": large.worker_rows,
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
    "forecast": forecast.rows,
    "whole-job": whole_job.rows,
}
_ROOT = Path(__file__).resolve().parent.parent


def main(
    arguments: Sequence[str] | None = None,
    benchmarks: Mapping[str, Callable[[Context], list[Row]]] = BENCHMARKS,
) -> int:
    options = _parse(arguments, list(benchmarks))
    options.data_dir.mkdir(parents=True, exist_ok=True)
    chosen = options.only or in_order(list(benchmarks))
    run = Run(options.quick, options.data_dir, _ROOT)
    with tempfile.TemporaryDirectory(prefix="run-", dir=options.data_dir) as work:
        for name in chosen:
            run.measure(name, benchmarks[name], Path(work, name))
            _write(options, run)  # what was measured stays, whatever becomes of the rest
        for name in slowest(run.seconds) if options.results else ():
            run.profile(name, benchmarks[name], Path(work, f"{name}-profiled"))
    print(", ".join(f"{key} {value}" for key, value in machine().items()))
    print(table(run.rows, judged=not options.quick))
    if run.left_out:
        print(f"left out, since there was no time for them: {', '.join(run.left_out)}")
    for name, why in run.failed.items():
        print(f"no result of {name}: {why}", file=sys.stderr)
    _write(options, run)
    if run.is_missing_peer:
        return 2
    return 0 if not run.failed and (options.quick or all(row.ok for row in run.rows)) else 1


def _write(options: argparse.Namespace, run: Run) -> None:
    if options.results:
        options.results.parent.mkdir(parents=True, exist_ok=True)
        options.results.write_text(document(run), "utf-8")
    if options.json:
        found = {"machine": machine(), "quick": run.quick, "rows": [row.to_json() for row in run.rows]}
        options.json.write_text(json.dumps(found, indent=2) + "\n")


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
