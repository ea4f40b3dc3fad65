"""An object that is being written: its bytes in a file of its own, their checksums, and its commit by a rename."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import IO, Any

import google_crc32c

from chimera_nb.local.storage.known import BESIDE, Known, describe, now, write_whole


class Incoming:
    """An object that is being written: bytes are added, then it is committed or discarded.

    Its MD5 takes as much time as all else that is done with the bytes, so it is made where somebody asks for it.
    """

    def __init__(self, path: Path, *, with_md5: bool) -> None:
        self._path = path
        self._file: IO[bytes] = path.open("xb")
        self._resting = False
        self._crc32c = google_crc32c.Checksum()
        self._md5 = hashlib.md5(usedforsecurity=False) if with_md5 else None
        self.size = 0

    def write(self, data: bytes) -> None:
        if self._resting:
            self._file, self._resting = self._path.open("ab"), False
        self._file.write(data)
        self._crc32c.update(data)
        if self._md5:
            self._md5.update(data)
        self.size += len(data)

    def rest(self) -> None:
        """Close the file until more bytes come, which may be never."""
        self._file.close()
        self._resting = True

    def known(self, generation: int, **said: Any) -> Known:
        """What is known of it now; `said` is what its author says of it."""
        time = now()
        crc32c, md5 = _base64(self._crc32c.digest()), _base64(self._md5.digest()) if self._md5 else ""
        return Known(self.size, crc32c, generation, time, time, md5, **said)

    def commit(self, path: Path, known: Known) -> None:
        """Put it, with what is known of it, under its path; what is there is replaced."""
        self._file.close()
        rename(self._path, path, known)

    def drop(self) -> None:
        """It was refused, or has been committed: nothing of it stays."""
        self._file.close()
        self._path.unlink(missing_ok=True)


def rename(file: Path, path: Path, known: Known) -> None:
    """Put a file, with what is known of it, under a path; what is there is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + BESIDE)
    beside.unlink(missing_ok=True)  # broken off here, the file is none of ours any more: it is set aside
    described = describe(file, known)
    file.replace(path)
    file.with_name(file.name + BESIDE).unlink(missing_ok=True)
    if not described:
        write_whole(beside, known.to_json())


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
