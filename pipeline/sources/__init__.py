"""Where the files come from: a source turns a selection into patterns, and says how the files are compressed.

What a plugin needs is here: SourcePlugin, Holds, files_in_folder, and of globs escape, has_glob and join_uri.

A third party adds one by a package with an entry point in the group "chimera.sources"; see base.py.
"""

from __future__ import annotations

from pipeline.sources.base import SourcePlugin, every_file, files_in_folder
from pipeline.sources.holds import Holds
from pipeline.sources.registry import (
    build_patterns,
    describe_sources,
    get_decompressor,
    get_source,
    is_built_in,
    source_names,
    tells_holds,
    what_it_holds,
)
from pipeline.uri import escape, has_glob, join_uri

__all__ = [
    "Holds",
    "SourcePlugin",
    "build_patterns",
    "describe_sources",
    "escape",
    "every_file",
    "files_in_folder",
    "get_decompressor",
    "get_source",
    "has_glob",
    "is_built_in",
    "join_uri",
    "source_names",
    "tells_holds",
    "what_it_holds",
]
