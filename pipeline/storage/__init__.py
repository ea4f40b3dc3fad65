"""Buckets and local folders behind one set of functions: list, stat, read, write, rename, delete.

A URI is `gs://bucket/name` or a local path; both are used exactly as they are written. Every function raises
StorageError (or one of its kind) with the URI in it, and nothing else for what a store does wrong.

entries.py     what a listing gives, and what a stream is
gcs.py         gs:// through google-cloud-storage
gcs_client.py  its client: one for a process, and its errors as ours
exchange.py    replace a small object that still holds what was seen there
local.py       local paths through the operating system
checksum.py    CRC-32C as Google Cloud Storage shows it
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import ModuleType

from pipeline.errors import ObjectNotFoundError
from pipeline.storage import gcs, local
from pipeline.storage.entries import Entry, Page, ReadStream, WriteStream
from pipeline.storage.exchange import exchange

__all__ = [
    "Entry",
    "Page",
    "ReadStream",
    "WriteStream",
    "bucket_exists",
    "delete",
    "delete_tree",
    "exchange",
    "exists",
    "is_local_folder",
    "join",
    "list_buckets",
    "list_folder",
    "list_objects",
    "make_bucket",
    "open_read",
    "open_write",
    "read_bytes",
    "read_range",
    "remove_empty_folder",
    "rename",
    "stat",
    "upload_file",
    "write_bytes",
]


def join(folder: str, *names: str) -> str:
    """The URI of something in a folder."""
    return "/".join((folder.rstrip("/"), *names))


def bucket_exists(bucket: str) -> bool:
    """Whether the bucket is there and can be listed; "" stands for local files. Raises AccessDeniedError."""
    return not bucket or gcs.bucket_exists(bucket)


def list_buckets() -> list[str]:
    """The names of the project's buckets."""
    return gcs.list_buckets()


def make_bucket(bucket: str) -> None:
    """Make a bucket on a local stack; on Google Cloud, where it has a location and a cost, raises StorageError."""
    gcs.make_bucket(bucket)


def list_objects(prefix: str, *, recursive: bool = True) -> Iterator[Entry]:
    """The objects whose URI starts with `prefix`, a page at a time, in the order of their names.

    With recursive=False only those without a further "/". The empty objects that stand for folders (their
    name ends in "/") are left out. Raises ObjectNotFoundError when the bucket is absent; a local folder that
    is absent holds nothing.
    """
    return _store(prefix).list_objects(prefix, recursive=recursive)


def list_folder(folder: str, *, page_size: int = 1000) -> Iterator[Page]:
    """What stands right in a folder: the folders in it and the objects, one request a page.

    `folder` ends in "/"; anything after the last "/" is a prefix that names must start with.
    """
    return _store(folder).list_folder(folder, page_size=page_size)


def stat(uri: str) -> Entry:
    """Size, generation and checksum of one object. Raises ObjectNotFoundError."""
    return _store(uri).stat(uri)


def exists(uri: str) -> bool:
    """Whether there is such an object (not a folder)."""
    try:
        stat(uri)
    except ObjectNotFoundError:
        return False
    return True


def open_read(uri: str) -> ReadStream:
    """The object's stored bytes from the first on, never transcoded. Use it in a `with`."""
    return _store(uri).open_read(uri)


def read_range(uri: str, start: int, end: int) -> bytes:
    """The stored bytes [start, end), fewer where the object ends; one request."""
    return _store(uri).read_range(uri, start, end)


def read_bytes(uri: str) -> bytes:
    """A small object, whole."""
    with open_read(uri) as stream:
        data = b"".join(iter(lambda: stream.read(1 << 20), b""))
        stream.verify()
    return data


def open_write(uri: str) -> WriteStream:
    """Write a new object as a stream, in memory that does not grow with it. It is there once it is closed.

    Give temporary names: on a local disk the name shows before the file is complete.
    """
    return _store(uri).open_write(uri)


def write_bytes(uri: str, data: bytes, *, create_only: bool = False) -> None:
    """Write a small object at once. With create_only, raises ObjectExistsError where there is one."""
    _store(uri).write_bytes(uri, data, create_only=create_only)


def upload_file(path: str, uri: str) -> Entry:
    """Copy a local file to a URI, checked by its CRC-32C."""
    return _store(uri).upload_file(path, uri)


def rename(source: str, target: str, *, size: int, crc32c: str | None) -> None:
    """Give an object another name in the same bucket; may be repeated after it was done.

    Raises StorageError when what then stands at `target` has not this size and checksum.
    """
    _store(source).rename(source, target, size=size, crc32c=crc32c)


def delete(uris: Iterable[str]) -> None:
    """Delete objects, many at a time; those that are not there are fine."""
    uris = list(uris)
    if uris:
        _store(uris[0]).delete(uris)


def delete_tree(folder: str) -> None:
    """Delete all that is below a folder (it ends in "/"), and the folder."""
    _store(folder).delete_tree(folder)


def remove_empty_folder(folder: str) -> None:
    """Remove a local folder if nothing is in it; a bucket has none to remove."""
    if not folder.startswith("gs://"):
        local.remove_empty_folder(folder)


def is_local_folder(path: str) -> bool:
    return not path.startswith("gs://") and local.is_folder(path)


def _store(uri: str) -> ModuleType:
    return gcs if uri.startswith("gs://") else local
