"""Bodies of objects: windows of a version, each whole and as the bucket keeps it, or asked for again.

Media is always read raw: with Content-Encoding: gzip the stored bytes come, and are decoded by our own codec
(python-storage#607: ranged reads of transcoded objects break).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from google.api_core import exceptions as api

from pipeline.errors import (
    ObjectChangedError,
    ObjectNotFoundError,
    StorageError,
    StoreUnavailableError,
    TransferError,
)
from pipeline.storage.checksum import Crc32c
from pipeline.storage.entries import ReadStream
from pipeline.storage.gcs_client import Terms, asked, bucket_of, client
from pipeline.storage.gcs_faults import NO_STORE
from pipeline.storage.gcs_media import as_response, get
from pipeline.uri import Uri

WINDOW_BYTES = 4 << 20  # one request brings so much
FIRST_BYTES = 1 << 20  # the first so much, of which no more may be known: a market file whole
_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+)")
_CRC32C = re.compile(r"crc32c=([\w+/=]+)")
# By endpoint and bucket, an object that it gave to this process.
_last_read: dict[tuple[str | None, str], Uri] = {}


@dataclass(frozen=True)
class Version:
    """One version of an object, as its own answers tell. crc32c is None where they do not."""

    uri: Uri
    generation: int
    size: int
    crc32c: str | None


class BlobReader(ReadStream):
    """Windows of the object, one request each, all of the generation that the first one brought."""

    def __init__(
        self, uri: Uri, terms: Terms, generation: int | None = None, first_bytes: int = FIRST_BYTES
    ) -> None:
        super().__init__(uri)
        self._terms = terms
        self._at = 0
        self._version, self._window = _first_window(uri, terms, generation, first_bytes)
        self.generation = self._version.generation

    def close(self) -> None:
        self._window, self._at = b"", 0

    def length(self) -> int:
        return self._version.size

    def read_at(self, start: int, size: int) -> bytes:
        at = start - (self.size - self._at)  # within the window at hand
        end = min(at + size, self._version.size - (self.size - self._at))
        if 0 <= at <= end <= len(self._window):
            return self._window[at:end]
        return window(self._version, start, start + size, self._terms)

    def again(self) -> BlobReader:
        return BlobReader(self.uri, self._terms, self.generation)

    def _next(self, size: int) -> bytes:
        if self._at == len(self._window):
            self._window, self._at = b"", 0
            self._window = window(self._version, self.size, self.size + WINDOW_BYTES, self._terms)
        piece = self._window[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def _expected(self) -> tuple[int | None, str | None]:
        return self._version.size, self._version.crc32c


def read_range(uri: Uri, start: int, end: int, terms: Terms) -> bytes:
    """The stored bytes [start, end), fewer where the object ends; one request."""
    if end <= start:
        return b""
    return asked(uri, terms, end - start)(_fetch)(uri, start, end, None, terms)[1]


def check_gives(uri: Uri, terms: Terms) -> None:
    """See whether the bucket gives others than `uri`, which it has refused or does not know.

    Raises StoreUnavailableError where it does not: then its answer says nothing about this object alone. An object
    that this process has read before is the witness; without one the listing is.
    """
    known = terms.cloud.endpoint, uri.bucket
    witness = _last_read.get(known, uri)
    try:
        if witness != uri:
            try:
                read_range(witness, 0, 1, terms)
            except ObjectNotFoundError:
                _last_read.pop(known, None)  # gone as well, which happens: the bucket itself is asked
            else:
                return
        asked(f"gs://{uri.bucket}", terms)(list_one)(uri.bucket, terms)
    except StoreUnavailableError:
        raise
    except StorageError as e:
        raise StoreUnavailableError(
            uri, f"{e.reason}; nothing else there is given either", e.remedy or ""
        ) from e


def list_one(bucket: str, terms: Terms) -> None:
    for _ in client(terms.cloud).list_blobs(
        bucket_of(bucket, terms), max_results=1, fields="items(name)", retry=None
    ):
        break


def window(version: Version, start: int, end: int, terms: Terms) -> bytes:
    """The bytes [start, end) of a version, fewer where it ends. Raises ObjectChangedError when it is gone."""
    end = min(end, version.size)
    if end <= start:
        return b""

    @asked(version.uri, terms, end - start)
    def fetch() -> bytes:
        found, data = _fetch(version.uri, start, end, version.generation, terms)
        if (found.generation, found.size) != (version.generation, version.size):
            raise TransferError(version.uri, f"the store gave {found} where {version} was asked for")
        return data

    try:
        return fetch()
    except ObjectNotFoundError as e:
        raise ObjectChangedError(
            version.uri, "was replaced or deleted while it was being read; try again"
        ) from e


def _first_window(uri: Uri, terms: Terms, generation: int | None, size: int) -> tuple[Version, bytes]:
    try:
        found = asked(uri, terms, size)(_fetch)(uri, 0, size, generation, terms)
    except ObjectNotFoundError as e:
        if generation is None:
            raise
        raise ObjectChangedError(uri, "was replaced or deleted since it was first read; try again") from e
    _last_read[terms.cloud.endpoint, uri.bucket] = uri
    return found


def _fetch(uri: Uri, start: int, end: int, generation: int | None, terms: Terms) -> tuple[Version, bytes]:
    """One request, tried once. Raises TransferError where the body is not what its own head says it is."""
    url = _url(uri, generation, terms)
    # Without an encoding that is accepted it may be unpacked on the way.
    headers = {"Range": f"bytes={start}-{end - 1}", "Accept-Encoding": "gzip"}
    answer = get(url, headers, terms.cloud, terms.answer())
    if answer.status == 416:
        return _empty(uri, start, answer.headers, terms)
    if answer.status not in {200, 206}:
        raise api.from_http_response(as_response(answer, url))
    if answer.status == 200 and start:
        raise TransferError(uri, "the store answered with the whole object where a range was asked for")
    data: bytes = answer.data
    version = _version(uri, answer.headers, start + len(data))
    due = min(end, version.size) - start
    if len(data) != due:
        raise TransferError(uri, f"{len(data):,} bytes came where {due:,} were due")
    if len(data) == version.size and version.crc32c:
        crc = Crc32c()
        crc.update(data)
        if str(crc) != version.crc32c:
            raise TransferError(
                uri, f"its CRC-32C is {crc} as read and {version.crc32c} in the bucket: the transfer failed"
            )
    return version, data


def _url(uri: Uri, generation: int | None, terms: Terms) -> str:
    name = object_name(uri)
    base = client(terms.cloud)._connection.API_BASE_URL  # noqa: SLF001 - a local stack's, or that of the client's universe
    query = {"alt": "media", "generation": generation, "userProject": terms.user_project}
    asked_for = urlencode({key: value for key, value in query.items() if value is not None})
    return f"{base}/download/storage/v1/b/{quote(uri.bucket, safe='')}/o/{quote(name, safe='')}?{asked_for}"


def _version(uri: Uri, headers: Any, read_to: int) -> Version:
    total = _RANGE.fullmatch(headers.get("Content-Range", ""))
    size = total[2] if total else headers.get("X-Goog-Stored-Content-Length")
    crc32c = _CRC32C.search(headers.get("X-Goog-Hash", ""))
    if (generation := headers.get("X-Goog-Generation")) is None:
        raise TransferError(uri, *NO_STORE)
    return Version(uri, int(generation), int(size or read_to), crc32c[1] if crc32c else None)


def _empty(uri: Uri, start: int, headers: Any, terms: Terms) -> tuple[Version, bytes]:
    """The object ends at `start`; only its metadata can tell whether that is so."""
    blob = blob_of(uri, terms)
    blob.reload(retry=None, timeout=terms.answer())
    version = Version(uri, blob.generation, blob.size, blob.crc32c)
    if blob.size > start:
        raise TransferError(uri, f"no bytes came from {start:,} on, of {blob.size:,} ({dict(headers)})")
    return version, b""


def object_name(uri: Uri) -> str:
    """The name of an object. Raises ObjectNotFoundError for what can be none."""
    if not uri.path:
        raise ObjectNotFoundError(uri, "is a bucket, not an object")
    if uri.path in {".", ".."}:  # in a URL they would be a way up: a delete of ".." is one of the bucket
        raise ObjectNotFoundError(uri, "no object can have this name")
    return uri.path


def blob_of(uri: Uri, terms: Terms) -> Any:
    """The client's own handle of an object."""
    name = object_name(uri)  # before anything is asked
    return bucket_of(uri.bucket, terms).blob(name)
