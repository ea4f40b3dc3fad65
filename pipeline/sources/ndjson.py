"""Any files of lines: NDJSON, CSV without a header, logs, compressed or not."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.sources.base import SourcePlugin, files_in_folder
from pipeline.uri import escape, has_glob, join_uri


class NdjsonSource(SourcePlugin):
    """A path that ends in "/" means folders and all that is in them; a glob is itself.

    Any other path may be a file or a folder, and only the bucket knows: it is looked for as both. ""
    is the whole bucket.
    """

    name = "ndjson"
    description = "Files of lines in any layout, each compressed or not"

    def build_patterns(self, bucket: str, paths: Sequence[str]) -> list[str]:
        patterns: list[str] = []
        for path in paths:
            if not path or path.endswith("/"):
                patterns += files_in_folder(path, "*")
            elif has_glob(path):
                patterns.append(path)
            else:
                patterns += [escape(path), *files_in_folder(path, "*")]
        return [join_uri(bucket, pattern) for pattern in dict.fromkeys(patterns)]

    def get_decompressor_class(self) -> str:
        return "auto"
