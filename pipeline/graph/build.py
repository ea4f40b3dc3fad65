"""JobSpec -> pipeline graph.

    CreatePatterns -> ListFiles -> Deduplicate -> ReadOnce -> Reshuffle -> ReadAndDecompress -> WriteOutput

ReadOnce is there where the source says what its files hold.

Matching and reading are our own: Beam's fileio gave empty output without an error (see docs of `pipeline.codecs`
and `pipeline.storage` for what they guarantee instead).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apache_beam as beam

from pipeline.graph.once_stages import ReadOnce
from pipeline.graph.read_stages import (
    UNMATCHED,
    CreatePatterns,
    ListGCSFiles,
    ReadAndDecompressGCSFile,
    SplitUnmatched,
    SumUnmatched,
)
from pipeline.graph.write_stages import WriteOutput
from pipeline.inputs.listing import only_patterns
from pipeline.read.file import ReadOptions
from pipeline.sources import get_decompressor, get_source, tells_holds
from pipeline.sources.views import find_view
from pipeline.spec import JobSpec
from pipeline.storage import Store
from pipeline.write.publish import now


def build(root: Any, store: Store, spec: JobSpec, looked_for: Sequence[str]) -> Any:
    """Add the job to a pipeline (its root); gives the PCollection of its one summary.

    `looked_for` is what `pipeline.admit.admit` gave for the specification. Workers read and write through `store`.
    Calls no service.
    """
    view = find_view(spec)
    source = get_source(spec.source)
    options = ReadOptions(
        codec=get_decompressor(source),
        keep_partial=spec.keep_partial,
        max_ratio=spec.max_ratio,
        spool_bytes=None if spec.spool_mb is None else spec.spool_mb * 1_000_000,
        view=view,
        max_bad_lines=spec.max_bad_lines,
    )
    found = (
        root
        | "CreatePatterns" >> CreatePatterns(store, spec, looked_for)
        | "ListFiles" >> beam.ParDo(ListGCSFiles(store, spec.target))
        # A file may be listed twice: taken where a pattern of either listing takes it, and of the larger size where it
        # was replaced meanwhile.
        | "Deduplicate" >> beam.CombinePerKey(max)
        | "SplitUnmatched" >> beam.ParDo(SplitUnmatched()).with_outputs(UNMATCHED, main="taken")
    )
    files = {"read": found["taken"] | "Uris" >> beam.Keys(), "skipped": None}
    if tells_holds(source) and not spec.every_file:
        files = found["taken"] | "ReadOnce" >> ReadOnce(store, spec.source, spec.job_id)
    read = (
        files["read"]
        | "Reshuffle" >> beam.Reshuffle()
        | "ReadAndDecompress" >> beam.ParDo(ReadAndDecompressGCSFile(store, options))
    )
    results = {
        "listed": found["taken"],
        "read": read,
        "unmatched": found[UNMATCHED] | "SumUnmatched" >> beam.CombineGlobally(SumUnmatched()),
        **({"skipped": files["skipped"]} if files["skipped"] else {}),
    }
    return results | "WriteOutput" >> WriteOutput(store, spec, only_patterns(looked_for), now(), view)
