"""python -m benchmarks.finish_job PARTS WORKERS FOLDER: the last stages of a job, alone, over a made-up store."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from benchmarks.made_up_store import NAMED, MadeUpStore, size_of
from pipeline.graph.publish_stages import GroupParts, Publish
from pipeline.inputs.unmatched import Unmatched
from pipeline.ledger import Part, Totals
from pipeline.spec import JobSpec
from pipeline.storage import PlainStore
from pipeline.target.layout import parts_folder
from pipeline.target.lifecycle import prepare_target

_SLICES = 50  # that parts are made in


def main(parts: int, workers: int, folder: Path) -> None:
    spec = JobSpec(("/in/x",), f"{folder}/out", "made")
    store = MadeUpStore(PlainStore())
    prepare_target(store, spec, lambda _: False)
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
            | kind >> GroupParts()
        )

    sizes = sum(part.size for piece in range(_SLICES) for part in make("output", parts, piece))
    totals = Totals(complete=parts, lines=10 * parts, output_bytes=sizes)
    options = [f"--direct_num_workers={workers}", "--direct_running_mode=multi_threading"]
    began = time.monotonic()
    with beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions(options)) as root:
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
