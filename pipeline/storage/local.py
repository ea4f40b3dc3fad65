"""Local paths through the operating system."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import stat as modes
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pipeline.errors import (
    ObjectNotFoundError,
)
from pipeline.storage.backends import Objects
from pipeline.storage.entries import Entry, ListingPage, ReadStream
from pipeline.storage.local_streams import FileReader, FileWriter, mapped
from pipeline.uri import Uri, written

_log = logging.getLogger(__name__)


class LocalFiles(Objects):
    """All files of this machine, by their paths."""

    def list_objects(self, prefix: Uri, *, recursive: bool) -> Iterator[Entry]:
        """Files below the prefix's folder, links followed; each folder is read once, however many links lead to it.

        A link to a folder that is read under a name of its own is passed over, and so is one to a folder that holds
        the one that is listed: it would never end. A file or link whose target is gone is listed too, so that it is on
        record as one that cannot be read.
        """
        top = _folder_of(prefix.path)
        read = [os.path.realpath(top or ".")]  # the folders read, with all below them
        waiting = [iter(_scan(top))]  # no recursion: folders may nest deeper than calls
        while waiting:
            for path, entry in waiting[-1]:
                if _leads_to_folder(entry):
                    if recursive and f"{path}/".startswith(prefix.path) and _is_read_here(path, entry, read):
                        waiting.append(iter(_scan(f"{path}/")))
                        break
                elif path.startswith(prefix.path) and _is_data(entry):
                    yield _entry(path)
            else:
                waiting.pop()

    def linked_folders(self, folder: Uri) -> Iterator[str]:
        """The links below a folder that lead to folders; what is behind them is not looked into."""
        for top, names, _ in os.walk(folder.path):
            for name in names:
                if os.path.islink(path := f"{top.rstrip('/')}/{name}"):  # noqa: PTH114 - a path as it is written
                    yield written("", path)

    def list_folder(self, folder: Uri, *, page_size: int) -> Iterator[ListingPage]:
        folders, files = [], []
        for path, entry in _scan(_folder_of(folder.path)):
            if not path.startswith(folder.path):
                continue
            if _leads_to_folder(entry):
                folders.append(written("", f"{path}/"))
            elif _is_data(entry):
                files.append(_entry(path))
        for at in range(0, max(len(folders), len(files), 1), page_size):
            yield ListingPage(tuple(folders[at : at + page_size]), tuple(files[at : at + page_size]))

    def stat(self, uri: Uri) -> Entry:
        with mapped(uri):
            found = Path(uri.path).stat()
        if modes.S_ISDIR(found.st_mode):
            raise ObjectNotFoundError(uri, "is a folder, not a file")
        return _entry(uri.path)

    def open_read(
        self,
        uri: Uri,
        first_bytes: int | None = None,  # noqa: ARG002 - asked for each read
        generation: int | None = None,  # noqa: ARG002 - it has none
    ) -> ReadStream:
        return FileReader(uri)

    def read_range(self, uri: Uri, start: int, end: int) -> bytes:
        with mapped(uri), Path(uri.path).open("rb") as file:
            file.seek(start)
            blocks, left = [], end - start
            while left > 0 and (
                block := file.read(min(left, _BLOCK))
            ):  # what is asked for at once is allocated at once
                blocks.append(block)
                left -= len(block)
            return b"".join(blocks)

    def open_write(self, uri: Uri, owner: str | None = None) -> FileWriter:  # noqa: ARG002 - a file carries no mark
        return FileWriter(uri)

    def write_bytes(self, uri: Uri, data: bytes, *, create_only: bool, private: bool = False) -> None:
        """The name appears with the whole content: a reader never sees half. A private file is its owner's alone."""
        path = Path(uri.path)
        with mapped(uri):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".chimera-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    os.fchmod(file.fileno(), 0o600 if private else 0o666 & ~_UMASK)
                if create_only:
                    os.link(temporary, path)
                else:
                    Path(temporary).replace(path)
                    return
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
            Path(temporary).unlink()

    def upload_file(self, path: str, uri: Uri) -> Entry:
        part = Uri("", f"{uri.path}.{os.getpid()}.part")
        try:
            with self.open_read(Uri("", path)) as source, self.open_write(part) as out:
                while block := source.read(1 << 20):
                    out.write(block)
                source.verify()
            with mapped(uri):
                Path(part.path).replace(uri.path)
        except BaseException:
            Path(part.path).unlink(missing_ok=True)
            raise
        return _entry(uri.path)

    def delete(self, uris: Sequence[Uri]) -> None:
        for uri in uris:
            with mapped(uri), contextlib.suppress(FileNotFoundError, NotADirectoryError):
                Path(uri.path).unlink()

    def delete_tree(self, folder: Uri) -> None:
        with mapped(folder):
            while Path(folder.path).exists():
                with contextlib.suppress(
                    FileNotFoundError
                ):  # raised where another takes something away first: go on
                    shutil.rmtree(folder.path)

    def is_folder(self, uri: Uri) -> bool:
        return os.path.isdir(uri.path)  # noqa: PTH112 - exactly this path, with its "//" and ".."


def _is_read_here(path: str, entry: os.DirEntry[str], read: list[str]) -> bool:
    """Whether a folder is to be read under this name; `read` is told of the ones behind links."""
    if not entry.is_symlink() and len(read) == 1:
        return True  # no link has been followed so far
    real = os.path.realpath(path)
    if not entry.is_symlink():
        return real not in read
    if read[0] != real and f"{read[0]}/".startswith(f"{real.rstrip('/')}/"):
        _log.warning("%s leads to a folder that holds the one that is listed; it is left out", path)
        return False
    if any(f"{real}/".startswith(f"{folder.rstrip('/')}/") for folder in read):
        return False
    read.append(real)
    return True


_BLOCK = 1 << 20
_UMASK = os.umask(0)
os.umask(_UMASK)


def _folder_of(prefix: str) -> str:
    """The folder to look into, with its "/"; "" is the one this process is in."""
    return prefix[: prefix.rfind("/") + 1]


def _scan(folder: str) -> list[tuple[str, os.DirEntry[str]]]:
    """What is in a folder, by the paths that a caller writes, in the order of the names of objects.

    A folder that is absent holds nothing; one that may not be read is an error, not an empty one.
    """
    with mapped(folder):
        try:
            with os.scandir(folder or ".") as found:
                return sorted(((folder + entry.name, entry) for entry in found), key=_object_name)
        except (FileNotFoundError, NotADirectoryError):
            return []


def _object_name(found: tuple[str, os.DirEntry[str]]) -> str:
    path, entry = found
    return f"{path}/" if _leads_to_folder(entry) else path


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or through what may not be entered
        return False


def _is_data(entry: os.DirEntry[str]) -> bool:
    """A file, or a link that leads nowhere; sockets, pipes and devices are not data."""
    if not entry.is_symlink():
        return entry.is_file(follow_symlinks=False)
    try:
        return modes.S_ISREG(Path(entry.path).stat().st_mode)
    except OSError:
        return True


def _entry(path: str) -> Entry:
    try:
        found = Path(path).stat()
    except OSError:  # gone since it was listed, or a link that leads nowhere: reading it says which
        return Entry(written("", path), 0)
    try:
        updated = datetime.fromtimestamp(found.st_mtime, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):  # a time beyond the year 9999
        return Entry(written("", path), found.st_size)
    return Entry(written("", path), found.st_size, updated=updated.replace("+00:00", "Z"))
