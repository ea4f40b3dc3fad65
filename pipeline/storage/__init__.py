"""Buckets and local folders behind one set of functions: list, stat, read, write, rename, delete.

A URI is `gs://bucket/name` or a local path; both are used exactly as they are written. Every function first holds
it against the lists of `pipeline.allowed`, and raises NotAllowedError for one that is on none; then StorageError (or
one of its kind) with the URI in it, and nothing else for what a store does wrong.

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

from pipeline import allowed
from pipeline.errors import ObjectNotFoundError
from pipeline.storage import gcs, local
from pipeline.storage.entries import Entry, Page, ReadStream, WriteStream
from pipeline.storage.exchange import exchange as _exchange

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
    allowed.check_bucket(bucket, "read")
    return not bucket or gcs.bucket_exists(bucket)


def list_buckets() -> list[str]:
    """The names of the project's buckets; of those that a list allows, when there is one, without asking."""
    listed = allowed.readable_buckets()
    return gcs.list_buckets() if listed is None else list(listed)


def make_bucket(bucket: str) -> None:
    """Make a bucket on a local stack; on Google Cloud, where it has a location and a cost, raises StorageError."""
    allowed.check_bucket(bucket, "write")
    gcs.make_bucket(bucket)


def list_objects(prefix: str, *, recursive: bool = True) -> Iterator[Entry]:
    """The objects whose URI starts with `prefix`, a page at a time, in the order of their names.

    With recursive=False only those without a further "/". The empty objects that stand for folders (their
    name ends in "/") are left out. Raises ObjectNotFoundError when the bucket is absent; a local folder that
    is absent holds nothing.
    """
    whole = allowed.check_prefix(prefix)
    found: Iterator[Entry] = _store(prefix).list_objects(prefix, recursive=recursive)
    return found if whole else (entry for entry in found if allowed.allows_reading(entry.uri))


def list_folder(folder: str, *, page_size: int = 1000) -> Iterator[Page]:
    """What stands right in a folder: the folders in it and the objects, one request a page.

    `folder` ends in "/"; anything after the last "/" is a prefix that names must start with. Above the places
    that a list allows, only the folders that lead to them.
    """
    if leading := allowed.folders_towards(folder):
        return iter((Page(leading, ()),))
    allowed.check_folder(folder, "read")
    return _store(folder).list_folder(folder, page_size=page_size)


def stat(uri: str) -> Entry:
    """Size, generation and checksum of one object. Raises ObjectNotFoundError."""
    allowed.check_object(uri, "read")
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
    allowed.check_object(uri, "read")
    return _store(uri).open_read(uri)


def read_range(uri: str, start: int, end: int) -> bytes:
    """The stored bytes [start, end), fewer where the object ends; one request."""
    allowed.check_object(uri, "read")
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
    allowed.check_object(uri, "write")
    return _store(uri).open_write(uri)


def write_bytes(uri: str, data: bytes, *, create_only: bool = False) -> None:
    """Write a small object at once. With create_only, raises ObjectExistsError where there is one."""
    allowed.check_object(uri, "write")
    _store(uri).write_bytes(uri, data, create_only=create_only)


def upload_file(path: str, uri: str) -> Entry:
    """Copy a local file to a URI, checked by its CRC-32C."""
    allowed.check_object(path, "read")
    allowed.check_object(uri, "write")
    return _store(uri).upload_file(path, uri)


def exchange(uri: str, old: bytes, new: bytes) -> None:
    """Write `new` where `old` stands, unless something else stands there by then (`pipeline.storage.exchange`)."""
    allowed.check_object(uri, "write")
    _exchange(uri, old, new)


def rename(source: str, target: str, *, size: int, crc32c: str | None) -> None:
    """Give an object another name in the same bucket; may be repeated after it was done.

    Raises StorageError when what then stands at `target` has not this size and checksum.
    """
    allowed.check_object(source, "write")
    allowed.check_object(target, "write")
    _store(source).rename(source, target, size=size, crc32c=crc32c)


def delete(uris: Iterable[str]) -> None:
    """Delete objects, many at a time; those that are not there are fine."""
    uris = list(uris)
    for uri in uris:
        allowed.check_object(uri, "write")
    if uris:
        _store(uris[0]).delete(uris)


def delete_tree(folder: str) -> None:
    """Delete all that is below a folder (it ends in "/"), and the folder."""
    allowed.check_folder(folder, "write")
    _store(folder).delete_tree(folder)


def remove_empty_folder(folder: str) -> None:
    """Remove a local folder if nothing is in it; a bucket has none to remove."""
    if not folder.startswith("gs://"):
        allowed.check_object(folder, "write")
        local.remove_empty_folder(folder)


def is_local_folder(path: str) -> bool:
    if path.startswith("gs://"):
        return False
    allowed.check_object(path, "read")
    return local.is_folder(path)


def _store(uri: str) -> ModuleType:
    return gcs if uri.startswith("gs://") else local
