"""Local files as streams, and the operating system's errors as ours."""

from __future__ import annotations

import contextlib
import errno
import os
import stat as modes
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from pipeline.errors import (
    AccessDeniedError,
    ObjectChangedError,
    ObjectExistsError,
    ObjectNotFoundError,
    StorageError,
    StoreUnavailableError,
)
from pipeline.storage.entries import ReadStream, WriteStream
from pipeline.uri import Uri

# This process, or what brings the disk here, is at fault: whatever was asked for would have had the same answer.
_OF_ALL_FILES = {
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
    errno.ENOBUFS,
    errno.ENOTCONN,
    errno.ETIMEDOUT,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.ENETDOWN,
    errno.ENETUNREACH,
}


class FileReader(ReadStream):
    def __init__(self, uri: Uri) -> None:
        super().__init__(uri)
        with mapped(uri):
            if not modes.S_ISREG(Path(uri.path).stat().st_mode):
                raise StorageError(uri, "is not a regular file")  # a pipe would be waited for without end
            self._file: IO[bytes] = Path(uri.path).open("rb", buffering=0)  # noqa: SIM115 - `close` does
        self._stat = os.fstat(self._file.fileno())

    def length(self) -> int:
        return self._stat.st_size

    def read_at(self, start: int, size: int) -> bytes:
        with mapped(self.uri):
            return os.pread(self._file.fileno(), size, start)

    def again(self) -> FileReader:
        stream = FileReader(self.uri)
        if _version(stream._stat) != _version(self._stat):
            stream.close()
            raise ObjectChangedError(self.uri, "was changed after it was first read; run the job again")
        return stream

    def close(self) -> None:
        self._file.close()

    def _next(self, size: int) -> bytes:
        with mapped(self.uri):
            return self._file.read(size)

    def _expected(self) -> tuple[int | None, str | None]:
        with mapped(self.uri):
            now = os.fstat(self._file.fileno())
        if now.st_mtime_ns != self._stat.st_mtime_ns:
            raise StorageError(self.uri, "was changed while it was being read; try again")
        return self._stat.st_size, None


class FileWriter(WriteStream):
    def __init__(self, uri: Uri) -> None:
        super().__init__(uri)
        with mapped(uri):
            Path(uri.path).parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = Path(uri.path).open("wb", buffering=0)  # noqa: SIM115 - `close` does

    def _put(self, data: bytes) -> None:
        with mapped(self.uri):
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) :]

    def close(self) -> None:
        with mapped(self.uri):
            self._file.close()

    def abort(self) -> None:
        self._file.close()
        with mapped(self.uri):
            Path(self.uri.path).unlink(missing_ok=True)


def _version(found: os.stat_result) -> tuple[int, ...]:
    """What tells one state of a local file from another, as a generation does in a bucket."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


@contextlib.contextmanager
def mapped(uri: str) -> Iterator[None]:
    """Whatever the operating system raises, as a StorageError about `uri`."""
    try:
        yield
    except StorageError:
        raise
    except FileNotFoundError as e:
        raise ObjectNotFoundError(uri, "there is no such file") from e
    except NotADirectoryError as e:
        raise ObjectNotFoundError(uri, "what it would be in is a file, not a folder") from e
    except FileExistsError as e:
        raise ObjectExistsError(uri, "is there already") from e
    except PermissionError as e:
        raise AccessDeniedError(uri, "permission is denied", "check its owner and mode") from e
    except OSError as e:
        if e.errno == errno.ENAMETOOLONG:
            raise ObjectNotFoundError(uri, "its name is longer than this disk takes") from e
        if e.errno in _OF_ALL_FILES:
            raise StoreUnavailableError(uri, (e.strerror or str(e)).lower()) from e
        raise StorageError(uri, (e.strerror or str(e)).lower()) from e
