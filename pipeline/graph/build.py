"""JobSpec -> pipeline graph.

    CreatePatterns -> ListFiles -> Deduplicate -> ExpandArchives -> Reshuffle -> ReadAndDecompress -> WriteOutput

Matching and reading are our own: Beam's fileio gave empty output without an error (see docs of `pipeline.codecs`
and `pipeline.storage` for what they guarantee instead).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apache_beam as beam

from pipeline.archives.store import store_of_archives
from pipeline.graph.archive_stages import ExpandArchives, WantedInArchives
from pipeline.graph.read_stages import (
    FOUND,
    PATTERNS_IN_GRAPH,
    CreatePatterns,
    ListGCSFiles,
    ReadAndDecompressGCSFile,
)
from pipeline.graph.write_stages import WriteOutput
from pipeline.read.file import ReadOptions
from pipeline.sources import get_decompressor, get_source
from pipeline.spec import JobSpec
from pipeline.storage import Store
from pipeline.target.layout import patterns_uri
from pipeline.write.publish import now


def build(root: Any, store: Store, spec: JobSpec, patterns: Sequence[str]) -> Any:
    """Add the job to a pipeline (its root); gives the PCollection of its one summary.

    `patterns` are those that `pipeline.admit.admit` gave for the specification. Workers read and write through
    `store`. Calls no service.
    """
    store = store_of_archives(store)
    options = ReadOptions(
        codec=get_decompressor(get_source(spec.source)),
        keep_partial=spec.keep_partial,
        max_ratio=spec.max_ratio,
        spool_bytes=None if spec.spool_mb is None else spec.spool_mb * 1_000_000,
        archives=True,
    )
    few = len(patterns) <= PATTERNS_IN_GRAPH
    wanted = WantedInArchives(store, patterns if few else None, patterns_uri(spec.target, spec.job_id))
    files = (
        root
        | "CreatePatterns" >> CreatePatterns(store, spec, patterns)
        | "ListFiles" >> beam.ParDo(ListGCSFiles(store, spec.target))
        | "Deduplicate" >> beam.Distinct()
        | "ExpandArchives" >> beam.ParDo(ExpandArchives(store, wanted))
    )
    read = (
        files
        | "Reshuffle" >> beam.Reshuffle()
        | "ReadAndDecompress"
        >> beam.ParDo(ReadAndDecompressGCSFile(store, options, wanted)).with_outputs(FOUND, main="read")
    )
    results = {"listed": files, "found": read[FOUND], "read": read["read"]}
    return results | "WriteOutput" >> WriteOutput(store, spec, patterns, now())
