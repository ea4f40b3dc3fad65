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
from pipeline.storage.entries import Version
from pipeline.storage.gcs_client import Terms, asked, bucket_of, client
from pipeline.storage.gcs_faults import is_over_a_limit
from pipeline.storage.gcs_read import BlobReader, blob_of
from pipeline.storage.gcs_write import OWNER, write_object
from pipeline.uri import Uri, written

_FIELDS = "items(name,size,generation,crc32c,metadata),nextPageToken,prefixes"

# Buckets, by endpoint, that know no objects.move or do not let us: they are not asked for each part. A bucket does
# not change in this during a process's life, so that whoever finds it out spares all others the question.
_without_move: set[tuple[str | None, str]] = set()


@dataclass(frozen=True)
class BucketVersions(Versions):
    """Objects of all buckets, asked on these terms."""

    terms: Terms

    def look(self, uri: Uri) -> Version:
        return _version(uri, asked(uri, self.terms)(_reloaded)(uri, self.terms))

    def list_versions(self, prefix: Uri, *, recursive: bool = False) -> Iterator[Version]:
        found = asked(prefix, self.terms)(client)(self.terms.cloud).list_blobs(
            bucket_of(prefix.bucket, self.terms),
            prefix=prefix.path or None,
            delimiter=None if recursive else "/",
            fields=_FIELDS,
            retry=asked(prefix, self.terms),
            timeout=self.terms.answer(),
        )
        for blob in found:
            yield _version(written(prefix.bucket, blob.name), blob)

    def read_version(self, uri: Uri) -> tuple[bytes, int]:
        with BlobReader(uri, self.terms) as stream:
            return stream.read_whole(), stream.generation or 0

    def swap(self, uri: Uri, data: bytes, generation: int, owner: str | None) -> int:
        try:
            return int(write_object(uri, data, self.terms, generation=generation, owner=owner).generation)
        except ObjectExistsError:
            try:
                found, now = self.read_version(uri)
            except ObjectNotFoundError:
                found, now = b"", 0
            if found != data or not now:
                raise
            return now  # it has been done before

    def move(self, source: Uri, target: Uri, generation: int, over: int) -> Version:
        where = (self.terms.cloud.endpoint, source.bucket)
        if where not in _without_move:
            moved = asked(source, self.terms)(_move)(source, target, generation, over, self.terms)
            if moved is not None:
                return _version(target, moved)
        copied = self._copy(source, target, generation, over)
        _without_move.add(where)
        self.delete_version(source, generation)
        return copied

    def delete_version(self, uri: Uri, generation: int) -> bool:
        @asked(uri, self.terms)
        def delete() -> None:
            blob_of(uri, self.terms).delete(
                if_generation_match=generation, retry=None, timeout=self.terms.answer()
            )

        try:
            delete()
        except (ObjectNotFoundError, ObjectExistsError):
            return False
        return True

    def _copy(self, source: Uri, target: Uri, generation: int, over: int) -> Version:
        conditions = {"if_generation_match": over, "if_source_generation_match": generation}
        timeout = self.terms.answer()
        old = asked(source, self.terms)(_reloaded)(source, self.terms, if_generation_match=generation)

        @asked(source, self.terms)
        def rewrite(token: str | None) -> str | None:
            new = blob_of(target, self.terms)
            new.metadata, new.content_type = old.metadata, old.content_type
            after: str | None = new.rewrite(old, token=token, **conditions, retry=None, timeout=timeout)[0]
            return after

        token = rewrite(None)
        while token:
            token = rewrite(token)
        return self.look(target)


def _reloaded(uri: Uri, terms: Terms, **conditions: int) -> Any:
    blob = blob_of(uri, terms)
    blob.reload(retry=None, **conditions)
    return blob


def _move(source: Uri, target: Uri, generation: int, over: int, terms: Terms) -> Any:
    """The object under its new name; None where this bucket has no such request, or not for us."""
    old = blob_of(source, terms)
    try:
        return old.bucket.move_blob(
            old,
            target.path,
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
