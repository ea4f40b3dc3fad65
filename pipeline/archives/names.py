"""Which names say that a file is an archive: all that a listing has."""

from __future__ import annotations

DEEPEST = 2  # archives around a file

_ENDINGS = (
    ".tar",
    *(f".tar.{form}" for form in ("gz", "gzip", "bz", "bz2", "bzip2", "xz", "zst", "zstd")),
    *(".tgz", ".tbz", ".tbz2", ".tb2", ".txz", ".tzst"),
    ".zip",
)
_LONGEST = max(map(len, _ENDINGS))


def is_archive_name(name: str) -> bool:
    """Whether a file of this name is taken for an archive until its bytes say something else."""
    return name[-_LONGEST:].lower().endswith(_ENDINGS)  # each file of a listing asks
