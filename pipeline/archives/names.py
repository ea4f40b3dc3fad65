"""Which names say that a file is an archive: all that a listing has."""

from __future__ import annotations

import re

DEEPEST = 2  # archives around a file

_TAR_NAME = re.compile(
    r"\.(?:tar(?:\.(?:gz|gzip|bz2?|bzip2|xz|zst|zstd))?|tgz|tbz2?|tb2|txz|tzst)\Z", re.IGNORECASE
)
_ZIP_NAME = re.compile(r"\.zip\Z", re.IGNORECASE)


def is_archive_name(name: str) -> bool:
    """Whether a file of this name is taken for an archive until its bytes say something else."""
    return _TAR_NAME.search(name) is not None or _ZIP_NAME.search(name) is not None


def is_tar_name(name: str) -> bool:
    """Whether a file of this name, compressed or not, should be a tar."""
    return _TAR_NAME.search(name) is not None
