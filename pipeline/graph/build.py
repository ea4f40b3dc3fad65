"""JobSpec -> pipeline graph.

    CreatePatterns -> ListFiles -> Deduplicate -> Reshuffle -> ReadAndDecompress -> WriteOutput

Matching and reading are our own: Beam's fileio gave empty output without an error (see docs of `pipeline.codecs`
and `pipeline.storage` for what they guarantee instead).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apache_beam as beam

from pipeline.graph.read_stages import CreatePatterns, ListGCSFiles, ReadAndDecompressGCSFile
from pipeline.graph.write_stages import WriteOutput
from pipeline.read.file import ReadOptions
from pipeline.sources import get_decompressor, get_source
from pipeline.sources.views import find_view
from pipeline.spec import JobSpec
from pipeline.storage import Store
from pipeline.write.publish import now


def build(root: Any, store: Store, spec: JobSpec, patterns: Sequence[str]) -> Any:
    """Add the job to a pipeline (its root); gives the PCollection of its one summary.

    `patterns` are those that `pipeline.admit.admit` gave for the specification. Workers read and write through
    `store`. Calls no service.
    """
    view = find_view(spec)
    options = ReadOptions(
        codec=get_decompressor(get_source(spec.source)),
        keep_partial=spec.keep_partial,
        max_ratio=spec.max_ratio,
        spool_bytes=None if spec.spool_mb is None else spec.spool_mb * 1_000_000,
        view=view,
        max_bad_lines=spec.max_bad_lines,
    )
    files = (
        root
        | "CreatePatterns" >> CreatePatterns(store, spec, patterns)
        | "ListFiles" >> beam.ParDo(ListGCSFiles(store, spec.target))
        | "Deduplicate" >> beam.Distinct()
    )
    read = (
        files
        | "Reshuffle" >> beam.Reshuffle()
        | "ReadAndDecompress" >> beam.ParDo(ReadAndDecompressGCSFile(store, options))
    )
    results = {"listed": files, "read": read}
    return results | "WriteOutput" >> WriteOutput(store, spec, patterns, now(), view)
