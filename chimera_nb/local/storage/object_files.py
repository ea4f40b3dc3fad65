"""Buckets as folders, objects as files: what the storage stand-in keeps on disk.

    <root>/<bucket>/<path>             the object's bytes; its path is its name by names.py
    <root>/<bucket>/<path>.metadata    what is known of it, where the file system has no extended attributes
    <root>/<bucket>.bucketMetadata     when the bucket was made, and whether requesters pay

What is known of an object (generation, checksums, content type, the user's metadata) is JSON in the extended attribute
`user.metadata` of its file, as fake-gcs-server has it, whose data can be read here and the other way round. A file
appears, and is replaced, whole: it is written elsewhere on the same file system and renamed.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import google_crc32c

from chimera_nb.local.storage.names import ends_inside_a_part, from_disk

_ATTRIBUTE = "user.metadata"
_BESIDE = ".metadata"
_BUCKET = ".bucketMetadata"
_NAME = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_WITHOUT = {errno.ENOTSUP, errno.E2BIG, errno.ENOSPC, errno.EPERM}
_COPIED = 1 << 20  # bytes at a time


@dataclass(frozen=True)
class Known:
    """What is known of an object. Times are RFC 3339, checksums base64 as Cloud Storage shows them."""

    size: int
    crc32c: str
    md5: str
    generation: int
    created: str
    updated: str
    content_type: str = ""
    content_encoding: str = ""
    content_disposition: str = ""
    content_language: str = ""
    cache_control: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> bytes:
        document = {name: getattr(self, ours) for name, ours in _FIELDS.items()}
        return json.dumps({**document, "Etag": self.md5, "StorageClass": "STANDARD"}).encode()

    @classmethod
    def from_json(cls, text: bytes, size: int) -> Known:
        document = json.loads(text)
        return cls(
            size=size, **{ours: document[name] for name, ours in _FIELDS.items() if document.get(name)}
        )


_FIELDS = {  # as fake-gcs-server names them
    "Crc32c": "crc32c",
    "Md5Hash": "md5",
    "Generation": "generation",
    "Created": "created",
    "Updated": "updated",
    "ContentType": "content_type",
    "ContentEncoding": "content_encoding",
    "ContentDisposition": "content_disposition",
    "ContentLanguage": "content_language",
    "CacheControl": "cache_control",
    "Metadata": "metadata",
}


class Incoming:
    """An object that is being written: bytes are added, then it is committed or discarded."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] = path.open("xb")
        self._resting = False
        self._crc32c, self._md5 = google_crc32c.Checksum(), hashlib.md5(usedforsecurity=False)
        self.size = 0

    def write(self, data: bytes) -> None:
        if self._resting:
            self._file, self._resting = self._path.open("ab"), False
        self._file.write(data)
        self._crc32c.update(data)
        self._md5.update(data)
        self.size += len(data)

    def rest(self) -> None:
        """Nothing may come for a long time, or ever: keep no file open meanwhile."""
        self._file.close()
        self._resting = True

    def known(self, generation: int, **said: Any) -> Known:
        """What is known of it now; `said` is what its author says of it."""
        time = _now()
        sums = (_base64(self._crc32c.digest()), _base64(self._md5.digest()))
        return Known(self.size, *sums, generation, time, time, **said)

    def commit(self, path: Path, known: Known) -> None:
        """Let it appear, with what is known of it, in the place of what is there."""
        self._file.close()
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(path.name + _BESIDE)
        beside.unlink(missing_ok=True)  # broken off here, the file is none of ours any more: it is set aside
        described = _describe(self._path, known)
        self._path.replace(path)
        if not described:
            _write_whole(beside, known.to_json())

    def drop(self) -> None:
        """It was refused, or has been committed: nothing of it stays."""
        self._file.close()
        self._path.unlink(missing_ok=True)


