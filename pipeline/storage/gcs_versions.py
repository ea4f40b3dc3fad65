"""Changes of one object in a bucket that hold only for what was seen there: its generation decides.

Each may be repeated by the client's library: where the answer to the first was lost, the second is refused though
the first was done, and that is told from a change by another. https://cloud.google.com/storage/docs/generations-preconditions
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from google.api_core import exceptions as api

from pipeline.errors import ObjectExistsError, ObjectNotFoundError
from pipeline.patterns import split_uri
from pipeline.storage.entries import Version
from pipeline.storage.gcs import _TIMEOUT as TIMEOUT
from pipeline.storage.gcs import OWNER, marks, open_read
from pipeline.storage.gcs import _blob as blob_of
from pipeline.storage.gcs import _content_type as content_type
from pipeline.storage.gcs_client import client, mapped, retry

_FIELDS = "items(name,size,generation,crc32c,metadata),nextPageToken,prefixes"

# Buckets, by endpoint, that know no objects.move or do not let us: they are not asked for each part. A bucket does
# not change in this during a process's life, so that whoever finds it out spares all others the question.
_without_move: set[tuple[str | None, str]] = set()


def look(uri: str) -> Version:
    blob = blob_of(uri)
    with mapped(uri):
        blob.reload(retry=retry(), timeout=TIMEOUT)
    return _version(uri, blob)


def list_versions(prefix: str) -> Iterator[Version]:
    bucket, name = split_uri(prefix)
    with mapped(prefix):
        for blob in client().list_blobs(
            bucket, prefix=name or None, delimiter="/", fields=_FIELDS, retry=retry(), timeout=TIMEOUT
        ):
            yield _version(f"gs://{bucket}/{blob.name}", blob)


def read_version(uri: str) -> tuple[bytes, int]:
    with open_read(uri) as stream:
        data = b"".join(iter(lambda: stream.read(1 << 20), b""))
        stream.verify()
    return data, stream.generation or 0


def swap(uri: str, data: bytes, generation: int, owner: str | None) -> int:
    blob = blob_of(uri)
    blob.metadata = marks(owner)
    try:
        with mapped(uri):
            blob.upload_from_string(
                data,
                content_type=content_type(uri),
                if_generation_match=generation,
                checksum="crc32c",
                retry=retry(),
                timeout=TIMEOUT,
            )
    except ObjectExistsError:
        try:
            found, now = read_version(uri)
        except ObjectNotFoundError:
            found, now = b"", 0
        if found != data or not now:
            raise
        return now  # ours: its answer was lost
    return int(blob.generation)


def move(source: str, target: str, generation: int, over: int) -> Version:
    where = (os.environ.get("STORAGE_EMULATOR_HOST"), split_uri(source)[0])
    if where not in _without_move:
        with mapped(source):
            moved = _move(source, target, generation, over)
        if moved is not None:
            return _version(target, moved)
    copied = _copy(source, target, generation, over)
    _without_move.add(where)
    delete_version(source, generation)
    return copied


def delete_version(uri: str, generation: int) -> bool:
    try:
        with mapped(uri):
            blob_of(uri).delete(if_generation_match=generation, retry=retry(), timeout=TIMEOUT)
    except (ObjectNotFoundError, ObjectExistsError):
        return False
    return True


def _move(source: str, target: str, generation: int, over: int) -> Any:
    """The object under its new name; None where this bucket has no such request, or not for us."""
    old = blob_of(source)
    try:
        return old.bucket.move_blob(
            old,
            split_uri(target)[1],
            if_generation_match=over,
            if_source_generation_match=generation,
            retry=retry(),
            timeout=TIMEOUT,
        )
    except (api.BadRequest, api.Forbidden, api.MethodNotAllowed, api.MethodNotImplemented):
        return None
    except api.NotFound:
        # An endpoint that knows no such path answers the same as one where the object is gone.
        standing = old.bucket.get_blob(old.name, retry=retry(), timeout=TIMEOUT)
        if standing is not None and standing.generation == generation:
            return None
        raise


def _copy(source: str, target: str, generation: int, over: int) -> Version:
    old, new = blob_of(source), blob_of(target)
    with mapped(source):
        old.reload(if_generation_match=generation, retry=retry(), timeout=TIMEOUT)
        new.metadata, new.content_type = old.metadata, old.content_type
        conditions = {"if_generation_match": over, "if_source_generation_match": generation}
        token, _, _ = new.rewrite(old, **conditions, retry=retry(), timeout=TIMEOUT)
        while token:
            token, _, _ = new.rewrite(old, token=token, **conditions, retry=retry(), timeout=TIMEOUT)
        new.reload(retry=retry(), timeout=TIMEOUT)
    return _version(target, new)


def _version(uri: str, blob: Any) -> Version:
    owner = (blob.metadata or {}).get(OWNER)
    return Version(uri, int(blob.generation), int(blob.size or 0), blob.crc32c, owner)
