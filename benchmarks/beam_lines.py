"""The peer that a Beam user would write first: python -m benchmarks.beam_lines GLOB OUTPUT_PREFIX."""

from __future__ import annotations

import sys

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

# Named, since Beam's DirectRunner first tries to download another runner.
from apache_beam.runners.portability.fn_api_runner import FnApiRunner


def main(pattern: str, prefix: str) -> None:
    with beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions([])) as root:
        root | "Read" >> beam.io.ReadFromText(pattern) | "Write" >> beam.io.WriteToText(prefix)


if __name__ == "__main__":
    main(*sys.argv[1:])
