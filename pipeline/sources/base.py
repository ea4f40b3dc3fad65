"""What a source plugin is.

A package offers one through its metadata, and nothing here changes:

    [project.entry-points."chimera.sources"]
    tiny = "tiny_source:TinySource"

The class is made without arguments, on the analyst's machine and on the workers, so its package must be
installed in both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pipeline.uri import escape, has_glob, join_uri

if TYPE_CHECKING:
    from pipeline.sources.holds import Holds
    from pipeline.sources.view import View


class SourcePlugin(ABC):
    """One layout of files in a bucket. Its `name` is that of its entry point."""

    name: ClassVar[str]
    description: ClassVar[str]  # one line, shown beside the name

    @abstractmethod
    def build_patterns(self, bucket: str, paths: Sequence[str]) -> list[str]:
        """The globs, each a whole URI in that bucket, that match the files of the selected paths.

        Paths are relative to the bucket; with the bucket "" paths and patterns are local. `pipeline.glob`
        has the rules of globs, and `escape`, `has_glob` and `join_uri` to build them with. Calls no service.
        """

    @abstractmethod
    def get_decompressor_class(self) -> str:
        """A codec's name, "auto" (chosen by each file's first bytes), or "module:Class" of a Codec."""

    def holds(self, path: str) -> Holds | None:
        """What the file holds that another of the selection may hold as well; None where its name does not tell.

        `path` is the file's within its bucket. A job reads the same records once, and has what it passed over on
        record; with the option `every_file` it does not ask.
        """
        del path
        return None

    def views(self) -> Sequence[type[View]]:
        """The tables that can be made of its records. Import them in here: what they need is slow to load."""
        return ()


def files_in_folder(folder: str, files: str) -> list[str]:
    """Two patterns: the files right in a folder, and those at any depth below it. "" is the root."""
    stem = folder if not folder or folder.endswith("/") else f"{folder}/"
    return [f"{stem}{files}", f"{stem}**/{files}"]


def every_file(bucket: str, paths: Sequence[str]) -> list[str]:
    """The patterns of all files of the selected paths, whatever their names.

    A path that ends in "/" means folders and all that is in them; a glob is itself. Any other path may be a file or a
    folder, and only the bucket knows: it is looked for as both. "" is the whole bucket.
    """
    patterns: list[str] = []
    for path in paths:
        if not path or path.endswith("/"):
            patterns += files_in_folder(path, "*")
        elif has_glob(path):
            patterns.append(path)
        else:
            patterns += [escape(path), *files_in_folder(path, "*")]
    return [join_uri(bucket, pattern) for pattern in dict.fromkeys(patterns)]
