"""Local paths through the operating system."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat as modes
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from pipeline.errors import AccessDeniedError, ObjectExistsError, ObjectNotFoundError, StorageError
from pipeline.storage.checksum import Crc32c
from pipeline.storage.entries import Entry, Page, ReadStream


def list_objects(prefix: str, *, recursive: bool) -> Iterator[Entry]:
    """Files below the prefix's folder. Links to files are followed, links to folders are not.

    A file or link whose target is gone is listed too, so that it is on record as one that cannot be read.
    """
    root = _folder_of(prefix)
    with _mapped(root):
        yield from _walk(root, prefix, recursive=recursive)


def list_folder(folder: str, *, page_size: int) -> Iterator[Page]:
    parent = _folder_of(folder)
    folders, files = [], []
    with _mapped(folder):
        for entry in _scan(parent):
            path = _path(parent, entry)
            if not path.startswith(folder):
                continue
            if entry.is_dir():
                folders.append(f"{path}/")
            elif _is_data(entry):
                files.append(_entry(path))
    for at in range(0, max(len(folders), len(files), 1), page_size):
        yield Page(tuple(folders[at : at + page_size]), tuple(files[at : at + page_size]))


def stat(uri: str) -> Entry:
    with _mapped(uri):
        found = Path(uri).stat()
    if modes.S_ISDIR(found.st_mode):
        raise ObjectNotFoundError(uri, "is a folder, not a file")
    return _entry(uri)


def open_read(uri: str) -> ReadStream:
    return _FileReader(uri)


def read_range(uri: str, start: int, end: int) -> bytes:
    with _mapped(uri), Path(uri).open("rb") as file:
        file.seek(start)
        return file.read(max(0, end - start))


def open_write(uri: str) -> _FileWriter:
    return _FileWriter(uri)


def write_bytes(uri: str, data: bytes, *, create_only: bool) -> None:
    """The name appears with the whole content: a reader never sees half of it."""
    path = Path(uri)
    with _mapped(uri):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                os.fchmod(file.fileno(), 0o666 & ~_UMASK)
            if create_only:
                os.link(temporary, path)
            else:
                Path(temporary).replace(path)
                return
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        Path(temporary).unlink()


def upload_file(path: str, uri: str) -> Entry:
    with open_read(path) as source:
        data_end = f"{uri}.{os.getpid()}.part"
        with open_write(data_end) as out:
            while block := source.read(1 << 20):
                out.write(block)
        source.verify()
    rename(data_end, uri, size=out.size, crc32c=out.crc32c)
    return _entry(uri)


def rename(source: str, target: str, *, size: int, crc32c: str | None) -> None:  # noqa: ARG001 - a rename copies nothing
    with _mapped(target):
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(
            FileNotFoundError
        ):  # it was renamed before: what stands at the target decides
            Path(source).replace(target)
        found = Path(target).stat().st_size
    if found != size:
        raise StorageError(target, f"holds {found:,} bytes where {size:,} were written")


def delete(uris: Sequence[str]) -> None:
    for uri in uris:
        with _mapped(uri):
            Path(uri).unlink(missing_ok=True)


def delete_tree(folder: str) -> None:
    with _mapped(folder), contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)


def remove_empty_folder(folder: str) -> None:
    with contextlib.suppress(OSError):
        Path(folder).rmdir()


def is_folder(path: str) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - exactly this path, with its "//" and ".."


class _FileReader(ReadStream):
    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        with _mapped(uri):
            if not modes.S_ISREG(Path(uri).stat().st_mode):
                raise StorageError(uri, "is not a regular file")  # a pipe would be waited for without end
            self._file: IO[bytes] = Path(uri).open("rb", buffering=0)  # noqa: SIM115 - `close` does
        self._stat = os.fstat(self._file.fileno())

    def close(self) -> None:
        self._file.close()

    def _next(self, size: int) -> bytes:
        with _mapped(self.uri):
            return self._file.read(size)

    def _expected(self) -> tuple[int | None, str | None]:
        with _mapped(self.uri):
            now = os.fstat(self._file.fileno())
        if now.st_mtime_ns != self._stat.st_mtime_ns:
            raise StorageError(self.uri, "was changed while it was being read; try again")
        return self._stat.st_size, None


class _FileWriter:
    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.size = 0
        self._crc = Crc32c()
        with _mapped(uri):
            Path(uri).parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = Path(uri).open("wb", buffering=0)  # noqa: SIM115 - `close` does

    @property
    def crc32c(self) -> str:
        return str(self._crc)

    def write(self, data: bytes, /) -> None:
        with _mapped(self.uri):
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) :]
        self._crc.update(data)
        self.size += len(data)

    def close(self) -> None:
        with _mapped(self.uri):
            self._file.close()

    def abort(self) -> None:
        self._file.close()
        with _mapped(self.uri):
            Path(self.uri).unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()


_UMASK = os.umask(0)
os.umask(_UMASK)


def _walk(folder: str, prefix: str, *, recursive: bool) -> Iterator[Entry]:
    for entry in _scan(folder):
        path = _path(folder, entry)
        if entry.is_dir(follow_symlinks=False):
            if recursive and f"{path}/".startswith(prefix):
                yield from _walk(path, prefix, recursive=True)
        elif path.startswith(prefix) and _is_data(entry):
            yield _entry(path)


def _folder_of(prefix: str) -> str:
    return prefix.rpartition("/")[0] or ("/" if prefix.startswith("/") else ".")


def _scan(folder: str) -> list[os.DirEntry[str]]:
    """A folder that is absent holds nothing; one that may not be read is an error, not an empty one."""
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _path(folder: str, entry: os.DirEntry[str]) -> str:
    """The entry's path as a caller writes it: what is right here has no "./" before it."""
    return entry.name if folder == "." else entry.path


def _is_data(entry: os.DirEntry[str]) -> bool:
    """A file, or a link that leads nowhere; sockets, pipes and devices are not data."""
    return entry.is_file() or (entry.is_symlink() and not entry.is_dir() and not Path(entry.path).exists())


def _entry(path: str) -> Entry:
    try:
        found = Path(path).stat()
    except FileNotFoundError:
        return Entry(path, 0)
    updated = datetime.fromtimestamp(found.st_mtime, UTC).isoformat(timespec="milliseconds")
    return Entry(path, found.st_size, updated=updated.replace("+00:00", "Z"))


@contextlib.contextmanager
def _mapped(uri: str) -> Iterator[None]:
    """Whatever the operating system raises, as a StorageError about `uri`."""
    try:
        yield
    except StorageError:
        raise
    except FileNotFoundError as e:
        raise ObjectNotFoundError(uri, "there is no such file") from e
    except FileExistsError as e:
        raise ObjectExistsError(uri, "is there already") from e
    except PermissionError as e:
        raise AccessDeniedError(uri, "permission is denied; check its owner and mode") from e
    except OSError as e:
        raise StorageError(uri, (e.strerror or str(e)).lower()) from e
