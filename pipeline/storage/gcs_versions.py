"""Changes of one object in a bucket that hold only for what was seen there: its generation decides.

Each may be tried again: where the answer to the first was lost, the second is refused though the first was done, and
that is told from a change by another. https://cloud.google.com/storage/docs/generations-preconditions
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.api_core import exceptions as api

from pipeline.errors import ObjectExistsError, ObjectNotFoundError
from pipeline.storage.backends import Versions
from pipeline.storage.cloud import Cloud
from pipeline.storage.entries import Version
from pipeline.storage.gcs_client import asked, client, is_over_a_limit
from pipeline.storage.gcs_read import BlobReader, blob_of
from pipeline.storage.gcs_write import OWNER, write_object
from pipeline.storage.patience import Patience
from pipeline.uri import split_uri

_FIELDS = "items(name,size,generation,crc32c,metadata),nextPageToken,prefixes"

# Buckets, by endpoint, that know no objects.move or do not let us: they are not asked for each part. A bucket does
# not change in this during a process's life, so that whoever finds it out spares all others the question.
_without_move: set[tuple[str | None, str]] = set()


@dataclass(frozen=True)
class BucketVersions(Versions):
    """Objects of all buckets of a service, asked with so much patience."""

    cloud: Cloud
    patience: Patience

    def look(self, uri: str) -> Version:
        return _version(uri, asked(uri, self.patience)(_reloaded)(self.cloud, uri))

    def list_versions(self, prefix: str) -> Iterator[Version]:
        bucket, name = split_uri(prefix)
        found = asked(prefix, self.patience)(client)(self.cloud).list_blobs(
            bucket,
            prefix=name or None,
            delimiter="/",
            fields=_FIELDS,
            retry=asked(prefix, self.patience),
            timeout=self.patience.answer(),
        )
        for blob in found:
            yield _version(f"gs://{bucket}/{blob.name}", blob)

    def read_version(self, uri: str) -> tuple[bytes, int]:
        with BlobReader(self.cloud, uri, self.patience) as stream:
            data = b"".join(iter(lambda: stream.read(1 << 20), b""))
            stream.verify()
        return data, stream.generation or 0

    def swap(self, uri: str, data: bytes, generation: int, owner: str | None) -> int:
        try:
            blob = write_object(self.cloud, uri, data, self.patience, generation=generation, owner=owner)
            return int(blob.generation)
        except ObjectExistsError:
            try:
                found, now = self.read_version(uri)
            except ObjectNotFoundError:
                found, now = b"", 0
            if found != data or not now:
                raise
            return now  # it has been done before

    def move(self, source: str, target: str, generation: int, over: int) -> Version:
        where = self.cloud.endpoint, split_uri(source)[0]
        if where not in _without_move:
            moved = asked(source, self.patience)(_move)(self.cloud, source, target, generation, over)
            if moved is not None:
                return _version(target, moved)
        copied = self._copy(source, target, generation, over)
        _without_move.add(where)
        self.delete_version(source, generation)
        return copied

    def delete_version(self, uri: str, generation: int) -> bool:
        @asked(uri, self.patience)
        def delete() -> None:
            blob_of(self.cloud, uri).delete(
                if_generation_match=generation, retry=None, timeout=self.patience.answer()
            )

        try:
            delete()
        except (ObjectNotFoundError, ObjectExistsError):
            return False
        return True

    def _copy(self, source: str, target: str, generation: int, over: int) -> Version:
        conditions = {"if_generation_match": over, "if_source_generation_match": generation}
        timeout = self.patience.answer()
        old = asked(source, self.patience)(_reloaded)(self.cloud, source, if_generation_match=generation)

        @asked(source, self.patience)
        def rewrite(token: str | None) -> str | None:
            new = blob_of(self.cloud, target)
            new.metadata, new.content_type = old.metadata, old.content_type
            after: str | None = new.rewrite(old, token=token, **conditions, retry=None, timeout=timeout)[0]
            return after

        token = rewrite(None)
        while token:
            token = rewrite(token)
        return self.look(target)


def _reloaded(cloud: Cloud, uri: str, **conditions: int) -> Any:
    blob = blob_of(cloud, uri)
    blob.reload(retry=None, **conditions)
    return blob


def _move(cloud: Cloud, source: str, target: str, generation: int, over: int) -> Any:
    """The object under its new name; None where this bucket has no such request, or not for us."""
    old = blob_of(cloud, source)
    try:
        return old.bucket.move_blob(
            old,
            split_uri(target)[1],
            if_generation_match=over,
            if_source_generation_match=generation,
            retry=None,
        )
    except (api.BadRequest, api.Forbidden, api.MethodNotAllowed, api.MethodNotImplemented) as e:
        if is_over_a_limit(e):
            raise
        return None
    except api.NotFound:
        # An endpoint that knows no such path answers the same as one where the object is gone.
        standing = old.bucket.get_blob(old.name, retry=None)
        if standing is not None and standing.generation == generation:
            return None
        raise


def _version(uri: str, blob: Any) -> Version:
    owner = (blob.metadata or {}).get(OWNER)
    return Version(uri, int(blob.generation), int(blob.size or 0), blob.crc32c, owner)
