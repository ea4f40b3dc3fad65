"""BoundedStore: a store within lists of what may be read and written. Whatever is asked of it is held to them first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.storage.access_policy import AccessLists
from pipeline.storage.around import StoreAround
from pipeline.storage.entries import Entry, ListingPage, ReadStream, Version, WriteStream
from pipeline.storage.name_ranges import Share
from pipeline.storage.store import Store


def bounded(store: Store, access: AccessLists) -> Store:
    """The store within these lists; itself, where there are none."""
    return BoundedStore(store, access) if access.is_limited else store


@dataclass(frozen=True)
class BoundedStore(StoreAround):
    """A Store that asks another for what the lists allow, and raises NotAllowedError for all else."""

    lists: AccessLists

    @property
    def access(self) -> AccessLists:
        return self.lists

    def bucket_exists(self, bucket: str) -> bool:
        self.lists.check_bucket(bucket, "read")
        return self.store.bucket_exists(bucket)

    def check_deletes(self, bucket: str) -> None:
        self.lists.check_bucket(bucket, "write")
        self.store.check_deletes(bucket)

    def list_buckets(self) -> list[str]:
        listed = self.lists.readable_buckets()
        return self.store.list_buckets() if listed is None else list(listed)

    def make_bucket(self, bucket: str) -> None:
        self.lists.check_bucket(bucket, "write")
        self.store.make_bucket(bucket)

    def list_objects(self, prefix: str, *, recursive: bool = True) -> Iterator[Entry]:
        whole = self.lists.check_prefix(prefix)
        found = self.store.list_objects(prefix, recursive=recursive)
        return found if whole else (entry for entry in found if self.lists.allows_reading(entry.uri))

    def list_pages(self, prefix: str, share: Share | None = None) -> Iterator[Sequence[Entry]]:
        whole = self.lists.check_prefix(prefix)
        pages = self.store.list_pages(prefix, share)
        if whole:
            return pages
        return ([entry for entry in page if self.lists.allows_reading(entry.uri)] for page in pages)

    def list_folder(self, folder: str, *, page_size: int = 1000) -> Iterator[ListingPage]:
        if leading := self.lists.folders_towards(folder):
            return iter((ListingPage(leading, ()),))
        self.lists.check_folder(folder, "read")
        return self.store.list_folder(folder, page_size=page_size)

    def stat(self, uri: str) -> Entry:
        self.lists.check_object(uri, "read")
        return self.store.stat(uri)

    def is_archive(self, uri: str) -> bool:
        self.lists.check_object(uri, "read")
        return self.store.is_archive(uri)

    def open_read(
        self, uri: str, *, first_bytes: int | None = None, generation: int | None = None
    ) -> ReadStream:
        self.lists.check_object(uri, "read")
        return self.store.open_read(uri, first_bytes=first_bytes, generation=generation)

    def check_gives(self, uri: str) -> None:
        self.lists.check_object(uri, "read")
        self.store.check_gives(uri)

    def read_range(self, uri: str, start: int, end: int) -> bytes:
        self.lists.check_object(uri, "read")
        return self.store.read_range(uri, start, end)

    def open_write(self, uri: str, *, owner: str | None = None) -> WriteStream:
        self.lists.check_object(uri, "write")
        return self.store.open_write(uri, owner=owner)

    def write_bytes(self, uri: str, data: bytes, *, create_only: bool = False) -> None:
        self.lists.check_object(uri, "write")
        self.store.write_bytes(uri, data, create_only=create_only)

    def upload_file(self, path: str, uri: str) -> Entry:
        self.lists.check_object(path, "read")
        self.lists.check_object(uri, "write")
        return self.store.upload_file(path, uri)

    def look(self, uri: str) -> Version:
        self.lists.check_object(uri, "read")
        return self.store.look(uri)

    def list_versions(self, prefix: str, *, recursive: bool = False) -> Iterator[Version]:
        self.lists.check_folder(prefix, "read")
        return self.store.list_versions(prefix, recursive=recursive)

    def read_version(self, uri: str) -> tuple[bytes, int]:
        self.lists.check_object(uri, "read")
        return self.store.read_version(uri)

    def swap(self, uri: str, data: bytes, generation: int, *, owner: str | None = None) -> int:
        self.lists.check_object(uri, "write")
        return self.store.swap(uri, data, generation, owner=owner)

    def move(self, source: str, target: str, *, generation: int, over: int = 0) -> Version:
        self.lists.check_object(source, "write")
        self.lists.check_object(target, "write")
        return self.store.move(source, target, generation=generation, over=over)

    def delete_version(self, uri: str, generation: int) -> bool:
        self.lists.check_object(uri, "write")
        return self.store.delete_version(uri, generation)

    def delete(self, uris: Iterable[str]) -> None:
        uris = list(uris)
        for uri in uris:
            self.lists.check_object(uri, "write")
        self.store.delete(uris)

    def delete_tree(self, folder: str) -> None:
        self.lists.check_folder(folder, "write")
        self.store.delete_tree(folder)

    def remove_empty_folder(self, folder: str) -> None:
        if not folder.startswith("gs://"):
            self.lists.check_object(folder, "write")
        self.store.remove_empty_folder(folder)

    def linked_folders(self, folder: str) -> Iterator[str]:
        if not folder.startswith("gs://"):
            self.lists.check_folder(folder, "read")
        return self.store.linked_folders(folder)

    def is_local_folder(self, path: str) -> bool:
        if not path.startswith("gs://"):
            self.lists.check_object(path, "read")
        return self.store.is_local_folder(path)
