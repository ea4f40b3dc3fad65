"""python -m benchmarks.finish_job PARTS WORKERS FOLDER: the last stages of a job, alone, over a made-up store."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from pipeline.imports import import_beam

import_beam()  # as a job does

import apache_beam as beam  # noqa: E402
from apache_beam.options.pipeline_options import PipelineOptions  # noqa: E402
from apache_beam.runners.portability.fn_api_runner import FnApiRunner  # noqa: E402
from apache_beam.transforms.environments import EmbeddedPythonGrpcEnvironment  # noqa: E402

from benchmarks.made_up_store import NAMED, MadeUpStore, size_of  # noqa: E402
from pipeline.graph.publish_stages import GroupParts, Publish  # noqa: E402
from pipeline.inputs.unmatched import Unmatched  # noqa: E402
from pipeline.ledger import Part, Totals  # noqa: E402
from pipeline.read.pool import give_freed_memory_back  # noqa: E402
from pipeline.spec import JobSpec  # noqa: E402
from pipeline.storage import PlainStore  # noqa: E402
from pipeline.target.layout import parts_folder  # noqa: E402
from pipeline.target.lifecycle import prepare_target  # noqa: E402

_SLICES = 50  # that parts are made in


def main(parts: int, workers: int, folder: Path) -> None:
    spec = JobSpec(("/in/x",), f"{folder}/out", "made")
    store = MadeUpStore(PlainStore())
    prepare_target(store, spec, lambda _: False)
    give_freed_memory_back()  # as a job does
    ledgers = max(1, parts // 100)

    def make(kind: str, count: int, piece: int) -> Iterator[Part]:
        for number in range(count * piece // _SLICES, count * (piece + 1) // _SLICES):
            name = hashlib.blake2b(f"{kind}{number}".encode(), digest_size=16).hexdigest()
            uri = f"{parts_folder(spec.target, spec.job_id, kind)}/part-{name}-00000.ndjson"
            lines = parts // ledgers if kind == "ledger" else 10
            yield Part(uri, size_of(uri), lines, "AAAAAA==", 1)

    def made(root: beam.Pipeline, kind: str, count: int) -> dict[str, beam.PCollection]:
        pieces = (
            root | f"Pieces of {kind}" >> beam.Create(range(_SLICES)) | f"Spread {kind}" >> beam.Reshuffle()
        )
        return (
            pieces
            | f"Make {kind}" >> beam.FlatMap(lambda piece: make(kind, count, piece))
            | kind >> GroupParts(spec, kind)
        )

    sizes = sum(part.size for piece in range(_SLICES) for part in make("output", parts, piece))
    totals = Totals(complete=parts, lines=10 * parts, output_bytes=sizes)
    # By itself a worker sends what it has written of an element each second, and the runner takes that for a whole one.
    environment = EmbeddedPythonGrpcEnvironment(state_cache_size=0, data_buffer_time_limit_ms=1_000_000_000)
    runner = FnApiRunner(default_environment=environment)
    options = PipelineOptions([f"--direct_num_workers={workers}"])
    began = time.monotonic()
    with beam.Pipeline(runner=runner, options=options) as root:
        given = {
            "output": made(root, "output", parts),
            "ledger": made(root, "ledger", ledgers),
            "records": root | "No records" >> beam.Create([], reshuffle=False),
            "listed": root | "Listed" >> beam.Create([parts]),
            "totals": root | "Totals" >> beam.Create([totals]),
            "unmatched": root | "Unmatched" >> beam.Create([Unmatched()]),
        }
        given | "End" >> Publish(store, spec, {})
    summary = json.loads((folder / "out" / "summary.json").read_text())
    told = {
        "seconds": time.monotonic() - began,
        "shards": summary["shards"],
        "moves": sum(name.startswith(f"{spec.target}/output/") for name in NAMED),
    }
    (folder / "told.json").write_text(json.dumps(told))
    print(told)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
