"""Where a store may read and write: two lists of places, which every call of a `Store` is held against.

    CHIMERA_READ_BUCKETS     what may be read
    CHIMERA_WRITE_BUCKETS    what may be written, renamed and deleted; it may be read too, since a job reads back
                             what it writes

A list is separated by commas: buckets (`history`), folders in them (`history/ADVANCED`) and absolute local folders
(`/data`). Each stands for itself and all below it, by whole names: `a` holds `a/b` and not `ab`. Without a list
everything is allowed, by an empty one nothing. A local path is followed to where it leads, through links and `..`;
in a bucket a name is what it is, but one that would climb (`a/../b`) is in no folder.

The lists belong to the store that was made with them, and nothing changes them afterwards: two stores in one process
do not know of each other. What is refused is logged, as a warning, by this module's logger.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

from pipeline.errors import InvalidUriError, NotAllowedError, SettingsError
from pipeline.uri import Uri, has_glob, join_uri, written

To = Literal["read", "write"]
VARIABLES: dict[To, str] = {"read": "CHIMERA_READ_BUCKETS", "write": "CHIMERA_WRITE_BUCKETS"}

_log = logging.getLogger(__name__)
_DONE = {"read": "read", "write": "written"}
_NAMED = 5  # places that a message names
_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class AllowedFolder:
    """A bucket, a folder in one, or a local folder, which has the bucket "" and an absolute path."""

    bucket: str
    path: str

    def __str__(self) -> str:
        return join_uri(self.bucket, self.path).removeprefix("gs://").rstrip("/") or "/"

    def holds(self, bucket: str, path: str) -> bool:
        """Whether this path, followed to where it leads, is the place itself or below it."""
        if bucket != self.bucket:
            return False
        folder = self.path
        if not bucket:
            folder, path = os.path.realpath(folder), os.path.realpath(path)
        elif folder and not {".", ".."}.isdisjoint(path.split("/")):
            return False
        return not folder or path == folder or path.startswith(f"{folder.rstrip('/')}/")


@dataclass(frozen=True)
class AccessLists:
    """The places that may be read and those that may be written; None is no list.

    Methods raise NotAllowedError for what is in no place, and InvalidUriError for what is no URI.
    """

    read: tuple[AllowedFolder, ...] | None = None
    write: tuple[AllowedFolder, ...] | None = None

    @classmethod
    def of(cls, read: Iterable[str] | None, write: Iterable[str] | None) -> Self:
        """Lists as the settings have them. Raises SettingsError for an entry that is no place."""
        return cls(allowed_folders(read, "read_buckets"), allowed_folders(write, "write_buckets"))

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """For a program that has no settings. Raises SettingsError."""
        listed = {to: environ.get(name) for to, name in VARIABLES.items()}
        return cls(
            **{
                to: None if text is None else allowed_folders(split_list(text), VARIABLES[to])
                for to, text in listed.items()
            }
        )

    @property
    def is_limited(self) -> bool:
        """Whether there is a list at all."""
        return self.read is not None or self.write is not None

    def check_object(self, uri: str, to: To) -> None:
        """Hold one object to the list."""
        folders = self._folders(to)
        if folders is not None and not _is_held(uri, folders):
            raise _refused(uri, to, folders)

    def check_folder(self, uri: str, to: To, role: str = "") -> None:
        """The same for all in a folder: what is before the last "/". `role` says what the folder is for."""
        folders = self._folders(to)
        if folders is not None and not _is_folder_held(uri, folders):
            raise _refused(uri, to, folders, role)

    def check_bucket(self, bucket: str, to: To) -> None:
        """The same for a bucket in which there is a place; "" stands for local files, which are checked by path."""
        folders = self._folders(to)
        if bucket and folders is not None and all(place.bucket != bucket for place in folders):
            raise _refused(f"gs://{bucket}", to, folders)

    def check_pattern(self, pattern: str) -> None:
        """The same for all that a folder, an object or a glob may match: its literal beginning decides."""
        uri, folders = Uri.parse(pattern), self._folders("read")
        if folders is None:
            return
        beginning, *wild = _GLOB.split(uri.written_path, maxsplit=1)
        start = Uri.parse(join_uri(uri.bucket, beginning) or ".")
        if not (_is_folder_held(start, folders) if wild else _is_held(start, folders)):
            raise _refused(pattern, "read", folders)

    def check_prefix(self, prefix: str) -> bool:
        """The same for what a listing of this prefix gives; False when only some of it may be read."""
        folders = self._folders("read")
        if folders is None or _is_folder_held(prefix, folders):
            return True
        if _is_held(prefix, folders):  # `a` is allowed, and the listing has `ab` as well
            return False
        raise _refused(prefix, "read", folders)

    def allows_reading(self, uri: str) -> bool:
        folders = self._folders("read")
        return folders is None or _is_held(uri, folders)

    def readable_buckets(self) -> tuple[str, ...] | None:
        """The buckets that may be looked into, in order; None when there is no list for reading."""
        folders = self._folders("read")
        return None if folders is None else tuple(sorted({place.bucket for place in folders if place.bucket}))

    def folders_towards(self, folder: str) -> tuple[str, ...]:
        """The folders in this one by which one comes to a place that may be read; none where all of it may.

        `folder` is as `Store.list_folder` has it.
        """
        folders = self._folders("read")
        uri = Uri.parse(folder)
        if folders is None or uri.is_local or _is_folder_held(uri, folders):
            return ()
        bucket, path = uri.bucket, uri.path
        above = path[: path.rfind("/") + 1]
        below = [place.path for place in folders if place.bucket == bucket and place.path.startswith(path)]
        names = sorted({path[len(above) :].split("/")[0] for path in below})
        return tuple(written(bucket, f"{above}{name}/") for name in names)

    def _folders(self, to: To) -> tuple[AllowedFolder, ...] | None:
        if to == "write" or self.read is None:
            return self.write if to == "write" else None
        return self.read + (self.write or ())


def allowed_folders(entries: Iterable[str] | None, name: str) -> tuple[AllowedFolder, ...] | None:
    """The places that a list has, which a message calls by `name`. Raises SettingsError."""
    return None if entries is None else tuple(_allowed_folder(entry, name) for entry in entries)


def split_list(text: str) -> tuple[str, ...]:
    """The entries of a list as the environment has it."""
    return tuple(entry for part in text.split(",") if (entry := part.strip()))


def _allowed_folder(entry: str, name: str) -> AllowedFolder:
    """`bucket`, `bucket/folder/`, the same with gs:// before it, or `/local/folder`."""
    if not entry.isprintable() or entry != entry.strip() or "," in entry or has_glob(entry):
        raise SettingsError(
            f"{name}: {entry!r} is no place; name a bucket or a folder, without globs, commas and space around it"
        )
    if entry.startswith("/"):
        return AllowedFolder("", entry)
    try:
        uri = Uri.parse(f"gs://{entry.removeprefix('gs://')}")
    except InvalidUriError as e:
        raise SettingsError(
            f"{name}: {entry!r} is no place; write bucket, bucket/folder or /absolute/local/folder"
        ) from e
    names = uri.path.removesuffix("/").split("/")
    if uri.path and not {"", ".", ".."}.isdisjoint(names):
        raise SettingsError(
            f"{name}: {entry!r} has an empty name, '.' or '..' in it; write the folder itself"
        )
    return AllowedFolder(uri.bucket, "/".join(names))


def _is_held(uri: str, folders: Iterable[AllowedFolder]) -> bool:
    """Whether an object is, or the archive that it is in."""
    at = Uri.parse(uri)
    return any(place.holds(at.bucket, at.path) for place in folders)


def _is_folder_held(uri: str, folders: Iterable[AllowedFolder]) -> bool:
    """Whether the folder is: what is before the last "/"; of what is in an archive, that."""
    at = Uri.parse(uri)
    path = at.path if at.members else at.path[: at.path.rfind("/") + 1] or ("" if at.bucket else ".")
    return any(place.holds(at.bucket, path) for place in folders)


def _refused(uri: str, to: To, folders: Sequence[AllowedFolder], role: str = "") -> NotAllowedError:
    named = ", ".join(map(str, folders[:_NAMED])) or "nothing"
    more = f" and {len(folders) - _NAMED:,} more" if len(folders) > _NAMED else ""
    error = NotAllowedError(
        uri,
        f"may not be {_DONE[to]} here{role and f', as {role}'}: {VARIABLES[to]} allows {named}{more}; "
        f"who runs this can add to it (or to {to}_buckets in chimera.toml)",
    )
    _log.warning("refused: %s", error)
    return error
