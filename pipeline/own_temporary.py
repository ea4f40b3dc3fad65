"""A temporary folder of a job's own process: what is made in it, by Beam as well, goes with it.

Beam makes folders for each pipeline and for what it stages, and leaves some of them. The folder's name begins with the
job's id, so that whoever finds the process killed can remove it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def own_temporary_folder(job_id: str) -> Iterator[Path]:
    """Have Python's `tempfile` work in a folder of this job's, and remove that with all in it at the end.

    For a process that does nothing else. Raises FileNotFoundError where the machine has no temporary folder.
    """
    before = tempfile.tempdir
    folder = tempfile.mkdtemp(prefix=_prefix(job_id))
    tempfile.tempdir = folder
    try:
        yield Path(folder)
    finally:
        tempfile.tempdir = before
        try:
            shutil.rmtree(folder, ignore_errors=True)
        except BaseException:  # a signal that came meanwhile
            shutil.rmtree(folder, ignore_errors=True)
            raise


def remove_left_behind(job_id: str) -> None:
    """Remove this user's temporary folders of a job that has no process any more: it was killed."""
    name = re.compile(re.escape(_prefix(job_id)) + r"\w+")
    with contextlib.suppress(OSError):
        for entry in os.scandir(tempfile.gettempdir()):
            is_folder = name.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)
            if is_folder and entry.stat(follow_symlinks=False).st_uid == os.getuid():
                shutil.rmtree(entry.path, ignore_errors=True)


def _prefix(job_id: str) -> str:
    return f"chimera-{job_id}."  # an id has no "."
