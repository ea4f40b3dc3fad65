"""Any files of lines: NDJSON, CSV without a header, logs, compressed or not."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.sources.base import SourcePlugin, every_file


class NdjsonSource(SourcePlugin):
    """Every file of the selection."""

    name = "ndjson"
    description = "Files of lines in any layout, each compressed or not"

    def build_patterns(self, bucket: str, paths: Sequence[str]) -> list[str]:
        return every_file(bucket, paths)

    def get_decompressor_class(self) -> str:
        return "auto"
