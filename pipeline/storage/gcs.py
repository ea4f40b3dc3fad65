"""gs:// through google-cloud-storage: its synchronous calls, which are safe in threads (its asyncio ones are not).

Media is always read raw: with Content-Encoding: gzip the stored bytes come, and are decoded by our own codec
(python-storage#607: ranged reads of transcoded objects break).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from google.api_core.exceptions import RequestRangeNotSatisfiable

from pipeline.errors import ObjectChangedError, ObjectNotFoundError, StorageError
from pipeline.patterns import split_uri
from pipeline.storage.entries import Entry, Page, ReadStream, WriteStream
from pipeline.storage.gcs_client import client, mapped, retry

_WINDOW_BYTES = 4 << 20  # one request brings so much
_FIRST_BYTES = (
    1 << 20
)  # the first so much: a market file whole. Two dozen threads hold one each, and few decode
_UPLOAD_BYTES = 8 << 20  # a multiple of 256 KiB, as resumable uploads ask
_DELETERS = 16
OWNER = "chimera-job"  # of an object's metadata: the job that wrote it
_TIMEOUT = 60  # seconds without a byte


def bucket_exists(bucket: str) -> bool:
    """Listing asks for no more rights than reading does; asking for the bucket itself would."""
    try:
        with mapped(f"gs://{bucket}"):
            for _ in client().list_blobs(bucket, max_results=1, fields="items(name)", retry=retry()):
                break
    except ObjectNotFoundError:
        return False
    return True


def list_buckets() -> list[str]:
    with mapped("gs://"):
        return [bucket.name for bucket in client().list_buckets(retry=retry(), timeout=_TIMEOUT)]


def make_bucket(bucket: str) -> None:
    if not os.environ.get("STORAGE_EMULATOR_HOST"):
        raise ObjectNotFoundError(
            f"gs://{bucket}", "there is no such bucket; make it with gcloud or in the console"
        )
    with mapped(f"gs://{bucket}"):
        client().create_bucket(bucket, retry=retry(), timeout=_TIMEOUT)


def list_objects(prefix: str, *, recursive: bool) -> Iterator[Entry]:
    bucket, name = split_uri(prefix)
    with mapped(prefix):
        for blob in client().list_blobs(
            bucket,
            prefix=name or None,
            delimiter=None if recursive else "/",
            fields=_FIELDS + ",prefixes",
            retry=retry(),
            timeout=_TIMEOUT,
        ):
            if blob.name.startswith(name) and not _stands_for_folder(blob):
                yield _entry(bucket, blob)


def list_folder(folder: str, *, page_size: int) -> Iterator[Page]:
    bucket, name = split_uri(folder)
    with mapped(folder):
        found = client().list_blobs(
            bucket,
            prefix=name or None,
            delimiter="/",
            page_size=page_size,
            fields=_FIELDS + ",prefixes",
            retry=retry(),
            timeout=_TIMEOUT,
        )
        for page in found.pages:
            yield Page(
                tuple(f"gs://{bucket}/{prefix}" for prefix in sorted(page.prefixes)),
                tuple(_entry(bucket, blob) for blob in page if not _stands_for_folder(blob)),
            )


def stat(uri: str) -> Entry:
    blob = _blob(uri)
    with mapped(uri):
        blob.reload(retry=retry(), timeout=_TIMEOUT)
    return _entry(split_uri(uri)[0], blob)


def open_read(uri: str) -> ReadStream:
    return _BlobReader(uri)


def read_range(uri: str, start: int, end: int) -> bytes:
    return _window(_blob(uri), uri, start, end) if end > start else b""


def open_write(uri: str, owner: str | None = None) -> _BlobWriter:
    return _BlobWriter(uri, owner)


def write_bytes(uri: str, data: bytes, *, create_only: bool) -> None:
    with mapped(uri):
        _blob(uri).upload_from_string(
            data,
            content_type=_content_type(uri),
            if_generation_match=0 if create_only else None,
            checksum="crc32c",
            retry=retry(),
            timeout=_TIMEOUT,
        )


def upload_file(path: str, uri: str) -> Entry:
    blob = _blob(uri)
    with mapped(uri):
        blob.upload_from_filename(path, content_type=_content_type(uri), checksum="crc32c", retry=retry())
    return _entry(split_uri(uri)[0], blob)


def delete(uris: Sequence[str]) -> None:
    with ThreadPoolExecutor(min(_DELETERS, len(uris)), thread_name_prefix="delete-object") as pool:
        for _ in pool.map(_delete, uris):
            pass


def delete_tree(folder: str) -> None:
    while uris := [
        entry.uri for entry, _ in zip(list_objects(folder, recursive=True), range(1000), strict=False)
    ]:
        delete(uris)


def _delete(uri: str) -> None:
    try:
        with mapped(uri):
            _blob(uri).delete(retry=retry(), timeout=_TIMEOUT)
    except ObjectNotFoundError:
        pass


class _BlobReader(ReadStream):
    """Windows of the object, one request each, all of the generation that the first one brought."""

    def __init__(self, uri: str, generation: int | None = None) -> None:
        super().__init__(uri)
        self._blob = _blob(uri, generation)
        self._window = b""
        self._at = 0
        self._ended = False
        self._fetch()
        if self._blob.generation is None or self._blob.crc32c is None:
            with mapped(uri):
                self._blob.reload(retry=retry(), timeout=_TIMEOUT)
        self.generation = self._blob.generation
        self._stored_crc32c = self._blob.crc32c

    def length(self) -> int:
        if self._blob.size is None:
            with mapped(self.uri):
                self._blob.reload(retry=retry(), timeout=_TIMEOUT)
        return int(self._blob.size)

    def read_at(self, start: int, size: int) -> bytes:
        at = start - (self.size - self._at)  # within the window at hand
        if at >= 0 and (self._ended or at + size <= len(self._window)):
            return self._window[at : at + size]
        return _window(self._blob, self.uri, start, start + size) if size else b""

    def again(self) -> _BlobReader:
        return _BlobReader(self.uri, self.generation)

    def close(self) -> None:
        self._window, self._at, self._ended = b"", 0, True

    def _next(self, size: int) -> bytes:
        if self._at == len(self._window) and not self._ended:
            self._fetch()
        piece = self._window[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def _fetch(self) -> None:
        start = self.size
        self._window, self._at = b"", 0
        size = _WINDOW_BYTES if start else _FIRST_BYTES
        self._window = _window(self._blob, self.uri, start, start + size)
        self._ended = len(self._window) < size

    def _expected(self) -> tuple[int | None, str | None]:
        return None, self._stored_crc32c


class _BlobWriter(WriteStream):
    """A resumable upload, begun when the first chunk is full."""

    def __init__(self, uri: str, owner: str | None) -> None:
        super().__init__(uri)
        self._blob = _blob(uri)
        self._blob.metadata = marks(owner)
        self._file: Any = self._blob.open(
            "wb",
            chunk_size=_UPLOAD_BYTES,
            content_type=_content_type(uri),
            checksum=None,  # compared in `close`, over the whole
            retry=retry(),
        )

    def _put(self, data: bytes) -> None:
        with mapped(self.uri):
            self._file.write(data)

    def close(self) -> None:
        with mapped(self.uri):
            self._file.close()
            self._blob.reload(retry=retry(), timeout=_TIMEOUT)
        if self._blob.size != self.size or (self._blob.crc32c and self._blob.crc32c != self.crc32c):
            raise StorageError(
                self.uri, "what the bucket holds is not what was sent: the transfer failed; try again"
            )
        self.generation = self._blob.generation

    def abort(self) -> None:
        if not self._file.closed:
            try:
                with mapped(self.uri):
                    self._file.terminate()
            except StorageError:
                pass  # the store forgets an upload that nobody ends, after a week


_FIELDS = "items(name,size,generation,crc32c,updated),nextPageToken"


def marks(owner: str | None) -> dict[str, str] | None:
    """The metadata of an object that says which job wrote it."""
    return None if owner is None else {OWNER: owner}


def _blob(uri: str, generation: int | None = None) -> Any:
    bucket, name = split_uri(uri)
    if not name:
        raise ObjectNotFoundError(uri, "is a bucket, not an object")
    if name in {".", ".."}:  # in a URL they would be a way up: a delete of ".." is one of the bucket
        raise ObjectNotFoundError(uri, "no object can have this name")
    return client().bucket(bucket).blob(name, generation=generation)


def _window(blob: Any, uri: str, start: int, end: int) -> bytes:
    """One request; a blob that has been read from before is asked for in that generation."""
    replaced = blob.generation is not None
    try:
        with mapped(uri):
            try:
                data: bytes = blob.download_as_bytes(
                    start=start,
                    end=end - 1,
                    raw_download=True,
                    checksum=None,
                    retry=retry(),
                    timeout=_TIMEOUT,
                )
            except RequestRangeNotSatisfiable:
                return b""  # the object ends at `start`
    except ObjectNotFoundError as e:
        if replaced:
            raise ObjectChangedError(uri, "was replaced or deleted while it was being read; try again") from e
        raise
    return data


def _entry(bucket: str, blob: Any) -> Entry:
    updated = blob.updated.isoformat(timespec="milliseconds").replace("+00:00", "Z") if blob.updated else None
    return Entry(f"gs://{bucket}/{blob.name}", int(blob.size or 0), blob.generation, blob.crc32c, updated)


def _stands_for_folder(blob: Any) -> bool:
    """Consoles and FUSE make empty objects whose name ends in "/"."""
    return bool(blob.name.endswith("/") and not blob.size)


def _content_type(uri: str) -> str:
    return "application/json" if uri.endswith(".json") else "application/octet-stream"
