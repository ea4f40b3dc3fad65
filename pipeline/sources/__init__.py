"""Where the files come from: a source turns a selection into patterns, and says how the files are compressed.

A third party adds one by a package with an entry point in the group "chimera.sources"; see base.py.
"""

from __future__ import annotations

from pipeline.sources.base import SourcePlugin, every_file
from pipeline.sources.holds import Holds
from pipeline.sources.registry import (
    build_patterns,
    describe_sources,
    get_decompressor,
    get_source,
    source_names,
    tells_holds,
    what_it_holds,
)

__all__ = [
    "Holds",
    "SourcePlugin",
    "build_patterns",
    "describe_sources",
    "every_file",
    "get_decompressor",
    "get_source",
    "source_names",
    "tells_holds",
    "what_it_holds",
]
