"""Changes of one local file that hold only for what was seen there, among the processes of one machine.

What stands for a generation is made of the file's inode, size and time of change, to the nanosecond: it stays when the
file is renamed and is another for whatever is written in its place. Whoever changes a name in this way holds a lock
on its folder. Files carry no mark of the job that wrote them: not every disk has room for one.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat as modes
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from pipeline.errors import ObjectExistsError, ObjectNotFoundError
from pipeline.storage.backends import Versions
from pipeline.storage.entries import Version
from pipeline.storage.local import LocalFiles
from pipeline.storage.local_streams import mapped
from pipeline.uri import Uri

# NFS locks files that are open for writing, and no folders.
_LOCKS_NO_FOLDER = {errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL}
_LOCK_FILE = ".chimera-lock"  # then, while it is held


class LocalVersions(Versions):
    """All files of this machine, as they stand at one moment."""

    def look(self, uri: Uri) -> Version:
        with mapped(uri):
            found = Path(uri.path).stat()
        if modes.S_ISDIR(found.st_mode):
            raise ObjectNotFoundError(uri, "is a folder, not a file")
        return _version(uri, found)

    def list_versions(self, prefix: Uri, *, recursive: bool = False) -> Iterator[Version]:
        for entry in LocalFiles().list_objects(prefix, recursive=recursive):
            with contextlib.suppress(ObjectNotFoundError):  # it went, or is a link that leads nowhere
                yield self.look(Uri.parse(entry.uri))

    def read_version(self, uri: Uri) -> tuple[bytes, int]:
        with mapped(uri), Path(uri.path).open("rb") as file:
            return file.read(), generation_of(os.fstat(file.fileno()))

    def swap(self, uri: Uri, data: bytes, generation: int, owner: str | None) -> int:  # noqa: ARG002 - see the module
        path = Path(uri.path)
        if generation and not path.parent.is_dir():
            raise _changed(uri)
        with mapped(uri), _locked(path.parent, make=True):
            before = _stat(path)
            _check(uri, before, generation)
            LocalFiles().write_bytes(uri, data, create_only=False)
            after = path.stat()
            if before is not None and after.st_mtime_ns <= before.st_mtime_ns:
                # The clock of many disks ticks every few milliseconds, and an inode may be given twice.
                os.utime(path, ns=(after.st_atime_ns, before.st_mtime_ns + 1))
            return generation_of(path.stat())

    def move(self, source: Uri, target: Uri, generation: int, over: int) -> Version:
        old, new = Path(source.path), Path(target.path)
        with contextlib.ExitStack() as held:
            for folder in sorted(
                {old.parent, new.parent}
            ):  # in one order, so that no two wait for each other
                uri = source if folder == old.parent else target
                held.enter_context(mapped(uri))
                held.enter_context(_locked(folder, make=folder != old.parent))
            with mapped(source):
                old.lstat()
            _check(source, _stat(old), generation)
            with mapped(target):
                _check(target, _stat(new), over)
                old.replace(new)
                return _version(target, new.stat())

    def delete_version(self, uri: Uri, generation: int) -> bool:
        path = Path(uri.path)
        try:
            with mapped(uri), _locked(path.parent, make=False):
                _check(uri, _stat(path), generation)
                path.unlink()
        except (ObjectExistsError, ObjectNotFoundError):
            return False
        return True


def remove_empty_folder(folder: Uri) -> None:
    with contextlib.suppress(OSError), _locked(Path(folder.path), make=False):
        (Path(folder.path) / _LOCK_FILE).unlink(missing_ok=True)
        Path(folder.path).rmdir()


def generation_of(found: os.stat_result) -> int:
    """What stands for a file's generation; never 0."""
    text = f"{found.st_ino} {found.st_size} {found.st_mtime_ns}".encode()
    return int.from_bytes(blake2b(text, digest_size=7).digest()) or 1


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _check(uri: Uri, found: os.stat_result | None, generation: int) -> None:
    if (0 if found is None else generation_of(found)) != generation:
        raise _changed(uri)


def _changed(uri: Uri) -> ObjectExistsError:
    return ObjectExistsError(uri, "is there already, or has changed meanwhile")


@contextlib.contextmanager
def _locked(folder: Path, *, make: bool) -> Iterator[None]:
    """The folder's lock, for the life of the block; with `make` the folder is made where there is none."""
    while True:
        if make:
            folder.mkdir(parents=True, exist_ok=True)
        try:
            handle, path = _locked_handle(folder)
        except FileNotFoundError:
            if make:
                continue  # somebody has removed it, empty as it was
            raise
        try:
            found = _stat(path)
            if found is None or not os.path.samestat(found, os.fstat(handle)):
                continue  # it was removed, and may have been made anew, while we waited
            try:
                yield
            finally:
                if path != folder:
                    path.unlink(missing_ok=True)
            return
        finally:
            os.close(handle)  # and the lock goes with it


def _locked_handle(folder: Path) -> tuple[int, Path]:
    """An open handle with a lock on it, and what it is of: the folder, or a file in it."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError as e:
        os.close(handle)
        if e.errno not in _LOCKS_NO_FOLDER:
            raise
    else:
        return handle, folder
    path = folder / _LOCK_FILE
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError:
        os.close(handle)
        raise
    return handle, path


def _version(uri: Uri, found: os.stat_result) -> Version:
    return Version(uri, generation_of(found), found.st_size, None, None)
