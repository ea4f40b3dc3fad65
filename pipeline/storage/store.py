"""Store: the one way to buckets and local folders. `plain` has the one that asks them, `bounded` what bounds it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from pipeline.errors import ObjectNotFoundError
from pipeline.storage.access_policy import AccessLists
from pipeline.storage.cloud import Cloud
from pipeline.storage.entries import Entry, ListingPage, ReadStream, Version, WriteStream
from pipeline.storage.name_ranges import Share
from pipeline.storage.patience import Patience

_AT_ONCE = 32  # requests; a bucket takes about a thousand changes a second under one prefix, whoever asks
_Item = TypeVar("_Item")


def join(folder: str, *names: str) -> str:
    """The URI of something in a folder."""
    return "/".join((folder.rstrip("/"), *names))


class Store(Protocol):
    """Buckets (`gs://bucket/name`) and local folders, by URIs as `pipeline.uri` has them.

    Each is a text or a `Uri`: a text is parsed by the store that it comes to first, and by none that this one asks.
    What a listing gives is named by texts: of a million objects few are asked for by themselves.

    A method raises StorageError (or one of its kind) with the URI in it, and nothing else for what a store does wrong:
    StoreUnavailableError where it says nothing about the object, NotAllowedError, before anything is asked, for what
    is on no list of a bounded store. A store is a value: it is handed on, to other processes too, and never changed.
    """

    @property
    def access(self) -> AccessLists:
        """The lists that it is held to; empty ones where it is not."""

    @property
    def patience(self) -> Patience:
        """How long a bucket that fails is asked again."""

    @property
    def cloud(self) -> Cloud:
        """Which service gs:// is."""

    @property
    def user_project(self) -> str | None:
        """Which project is billed for what is asked of a bucket whose owner has requesters pay."""

    def billed_to(self, project: str | None) -> Store:
        """The same store, with its requests billed to this project; itself for None. Raises SettingsError."""

    def with_patience(self, patience: Patience) -> Store:
        """The same store, asked with that much patience."""

    def bucket_exists(self, bucket: str) -> bool:
        """Whether the bucket is there and can be listed; "" stands for local files. Raises AccessDeniedError."""

    def check_deletes(self, bucket: str) -> None:
        """Raises AccessDeniedError for a bucket that keeps for a time what is written to it, as far as it tells."""

    def list_buckets(self) -> list[str]:
        """The names of the project's buckets; of those that a list allows, when there is one, without asking."""

    def make_bucket(self, bucket: str) -> None:
        """Make a bucket on a local stack; on Google Cloud, where it has a location and a cost, raises StorageError."""

    def list_objects(self, prefix: str, *, recursive: bool = True) -> Iterator[Entry]:
        """The objects whose URI starts with `prefix`, a page at a time, in the order of their names.

        With recursive=False only those without a further "/". The empty objects that stand for folders (their
        name ends in "/") are left out. Raises ObjectNotFoundError when the bucket is absent; a local folder that
        is absent holds nothing.
        """

    def list_pages(self, prefix: str, share: Share | None = None) -> Iterator[Sequence[Entry]]:
        """All objects whose URI starts with `prefix`, as `list_objects` has them, in pages in any order.

        A long listing of a bucket is many requests at once; `updated` is not told. With a `share`, only those of its
        range of names, and what is left of that for others is in it afterwards; of local files nothing is left.
        """

    def list_folder(self, folder: str, *, page_size: int = 1000) -> Iterator[ListingPage]:
        """What stands right in a folder: the folders in it and the objects, one request a page.

        `folder` ends in "/"; anything after the last "/" is a prefix that names must start with. Above the places
        that a list allows, only the folders that lead to them.
        """

    def stat(self, uri: str) -> Entry:
        """Size, generation and checksum of one object. Raises ObjectNotFoundError."""

    def exists(self, uri: str) -> bool:
        """Whether there is such an object (not a folder)."""
        try:
            self.stat(uri)
        except ObjectNotFoundError:
            return False
        return True

    def is_archive(self, uri: str) -> bool:
        """Whether a file is an archive, by its bytes, in whose members this store can look. Raises StorageError."""

    def open_read(
        self, uri: str, *, first_bytes: int | None = None, generation: int | None = None
    ) -> ReadStream:
        """The object's stored bytes from the first on, never transcoded. Use it in a `with`.

        `first_bytes` is how many the first request brings of an object of which no more may be wanted. With a
        `generation`, that was listed, raises ObjectChangedError where it is gone; of a local file there is none.
        """

    def check_gives(self, uri: str) -> None:
        """See whether a bucket gives others than an object that it refused. Raises StoreUnavailableError if not."""

    def read_range(self, uri: str, start: int, end: int) -> bytes:
        """The stored bytes [start, end), fewer where the object ends; one request."""

    def read_bytes(self, uri: str) -> bytes:
        """A small object, whole."""
        with self.open_read(uri) as stream:
            return stream.read_whole()

    def open_write(self, uri: str, *, owner: str | None = None) -> WriteStream:
        """Write a new object as a stream, in memory that does not grow with it. It is there once it is closed.

        Give temporary names: on a local disk the name shows before the file is complete. `owner`, a job's id, is
        what `Version.owner` then says.
        """

    def write_bytes(self, uri: str, data: bytes, *, create_only: bool = False) -> None:
        """Write a small object at once. With create_only, raises ObjectExistsError where there is one."""

    def upload_file(self, path: str, uri: str) -> Entry:
        """Copy a local file to a URI, checked by its CRC-32C."""

    def look(self, uri: str) -> Version:
        """The object as it stands, for a change that depends on it. Raises ObjectNotFoundError."""

    def list_versions(self, prefix: str, *, recursive: bool = False) -> Iterator[Version]:
        """The same of all objects whose URI starts with `prefix` and, unless recursive, has no further "/"."""

    def read_version(self, uri: str) -> tuple[bytes, int]:
        """A small object, whole, and the generation that was read. Raises ObjectNotFoundError."""

    def swap(self, uri: str, data: bytes, generation: int, *, owner: str | None = None) -> int:
        """Write a small object where this generation stands, 0 for none; gives the new one.

        Raises ObjectExistsError when another stands there, or none. May be repeated with the same data.
        """

    def move(self, source: str, target: str, *, generation: int, over: int = 0) -> Version:
        """Give this generation of an object another name in its bucket or disk, in one step; what then stands there.

        `over` is the generation that it replaces, 0 for none. Raises ObjectExistsError when either is another, or
        ObjectNotFoundError without a source. Where a bucket has no such request, or no leave for it, the object is
        copied on the same conditions and then deleted: of one that stops in between both names stand.
        """

    def delete_version(self, uri: str, generation: int) -> bool:
        """Delete this generation of an object; False when it is not there, whatever else is."""

    def run_each(self, call: Callable[[_Item], object], items: Iterable[_Item]) -> None:
        """Make a call of each item, many at once: each is to ask the store once or twice. The first error is raised."""
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="store") as pool:
            for _ in pool.map(call, items):
                pass

    def delete(self, uris: Iterable[str]) -> None:
        """Delete objects, many at a time; those that are not there are fine."""

    def delete_tree(self, folder: str) -> None:
        """Delete all that is below a folder (it ends in "/"), and the folder."""

    def remove_empty_folder(self, folder: str) -> None:
        """Remove a local folder if nothing is in it; a bucket has none to remove."""

    def linked_folders(self, folder: str) -> Iterator[str]:
        """The links below a local folder that lead to folders, without looking behind them; a bucket has none."""

    def is_local_folder(self, path: str) -> bool:
        """Whether there is such a folder on this machine; never for what is in a bucket."""
