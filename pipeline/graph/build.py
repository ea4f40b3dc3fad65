"""JobSpec -> pipeline graph.

    CreatePatterns -> ListFiles -> ExpandArchives -> ReadOnce -> PackFiles -> Reshuffle -> ReadAndDecompress
        -> WriteOutput

ReadOnce and PackFiles are there where the source says what its files hold; else files are in packets from the listing
on. ExpandArchives has those that may be archives. A large file
comes out of ReadAndDecompress unread, if its format has blocks, and goes through DecodeLarge.

Matching and reading are our own: Beam's fileio gave empty output without an error (see docs of `pipeline.codecs`
and `pipeline.storage` for what they guarantee instead).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import apache_beam as beam

from pipeline.archives.store import store_of_archives
from pipeline.graph.archive_stages import ExpandArchives, LookedFor, PackFiles
from pipeline.graph.elements import RECORDS, UNMATCHED
from pipeline.graph.list_stages import ARCHIVES, LISTINGS_IN_GRAPH, ROWS, CreatePatterns, ListFiles
from pipeline.graph.once_stages import ReadOnce
from pipeline.graph.range_stages import DecodeLarge
from pipeline.graph.read_stages import (
    FOUND,
    LARGE,
    ReadAndDecompressGCSFile,
    SumUnmatched,
)
from pipeline.graph.write_stages import WriteOutput
from pipeline.inputs.listing import only_patterns
from pipeline.job_options import SPLIT_MB
from pipeline.read.file import ReadOptions
from pipeline.sources import get_decompressor, get_source, tells_holds
from pipeline.sources.views import find_view
from pipeline.spec import JobSpec
from pipeline.storage import Store
from pipeline.target.layout import patterns_uri
from pipeline.uri import has_glob
from pipeline.write.publish import now


def build(root: Any, store: Store, spec: JobSpec, looked_for: Sequence[str]) -> Any:
    """Add the job to a pipeline (its root); gives the PCollection of its one summary.

    `looked_for` is what `pipeline.admit.admit` gave for the specification. Workers read and write through `store`.
    Calls no service.
    """
    store = store_of_archives(store)
    view = find_view(spec)
    source = get_source(spec.source)
    options = ReadOptions(
        codec=get_decompressor(source),
        keep_partial=spec.keep_partial,
        max_ratio=spec.max_ratio,
        spool_bytes=None if spec.spool_mb is None else spec.spool_mb * 1_000_000,
        archives=True,
        newest=spec.newest,
        view=view,
        max_bad_lines=spec.max_bad_lines,
        split_bytes=0 if view else 1_000_000 * (SPLIT_MB if spec.split_mb is None else spec.split_mb),
    )
    few = len(looked_for) <= LISTINGS_IN_GRAPH
    wanted = LookedFor(store, looked_for if few else None, patterns_uri(spec.target, spec.job_id))
    once = tells_holds(source) and not spec.every_file
    found = _found(root, store, spec, looked_for, wanted)
    expanded = (
        found[ARCHIVES]
        | "SpreadArchives" >> beam.Reshuffle()
        | "ExpandArchives"
        >> beam.ParDo(ExpandArchives(store, wanted, spec.job_id, names_first=once)).with_outputs(
            RECORDS, UNMATCHED, main="files"
        )
    )
    listed = (found["files"], expanded["files"]) | "Listed" >> beam.Flatten()
    files = {"read": listed, "skipped": None}
    if once:
        files = listed | "ReadOnce" >> ReadOnce(store, spec.source, spec.job_id)
        files["read"] |= "PackFiles" >> PackFiles()
    read = (
        files["read"]
        | "Reshuffle" >> beam.Reshuffle()
        | "ReadAndDecompress"
        >> beam.ParDo(ReadAndDecompressGCSFile(store, options, wanted)).with_outputs(
            FOUND, LARGE, UNMATCHED, main="read"
        )
    )
    large, more = {}, [read[FOUND]]
    if options.split_bytes:
        in_order = ReadAndDecompressGCSFile(store, replace(options, split_bytes=0), wanted)
        large = read[LARGE] | "DecodeLarge" >> DecodeLarge(store, spec, in_order)
        more.append(large[FOUND])
    if spec.inventory:
        more.append(found[ROWS])
    unmatched = (found[UNMATCHED], expanded[UNMATCHED], read[UNMATCHED]) | "AllUnmatched" >> beam.Flatten()
    results = {
        "listed": listed,
        "found": more | "AllFound" >> beam.Flatten(),
        "read": read["read"],
        "unmatched": unmatched | "SumUnmatched" >> beam.CombineGlobally(SumUnmatched()),
        "archives": expanded[RECORDS],
        **({"inventory": found["inventory"]} if spec.inventory else {}),
        **({"skipped": files["skipped"]} if files["skipped"] else {}),
        **({"large": large[RECORDS], "large_parts": large["parts"]} if large else {}),
    }
    return results | "WriteOutput" >> WriteOutput(store, spec, only_patterns(looked_for), now(), view)


def _found(root: Any, store: Store, spec: JobSpec, looked_for: Sequence[str], wanted: LookedFor) -> Any:
    """The files, by a listing or by an inventory report; those that are named by themselves are in no need of one."""
    listings = root | "CreatePatterns" >> CreatePatterns(store, spec, looked_for)
    if spec.inventory is None:
        by_ranges = _may_be_long(looked_for)
        return listings | "ListFiles" >> ListFiles(store, spec.target, wanted, by_ranges=by_ranges)
    from pipeline.graph.inventory_stages import ListInventory  # with Arrow, which others do without

    named = listings | "Named" >> beam.Filter(lambda listing: not listing.patterns)
    alone = named | "ListNamed" >> ListFiles(store, spec.target, wanted, by_ranges=False)
    reported = root | "ListInventory" >> ListInventory(store, spec, wanted)
    both = {
        tag: (alone[tag], reported[tag]) | f"And {tag}" >> beam.Flatten()
        for tag in ("files", ARCHIVES, UNMATCHED)
    }
    return {**both, ROWS: reported[ROWS], "inventory": reported["inventory"]}


def _may_be_long(looked_for: Sequence[str]) -> bool:
    """Whether there are listings of buckets that go into folders: others are one worker's, in order."""
    return any(has_glob(text) or text.endswith("/") for text in looked_for if text.startswith("gs://"))
