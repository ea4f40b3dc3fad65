"""Store: the one way to buckets and local folders, bounded by the lists it was made with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pipeline.errors import NoStackError, ObjectNotFoundError
from pipeline.storage import local, local_versions
from pipeline.storage.access_policy import AccessLists
from pipeline.storage.cloud import Cloud
from pipeline.storage.entries import Entry, Page, ReadStream, Version, WriteStream
from pipeline.storage.gcs import Buckets
from pipeline.storage.gcs_versions import BucketVersions
from pipeline.storage.patience import JOB, Patience

_AT_ONCE = 32  # requests; a bucket takes about a thousand changes a second under one prefix, whoever asks
_Item = TypeVar("_Item")


def join(folder: str, *names: str) -> str:
    """The URI of something in a folder."""
    return "/".join((folder.rstrip("/"), *names))


@dataclass(frozen=True)
class Store:
    """Buckets (`gs://bucket/name`) and local folders; a URI is used exactly as it is written.

    access     where it may read and write; every method holds what it is given against it first, and raises
               NotAllowedError for what is on no list
    patience   how long a bucket that fails is asked again
    cloud      which service gs:// is; where there is none, every method raises NoStackError, before anything leaves
               this machine

    Beyond that a method raises StorageError (or one of its kind) with the URI in it, and nothing else for what a
    store does wrong: StoreUnavailableError where it says nothing about the object. A store is a value: it is handed
    on, to other processes too, and never changed.
    """

    access: AccessLists = field(default_factory=AccessLists)
    patience: Patience = JOB
    cloud: Cloud = field(default_factory=Cloud)

    def bucket_exists(self, bucket: str) -> bool:
        """Whether the bucket is there and can be listed; "" stands for local files. Raises AccessDeniedError."""
        self.access.check_bucket(bucket, "read")
        return not bucket or self._buckets.bucket_exists(bucket)

    def list_buckets(self) -> list[str]:
        """The names of the project's buckets; of those that a list allows, when there is one, without asking."""
        listed = self.access.readable_buckets()
        return self._buckets.list_buckets() if listed is None else list(listed)

    def make_bucket(self, bucket: str) -> None:
        """Make a bucket on a local stack; on Google Cloud, where it has a location and a cost, raises StorageError."""
        self.access.check_bucket(bucket, "write")
        self._buckets.make_bucket(bucket)

    def list_objects(self, prefix: str, *, recursive: bool = True) -> Iterator[Entry]:
        """The objects whose URI starts with `prefix`, a page at a time, in the order of their names.

        With recursive=False only those without a further "/". The empty objects that stand for folders (their
        name ends in "/") are left out. Raises ObjectNotFoundError when the bucket is absent; a local folder that
        is absent holds nothing.
        """
        whole = self.access.check_prefix(prefix)
        found: Iterator[Entry] = self._of(prefix).list_objects(prefix, recursive=recursive)
        return found if whole else (entry for entry in found if self.access.allows_reading(entry.uri))

    def list_folder(self, folder: str, *, page_size: int = 1000) -> Iterator[Page]:
        """What stands right in a folder: the folders in it and the objects, one request a page.

        `folder` ends in "/"; anything after the last "/" is a prefix that names must start with. Above the places
        that a list allows, only the folders that lead to them.
        """
        if leading := self.access.folders_towards(folder):
            return iter((Page(leading, ()),))
        self.access.check_folder(folder, "read")
        return self._of(folder).list_folder(folder, page_size=page_size)

    def stat(self, uri: str) -> Entry:
        """Size, generation and checksum of one object. Raises ObjectNotFoundError."""
        self.access.check_object(uri, "read")
        return self._of(uri).stat(uri)

    def exists(self, uri: str) -> bool:
        """Whether there is such an object (not a folder)."""
        try:
            self.stat(uri)
        except ObjectNotFoundError:
            return False
        return True

    def open_read(self, uri: str) -> ReadStream:
        """The object's stored bytes from the first on, never transcoded. Use it in a `with`."""
        self.access.check_object(uri, "read")
        return self._of(uri).open_read(uri)

    def check_gives(self, uri: str) -> None:
        """See whether a bucket gives others than an object that it refused. Raises StoreUnavailableError if not."""
        self.access.check_object(uri, "read")
        if uri.startswith("gs://"):
            self._buckets.check_gives(uri)

    def read_range(self, uri: str, start: int, end: int) -> bytes:
        """The stored bytes [start, end), fewer where the object ends; one request."""
        self.access.check_object(uri, "read")
        return self._of(uri).read_range(uri, start, end)

    def read_bytes(self, uri: str) -> bytes:
        """A small object, whole."""
        with self.open_read(uri) as stream:
            data = b"".join(iter(lambda: stream.read(1 << 20), b""))
            stream.verify()
        return data

    def open_write(self, uri: str, *, owner: str | None = None) -> WriteStream:
        """Write a new object as a stream, in memory that does not grow with it. It is there once it is closed.

        Give temporary names: on a local disk the name shows before the file is complete. `owner`, a job's id, is
        what `Version.owner` then says.
        """
        self.access.check_object(uri, "write")
        return self._of(uri).open_write(uri, owner)

    def write_bytes(self, uri: str, data: bytes, *, create_only: bool = False) -> None:
        """Write a small object at once. With create_only, raises ObjectExistsError where there is one."""
        self.access.check_object(uri, "write")
        self._of(uri).write_bytes(uri, data, create_only=create_only)

    def upload_file(self, path: str, uri: str) -> Entry:
        """Copy a local file to a URI, checked by its CRC-32C."""
        self.access.check_object(path, "read")
        self.access.check_object(uri, "write")
        return self._of(uri).upload_file(path, uri)

    def look(self, uri: str) -> Version:
        """The object as it stands, for a change that depends on it. Raises ObjectNotFoundError."""
        self.access.check_object(uri, "read")
        return self._versions(uri).look(uri)

    def list_versions(self, prefix: str) -> Iterator[Version]:
        """The same of all objects whose URI starts with `prefix` and has no further "/"."""
        self.access.check_folder(prefix, "read")
        return self._versions(prefix).list_versions(prefix)

    def read_version(self, uri: str) -> tuple[bytes, int]:
        """A small object, whole, and the generation that was read. Raises ObjectNotFoundError."""
        self.access.check_object(uri, "read")
        return self._versions(uri).read_version(uri)

    def swap(self, uri: str, data: bytes, generation: int, *, owner: str | None = None) -> int:
        """Write a small object where this generation stands, 0 for none; gives the new one.

        Raises ObjectExistsError when another stands there, or none. May be repeated with the same data.
        """
        self.access.check_object(uri, "write")
        return self._versions(uri).swap(uri, data, generation, owner)

    def move(self, source: str, target: str, *, generation: int, over: int = 0) -> Version:
        """Give this generation of an object another name in its bucket or disk, in one step; what then stands there.

        `over` is the generation that it replaces, 0 for none. Raises ObjectExistsError when either is another, or
        ObjectNotFoundError without a source. Where a bucket has no such request, or no leave for it, the object is
        copied on the same conditions and then deleted: of one that stops in between both names stand.
        """
        self.access.check_object(source, "write")
        self.access.check_object(target, "write")
        return self._versions(source).move(source, target, generation, over)

    def delete_version(self, uri: str, generation: int) -> bool:
        """Delete this generation of an object; False when it is not there, whatever else is."""
        self.access.check_object(uri, "write")
        return self._versions(uri).delete_version(uri, generation)

    def run_each(self, call: Callable[[_Item], object], items: Iterable[_Item]) -> None:
        """Make a call of each item, many at once: each is to ask the store once or twice. The first error is raised."""
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="store") as pool:
            for _ in pool.map(call, items):
                pass

    def delete(self, uris: Iterable[str]) -> None:
        """Delete objects, many at a time; those that are not there are fine."""
        uris = list(uris)
        for uri in uris:
            self.access.check_object(uri, "write")
        if uris:
            self._of(uris[0]).delete(uris)

    def delete_tree(self, folder: str) -> None:
        """Delete all that is below a folder (it ends in "/"), and the folder."""
        self.access.check_folder(folder, "write")
        self._of(folder).delete_tree(folder)

    def remove_empty_folder(self, folder: str) -> None:
        """Remove a local folder if nothing is in it; a bucket has none to remove."""
        if not folder.startswith("gs://"):
            self.access.check_object(folder, "write")
            local_versions.remove_empty_folder(folder)

    def linked_folders(self, folder: str) -> Iterator[str]:
        """The links below a local folder that lead to folders, without looking behind them; a bucket has none."""
        if folder.startswith("gs://"):
            return iter(())
        self.access.check_folder(folder, "read")
        return local.linked_folders(folder)

    def is_local_folder(self, path: str) -> bool:
        if path.startswith("gs://"):
            return False
        self.access.check_object(path, "read")
        return local.is_folder(path)

    @property
    def _buckets(self) -> Buckets:
        self._check_reach("gs://")
        return Buckets(self.cloud, self.patience)

    def _of(self, uri: str) -> Any:
        """Where this is: all buckets, or the module of local files, which has the same functions."""
        if not uri.startswith("gs://"):
            return local
        self._check_reach(uri)
        return self._buckets

    def _versions(self, uri: str) -> Any:
        """The same for changes of what was seen."""
        if not uri.startswith("gs://"):
            return local_versions
        self._check_reach(uri)
        return BucketVersions(self.cloud, self.patience)

    def _check_reach(self, uri: str) -> None:
        """Raises NoStackError where a bucket may only be a local stack's, and none runs."""
        if not self.cloud.is_there:
            raise NoStackError(uri)
