"""The data folder is its owner's: what is in it is nobody else's to read.

Folders are 0700 and files 0600, from the moment they are made. Wider modes, which an earlier version has left, are
narrowed when the folder is used again: of the folder itself if it is certainly ours, and of files with our names.
"""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from pathlib import Path
from typing import IO

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_NAME = ".chimera"
_FOLDERS = ("storage", "incoming", "set-aside", "dataflow", "jobs", "samples", "catalogues")
_FILES = (
    *("stack.json", "stack.log", "stack.lock", "start.lock", "storage.log", "storage.port", "dataflow.log"),
    *("dataflow.port", "jobs.sqlite", "jobs.sqlite-wal", "jobs.sqlite-shm", "recent-places.json"),
)
_log = logging.getLogger(__name__)


def private_data_dir(path: Path) -> Path:
    """The data folder, made if need be, with nothing of ours in it for others to read. Raises OSError."""
    if not path.exists():
        return private_folder(path)
    entries = {entry.name for entry in path.iterdir()}
    if path.name == _NAME or not entries - {
        *_FOLDERS,
        *_FILES,
    }:  # a folder that has other things is left as it is
        _close(path)
    for name in entries.intersection((*_FOLDERS, *_FILES)):
        _close(path / name)
    return path


def private_folder(path: Path) -> Path:
    """A folder of ours, made if need be. Raises OSError."""
    if not path.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
    _close(path)
    return path


def private_file(path: Path) -> Path:
    """A file of ours, made empty if need be. Raises OSError.

    One that is there is not opened: to close it again would give up every lock that this process has on it (fcntl(2)).
    """
    if not path.exists():
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    _close(path)
    return path


def open_private(path: Path, mode: str) -> IO[bytes]:
    """The file, opened for writing in binary ("wb", "ab"). Raises OSError."""
    return private_file(path).open(mode)


def _close(path: Path) -> None:
    """Take from others what they may do with it, where it is ours to take and still there.

    Files come and go under other processes: SQLite removes those beside a log when its last connection closes.
    """
    with contextlib.suppress(FileNotFoundError):
        found = path.stat()
        if not found.st_mode & _OTHERS or found.st_uid != os.geteuid() or found.st_mode & stat.S_ISVTX:
            return
        path.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS)
        _log.info("%s was open to other users; it is private now", path)
