"""Buckets as folders, objects as files: what the storage stand-in keeps on disk.

    <root>/<bucket>/<path>             the object's bytes; its path is its name by names.py
    <root>/<bucket>/<path>.metadata    what is known of it, where the file system has no extended attributes
    <root>/<bucket>.bucketMetadata     when the bucket was made, and whether requesters pay

A file appears, and is replaced, whole: it is written elsewhere on the same file system and renamed (incoming.py).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from chimera_nb.local.storage.incoming import Incoming, rename
from chimera_nb.local.storage.known import BESIDE, Known, describe, now, read_known, write_whole
from chimera_nb.local.storage.names import ends_inside_a_part, from_disk

_BUCKET = ".bucketMetadata"
_NAME = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_COPIED = 1 << 20  # bytes at a time


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
        write_whole(self._root / f"{bucket}{_BUCKET}", json.dumps({"TimeCreated": now()}).encode())

    def delete_bucket(self, bucket: str) -> bool:
        """False where it holds objects."""
        if next(self.paths(bucket), None) is not None:
            return False
        (self._root / f"{bucket}{_BUCKET}").unlink(missing_ok=True)
        self._paid_for.pop(bucket, None)
        shutil.rmtree(self._root / bucket)
        return True

    def requester_pays(self, bucket: str) -> bool:
        """Whether requests to a bucket have to name a project that is billed."""
        if bucket not in self._paid_for:
            if not self.has_bucket(bucket):
                return False
            self._paid_for[bucket] = self._of_bucket(bucket).get("RequesterPays") is True
        return self._paid_for[bucket]

    def set_requester_pays(self, bucket: str, pays: bool) -> None:
        document = {**self._of_bucket(bucket), "TimeCreated": self.bucket_made(bucket), "RequesterPays": pays}
        write_whole(self._root / f"{bucket}{_BUCKET}", json.dumps(document).encode())
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
        return read_known(self._file(bucket, path))

    def open(self, bucket: str, path: str) -> tuple[Known, IO[bytes]] | None:
        """An object's bytes as they are now, whatever is put in their place meanwhile; None where there is none."""
        known = self.find(bucket, path)
        if known is None:
            return None
        return known, self._file(bucket, path).open("rb")

    def incoming(self, *, with_md5: bool = True) -> Incoming:
        """One that begins to be written."""
        self._count += 1
        return Incoming(self._incoming / str(self._count), with_md5=with_md5)

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

    def move(self, source: tuple[str, str], known: Known, to: tuple[str, str]) -> Known:
        """Give an object another path, and so a new generation; its bytes stay where they are."""
        time, old, new = now(), self._file(*source), self._file(*to)
        known = replace(known, generation=self._next_generation(), created=time, updated=time)
        rename(old, new, known)
        self._drop_empty_folders(old, source[0])
        return known

    def change(self, bucket: str, path: str, known: Known, **said: Any) -> Known:
        """Say something else of an object."""
        file, known = self._file(bucket, path), replace(known, updated=now(), **said)
        if not describe(file, known):
            write_whole(file.with_name(file.name + BESIDE), known.to_json())
        return known

    def delete(self, bucket: str, path: str) -> None:
        file = self._file(bucket, path)
        file.unlink()
        file.with_name(file.name + BESIDE).unlink(missing_ok=True)
        self._drop_empty_folders(file, bucket)

    def _drop_empty_folders(self, file: Path, bucket: str) -> None:
        """Those that a file which is gone has left."""
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
                        if not path.endswith(BESIDE):
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
