"""StoreAround: a store over another one, which it asks for whatever a subclass does not do by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

from pipeline.storage.access_policy import AccessLists
from pipeline.storage.cloud import Cloud
from pipeline.storage.entries import Entry, ListingPage, ReadStream, Version, WriteStream
from pipeline.storage.name_ranges import Share
from pipeline.storage.patience import Patience
from pipeline.storage.store import Store


@dataclass(frozen=True)
class StoreAround(Store):
    """A Store that asks `store`."""

    store: Store

    @property
    def access(self) -> AccessLists:
        return self.store.access

    @property
    def patience(self) -> Patience:
        return self.store.patience

    @property
    def cloud(self) -> Cloud:
        return self.store.cloud

    @property
    def user_project(self) -> str | None:
        return self.store.user_project

    def billed_to(self, project: str | None) -> Self:
        return replace(self, store=self.store.billed_to(project))

    def with_patience(self, patience: Patience) -> Self:
        return replace(self, store=self.store.with_patience(patience))

    def bucket_exists(self, bucket: str) -> bool:
        return self.store.bucket_exists(bucket)

    def check_deletes(self, bucket: str) -> None:
        self.store.check_deletes(bucket)

    def list_buckets(self) -> list[str]:
        return self.store.list_buckets()

    def make_bucket(self, bucket: str) -> None:
        self.store.make_bucket(bucket)

    def list_objects(self, prefix: str, *, recursive: bool = True) -> Iterator[Entry]:
        return self.store.list_objects(prefix, recursive=recursive)

    def list_pages(self, prefix: str, share: Share | None = None) -> Iterator[Sequence[Entry]]:
        return self.store.list_pages(prefix, share)

    def list_folder(self, folder: str, *, page_size: int = 1000) -> Iterator[ListingPage]:
        return self.store.list_folder(folder, page_size=page_size)

    def stat(self, uri: str) -> Entry:
        return self.store.stat(uri)

    def is_archive(self, uri: str) -> bool:
        return self.store.is_archive(uri)

    def open_read(
        self, uri: str, *, first_bytes: int | None = None, generation: int | None = None
    ) -> ReadStream:
        return self.store.open_read(uri, first_bytes=first_bytes, generation=generation)

    def check_gives(self, uri: str) -> None:
        self.store.check_gives(uri)

    def read_range(self, uri: str, start: int, end: int) -> bytes:
        return self.store.read_range(uri, start, end)

    def open_write(self, uri: str, *, owner: str | None = None) -> WriteStream:
        return self.store.open_write(uri, owner=owner)

    def write_bytes(self, uri: str, data: bytes, *, create_only: bool = False) -> None:
        self.store.write_bytes(uri, data, create_only=create_only)

    def upload_file(self, path: str, uri: str) -> Entry:
        return self.store.upload_file(path, uri)

    def look(self, uri: str) -> Version:
        return self.store.look(uri)

    def list_versions(self, prefix: str, *, recursive: bool = False) -> Iterator[Version]:
        return self.store.list_versions(prefix, recursive=recursive)

    def read_version(self, uri: str) -> tuple[bytes, int]:
        return self.store.read_version(uri)

    def swap(self, uri: str, data: bytes, generation: int, *, owner: str | None = None) -> int:
        return self.store.swap(uri, data, generation, owner=owner)

    def move(self, source: str, target: str, *, generation: int, over: int = 0) -> Version:
        return self.store.move(source, target, generation=generation, over=over)

    def delete_version(self, uri: str, generation: int) -> bool:
        return self.store.delete_version(uri, generation)

    def delete(self, uris: Iterable[str]) -> None:
        self.store.delete(uris)

    def delete_tree(self, folder: str) -> None:
        self.store.delete_tree(folder)

    def remove_empty_folder(self, folder: str) -> None:
        self.store.remove_empty_folder(folder)

    def linked_folders(self, folder: str) -> Iterator[str]:
        return self.store.linked_folders(folder)

    def is_local_folder(self, path: str) -> bool:
        return self.store.is_local_folder(path)
