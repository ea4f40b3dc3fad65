"""gs:// through google-cloud-storage: its synchronous calls, which are safe in threads (its asyncio ones are not)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pipeline.errors import AccessDeniedError, ObjectChangedError, ObjectNotFoundError, StorageError
from pipeline.storage import gcs_read, gcs_write
from pipeline.storage.backends import Objects
from pipeline.storage.entries import Entry, ListingPage, ReadStream
from pipeline.storage.gcs_client import Terms, asked, bucket_of, client
from pipeline.storage.gcs_list import list_pages
from pipeline.storage.gcs_read import blob_of
from pipeline.storage.local_streams import FileReader, mapped
from pipeline.storage.name_ranges import Share
from pipeline.uri import Uri, written

_DELETERS = 16
_FIELDS = "items(name,size,generation,crc32c,updated),nextPageToken,prefixes"
_T = TypeVar("_T")


@dataclass(frozen=True)
class Buckets(Objects):
    """All buckets of a service, asked on these terms.

    What a bucket does wrong is a StorageError, or one of its kind.
    """

    terms: Terms

    def bucket_exists(self, bucket: str) -> bool:
        """Listing asks for no more rights than reading does; asking for the bucket itself would."""
        try:
            self._ask(f"gs://{bucket}", lambda: gcs_read.list_one(bucket, self.terms))
        except ObjectNotFoundError:
            return False
        return True

    def check_deletes(self, bucket: str) -> None:
        uri = f"gs://{bucket}"
        try:
            policy = self._ask(uri, lambda: _retention_of_bucket(bucket, self.terms))
        except AccessDeniedError:  # to look at a bucket takes a right of its own: an object tells as well
            policy = self._ask(uri, lambda: _retention_of_an_object(bucket, self.terms))
        if policy:
            raise AccessDeniedError(
                uri,
                f"{policy}, so that a job can neither rename nor delete what it writes there",
                "use a target in a bucket that has none",
            )

    def list_buckets(self) -> list[str]:
        def buckets() -> Iterator[Any]:
            yield from client(self.terms.cloud).list_buckets(retry=None, timeout=self.terms.answer())

        return self._ask("gs://", lambda: [bucket.name for bucket in buckets()])

    def make_bucket(self, bucket: str) -> None:
        if self.terms.cloud.endpoint is None:
            raise ObjectNotFoundError(
                f"gs://{bucket}", "there is no such bucket; make it with gcloud or in the console"
            )
        try:
            self._ask(
                f"gs://{bucket}",
                lambda: client(self.terms.cloud).create_bucket(
                    bucket, retry=None, timeout=self.terms.answer()
                ),
            )
        except StorageError:
            if not self.bucket_exists(bucket):  # it may have been made before, and the answer lost
                raise

    def list_objects(self, prefix: Uri, *, recursive: bool) -> Iterator[Entry]:
        for blob in self._list(prefix, delimiter=None if recursive else "/"):
            if blob.name.startswith(prefix.path) and not _stands_for_folder(blob):
                yield _entry(prefix.bucket, blob)

    def list_pages(self, prefix: Uri, share: Share | None = None) -> Iterator[Sequence[Entry]]:
        return list_pages(prefix, self.terms, share)

    def list_folder(self, folder: Uri, *, page_size: int) -> Iterator[ListingPage]:
        for page in self._list(folder, delimiter="/", page_size=page_size).pages:
            yield ListingPage(
                tuple(written(folder.bucket, prefix) for prefix in sorted(page.prefixes)),
                tuple(_entry(folder.bucket, blob) for blob in page if not _stands_for_folder(blob)),
            )

    def stat(self, uri: Uri) -> Entry:
        return _entry(uri.bucket, self._look(uri))

    def open_read(self, uri: Uri, first_bytes: int | None, generation: int | None) -> ReadStream:
        first = first_bytes or gcs_read.FIRST_BYTES
        if generation is None:
            return gcs_read.BlobReader(uri, self.terms, first_bytes=first)
        try:
            return gcs_read.BlobReader(uri, self.terms, generation, first)
        except ObjectChangedError as e:
            raise ObjectChangedError(
                uri, "was replaced or deleted since it was listed", "run the job again, or with --newest"
            ) from e

    def read_range(self, uri: Uri, start: int, end: int) -> bytes:
        return gcs_read.read_range(uri, start, end, self.terms)

    def check_gives(self, uri: Uri) -> None:
        gcs_read.check_gives(uri, self.terms)

    def open_write(self, uri: Uri, owner: str | None = None) -> gcs_write.BlobWriter:
        return gcs_write.BlobWriter(uri, self.terms, owner)

    def write_bytes(self, uri: Uri, data: bytes, *, create_only: bool) -> None:
        gcs_write.write_object(uri, data, self.terms, generation=0 if create_only else None)

    def upload_file(self, path: str, uri: Uri) -> Entry:
        with mapped(path):
            size = Path(path).stat().st_size
        if size > gcs_write.UPLOAD_BYTES:
            with FileReader(Uri("", path)) as source, self.open_write(uri) as out:
                while block := source.read(1 << 20):
                    out.write(block)
                source.verify()
            return self.stat(uri)
        with mapped(path):
            data = Path(path).read_bytes()
        return _entry(uri.bucket, gcs_write.write_object(uri, data, self.terms))

    def delete(self, uris: Sequence[Uri]) -> None:
        with ThreadPoolExecutor(min(_DELETERS, len(uris)), thread_name_prefix="delete-object") as pool:
            for _ in pool.map(self._delete, uris):
                pass

    def delete_tree(self, folder: Uri) -> None:
        while uris := [
            Uri.parse(entry.uri)
            for entry, _ in zip(self.list_objects(folder, recursive=True), range(1000), strict=False)
        ]:
            self.delete(uris)

    def _delete(self, uri: Uri) -> None:
        with suppress(ObjectNotFoundError):
            self._ask(uri, lambda: blob_of(uri, self.terms).delete(retry=None, timeout=self.terms.answer()))

    def _look(self, uri: Uri) -> Any:
        """The client's blob of an object, with its metadata."""

        def look() -> Any:
            blob = blob_of(uri, self.terms)
            blob.reload(retry=None, timeout=self.terms.answer())
            return blob

        return self._ask(uri, look)

    def _list(self, prefix: Uri, **options: Any) -> Any:
        """An iterator of the client; each of its pages is asked for with patience."""
        return self._ask(
            prefix,
            lambda: client(self.terms.cloud).list_blobs(
                bucket_of(prefix.bucket, self.terms),
                prefix=prefix.path or None,
                fields=_FIELDS,
                retry=asked(prefix, self.terms),
                timeout=self.terms.answer(),
                **options,
            ),
        )

    def _ask(self, uri: str, call: Callable[[], _T]) -> _T:
        return asked(uri, self.terms)(call)()


def _retention_of_bucket(bucket: str, terms: Terms) -> str | None:
    found = bucket_of(bucket, terms)
    found.reload(retry=None, timeout=terms.answer())
    if found.retention_period:
        return f"a retention policy keeps each object for {found.retention_period:,} s"
    return (
        "each object is on hold from its beginning (default event-based hold)"
        if found.default_event_based_hold
        else None
    )


def _retention_of_an_object(bucket: str, terms: Terms) -> str | None:
    listed = client(terms.cloud).list_blobs(
        bucket_of(bucket, terms),
        max_results=1,
        fields="items(name,retentionExpirationTime)",
        retry=None,
        timeout=terms.answer(),
    )
    kept = any(blob.retention_expiration_time for blob in listed)
    return "a retention policy keeps each object for a time" if kept else None


def _entry(bucket: str, blob: Any) -> Entry:
    updated = blob.updated.isoformat(timespec="milliseconds").replace("+00:00", "Z") if blob.updated else None
    return Entry(written(bucket, blob.name), int(blob.size or 0), blob.generation, blob.crc32c, updated)


def _stands_for_folder(blob: Any) -> bool:
    """Consoles and FUSE make empty objects whose name ends in "/"."""
    return bool(blob.name.endswith("/") and not blob.size)
