"""python -m benchmarks: run all, print the table. Exit 0 all goals met, 1 one missed, 2 it cannot be run here."""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks import (
    archives,
    browser,
    catalogue,
    dashboard,
    dataflow,
    large,
    markets,
    memory,
    preview,
    records,
    throughput,
    views,
)
from benchmarks.row import BenchmarkError, Context, MissingPeerError, Row, table
from chimera_nb.machine.cores import usable_cores

BENCHMARKS: dict[str, Callable[[Context], list[Row]]] = {
    "throughput": throughput.rows,
    "memory": memory.rows,
    "dataflow": dataflow.rows,
    "archives": archives.rows,
    "archive-workers": archives.worker_rows,
    "large": large.rows,
    "preview": preview.rows,
    "records": records.rows,
    "markets": markets.rows,
    "browser": browser.rows,
    "dashboard": dashboard.rows,
    "views": views.rows,
    "catalogue": catalogue.rows,
}
_ROOT = Path(__file__).resolve().parent.parent


def main(
    arguments: Sequence[str] | None = None,
    benchmarks: Mapping[str, Callable[[Context], list[Row]]] = BENCHMARKS,
) -> int:
    options = _parse(arguments, list(benchmarks))
    options.data_dir.mkdir(parents=True, exist_ok=True)
    chosen = options.only or list(benchmarks)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="run-", dir=options.data_dir) as work:
        try:
            for name in chosen:
                print(f"{name}:", file=sys.stderr)
                folder = Path(work, name)
                folder.mkdir()
                rows += benchmarks[name](Context(options.data_dir, folder, options.quick, _ROOT))
        except MissingPeerError as e:
            print(e, file=sys.stderr)
            return 2
        except BenchmarkError as e:
            print(f"no result: {e}", file=sys.stderr)
            return 1
    machine = _machine()
    print(", ".join(f"{key} {value}" for key, value in machine.items()))
    print(table(rows, judged=not options.quick))
    good = options.quick or all(row.ok for row in rows)
    if options.json:
        document = {"machine": machine, "quick": options.quick, "rows": [row.to_json() for row in rows]}
        options.json.write_text(json.dumps(document, indent=2) + "\n")
    return 0 if good else 1


def _parse(arguments: Sequence[str] | None, names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little data, once; no goal is judged")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too")
    parser.add_argument("--only", action="append", choices=names, help="just this one; may be repeated")
    parser.add_argument(
        "--data-dir",
        type=lambda text: Path(text).resolve(),
        default=_ROOT / "build" / "bench-data",
        help="keeps what is measured on, about 250 MB; needs 2 GB free (default: %(default)s)",
    )
    return parser.parse_args(arguments)


def _machine() -> dict[str, str]:
    return {
        "cores": str(len(usable_cores())),
        "Python": platform.python_version(),
        "Beam": version("apache-beam"),
    }


if __name__ == "__main__":
    sys.exit(main())