class ObjectFiles:
    """The buckets and objects below one folder; unfinished ones are in another, beside it."""

    def __init__(self, root: Path, incoming: Path) -> None:
        self._root, self._incoming = root, incoming
        shutil.rmtree(incoming, ignore_errors=True)
        incoming.mkdir(parents=True)
        root.mkdir(exist_ok=True)
        self._count = self._generation = 0
        self._paid_for: dict[str, bool] = {}  # by bucket, whether requesters pay

    def buckets(self) -> list[str]:
        return sorted(entry.name for entry in self._root.iterdir() if entry.is_dir())

    def has_bucket(self, bucket: str) -> bool:
        return _NAME.fullmatch(bucket) is not None and (self._root / bucket).is_dir()

    def make_bucket(self, bucket: str) -> None:
        """Raises ValueError for what is no name of a bucket, FileExistsError for one that there is."""
        if not _NAME.fullmatch(bucket):
            raise ValueError(f"not a name for a bucket: {bucket[:100]!r}")
        (self._root / bucket).mkdir()
        _write_whole(self._root / f"{bucket}{_BUCKET}", json.dumps({"TimeCreated": _now()}).encode())

    def delete_bucket(self, bucket: str) -> bool:
        """False where it holds objects."""
        if next(self.paths(bucket), None) is not None:
            return False
        (self._root / f"{bucket}{_BUCKET}").unlink(missing_ok=True)
        self._paid_for.pop(bucket, None)
        shutil.rmtree(self._root / bucket)
        return True

    def requester_pays(self, bucket: str) -> bool:
        """Whether who asks for what is in a bucket has to name a project that is billed."""
        if bucket not in self._paid_for:
            if not self.has_bucket(bucket):
                return False
            self._paid_for[bucket] = self._of_bucket(bucket).get("RequesterPays") is True
        return self._paid_for[bucket]

    def set_requester_pays(self, bucket: str, pays: bool) -> None:
        document = {**self._of_bucket(bucket), "TimeCreated": self.bucket_made(bucket), "RequesterPays": pays}
        _write_whole(self._root / f"{bucket}{_BUCKET}", json.dumps(document).encode())
        self._paid_for[bucket] = pays

    def bucket_made(self, bucket: str) -> str:
        """When a bucket was made."""
        if known := self._of_bucket(bucket).get("TimeCreated"):
            return str(known)
        made = (self._root / bucket).stat().st_mtime
        return datetime.fromtimestamp(made, UTC).isoformat().replace("+00:00", "Z")

    def _of_bucket(self, bucket: str) -> dict[str, Any]:
        try:
            document = json.loads((self._root / f"{bucket}{_BUCKET}").read_bytes())
        except (OSError, ValueError):
            return {}
        return document if isinstance(document, dict) else {}

    def find(self, bucket: str, path: str) -> Known | None:
        """What is known of an object; None where there is none."""
        return _known(self._file(bucket, path))

    def open(self, bucket: str, path: str) -> tuple[Known, IO[bytes]] | None:
        """An object's bytes as they are now, whatever is put in their place meanwhile; None where there is none."""
        known = self.find(bucket, path)
        if known is None:
            return None
        return known, self._file(bucket, path).open("rb")

    def incoming(self) -> Incoming:
        """One that begins to be written."""
        self._count += 1
        return Incoming(self._incoming / str(self._count))

    def commit(self, incoming: Incoming, bucket: str, path: str, **said: Any) -> Known:
        """Let an object appear in a bucket that there is."""
        known = incoming.known(self._next_generation(), **said)
        incoming.commit(self._file(bucket, path), known)
        return known

    def copy(self, sources: list[tuple[str, str]], into: Incoming) -> None:
        """Add the bytes of these objects, one after the other."""
        for source in sources:
            with self._file(*source).open("rb") as file:
                while data := file.read(_COPIED):
                    into.write(data)

    def change(self, bucket: str, path: str, known: Known, **said: Any) -> Known:
        """Say something else of an object."""
        file, known = self._file(bucket, path), replace(known, updated=_now(), **said)
        if not _describe(file, known):
            _write_whole(file.with_name(file.name + _BESIDE), known.to_json())
        return known

    def delete(self, bucket: str, path: str) -> None:
        file = self._file(bucket, path)
        file.unlink()
        file.with_name(file.name + _BESIDE).unlink(missing_ok=True)
        for folder in file.parents:
            if folder == self._root / bucket:
                break
            try:
                folder.rmdir()
            except OSError:  # something else is in it
                break

    def paths(
        self,
        bucket: str,
        prefix: str = "",
        start: str = "",
        end: str = "",
        *,
        fold: Callable[[str], bool] = lambda _: False,
    ) -> Iterator[str]:
        """The paths of a bucket's objects that begin with `prefix`, from `start` to before `end`, in order of names.

        Of a folder for which `fold` holds, its own path with "/" at its end instead of what is below it.
        """
        since, until = from_disk(start), from_disk(end)
        stack = [self._below(bucket, prefix[: prefix.rfind("/") + 1])]
        while stack:
            name, path = next(stack[-1], ("", ""))
            if not path or (until and name >= until):
                stack.pop()
            elif not path.startswith(prefix):
                continue
            elif not path.endswith("/"):
                if name >= since:
                    yield path
            elif name < since and not since.startswith(name):
                continue
            elif not fold(path):
                stack.append(self._below(bucket, path))
            elif next(self.paths(bucket, path, start, end), None) is not None:
                yield path

    def _below(self, bucket: str, folder: str) -> Iterator[tuple[str, str]]:
        """What stands right in a folder, by name and path in the order of names; folders have "/" at their end."""
        return iter(sorted(self._scan(bucket, folder)))

    def _scan(self, bucket: str, folder: str) -> Iterator[tuple[str, str]]:
        try:
            with os.scandir(self._file(bucket, folder[:-1]) if folder else self._root / bucket) as entries:
                for entry in entries:
                    path = f"{folder}{entry.name}"
                    if not entry.is_dir():
                        if not path.endswith(_BESIDE):
                            yield from_disk(path), path
                    elif ends_inside_a_part(f"{path}/"):  # no folder of the bucket: the names go on in it
                        yield from self._scan(bucket, f"{path}/")
                    else:
                        yield from_disk(f"{path}/"), f"{path}/"
        except (FileNotFoundError, NotADirectoryError):  # deleted meanwhile
            return

    def _file(self, bucket: str, path: str) -> Path:
        """Raises ValueError for a path that is none of names.py's: it could lead elsewhere."""
        if not _NAME.fullmatch(bucket) or not {"", ".", ".."}.isdisjoint(path.split("/")):
            raise ValueError(f"not a path in a bucket: {bucket[:100]!r} {path[:100]!r}")
        return Path(f"{self._root}/{bucket}/{path}")

    def _next_generation(self) -> int:
        self._generation = max(self._generation + 1, time.time_ns() // 1000)
        return self._generation


def is_described(path: Path) -> bool:
    """Whether a file is an object: something is known of it. What is known of another one counts as that."""
    if path.name.endswith(_BESIDE):
        return path.with_name(path.name.removesuffix(_BESIDE)).exists()
    return _known(path) is not None


def _known(path: Path) -> Known | None:
    try:
        file = os.open(path, os.O_RDONLY)  # one and the same, also when another takes its place meanwhile
        try:
            size, text = os.fstat(file).st_size, _attribute(file)
        finally:
            os.close(file)
        if text is None:
            text = path.with_name(path.name + _BESIDE).read_bytes()
        return Known.from_json(text, size)
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return None


def _attribute(file: int) -> bytes | None:
    if sys.platform != "linux":
        return None
    try:
        return os.getxattr(file, _ATTRIBUTE)
    except OSError as e:
        if e.errno in {errno.ENODATA, errno.ENOTSUP}:
            return None
        raise


def _describe(path: Path, known: Known) -> bool:
    """Write what is known of a file into its attribute; False where that cannot be."""
    if sys.platform != "linux":
        return False
    try:
        os.setxattr(path, _ATTRIBUTE, known.to_json())
    except OSError as e:
        if e.errno not in _WITHOUT:
            raise
        return False
    return True


def _write_whole(path: Path, data: bytes) -> None:
    new = path.with_name(f".{path.name}.new{_BESIDE}")
    new.write_bytes(data)
    new.replace(path)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
