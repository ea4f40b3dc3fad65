"""Bodies of objects: windows of a version, each whole and as the bucket keeps it, or asked for again.

Media is always read raw: with Content-Encoding: gzip the stored bytes come, and are decoded by our own codec
(python-storage#607: ranged reads of transcoded objects break).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from google.api_core import exceptions as api

from pipeline.errors import (
    ObjectChangedError,
    ObjectNotFoundError,
    StorageError,
    StoreUnavailableError,
    TransferError,
)
from pipeline.storage.checksum import Crc32c
from pipeline.storage.cloud import Cloud
from pipeline.storage.entries import ReadStream
from pipeline.storage.gcs_client import asked, client
from pipeline.storage.patience import Patience
from pipeline.uri import split_uri

WINDOW_BYTES = 4 << 20  # one request brings so much
FIRST_BYTES = (
    1 << 20
)  # the first so much: a market file whole. Two dozen threads hold one each, and few decode
_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+)")
_CRC32C = re.compile(r"crc32c=([\w+/=]+)")
_last_read: dict[
    tuple[str | None, str], str
] = {}  # by endpoint and bucket, an object that it gave to this process


@dataclass(frozen=True)
class Version:
    """One version of an object, as its own answers tell. crc32c is None where they do not."""

    uri: str
    generation: int
    size: int
    crc32c: str | None


class BlobReader(ReadStream):
    """Windows of the object, one request each, all of the generation that the first one brought."""

    def __init__(self, cloud: Cloud, uri: str, patience: Patience, generation: int | None = None) -> None:
        super().__init__(uri)
        self._cloud, self._patience = cloud, patience
        self._at = 0
        self._version, self._window = _first_window(cloud, uri, patience, generation)
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
        return window(self._cloud, self._version, start, start + size, self._patience)

    def again(self) -> BlobReader:
        return BlobReader(self._cloud, self.uri, self._patience, self.generation)

    def _next(self, size: int) -> bytes:
        if self._at == len(self._window):
            self._window, self._at = b"", 0
            end = self.size + WINDOW_BYTES
            self._window = window(self._cloud, self._version, self.size, end, self._patience)
        piece = self._window[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def _expected(self) -> tuple[int | None, str | None]:
        return self._version.size, self._version.crc32c


def read_range(cloud: Cloud, uri: str, start: int, end: int, patience: Patience) -> bytes:
    """The stored bytes [start, end), fewer where the object ends; one request."""
    if end <= start:
        return b""
    return asked(uri, patience, end - start)(_fetch)(
        cloud, uri, start, end, generation=None, patience=patience
    )[1]


def check_gives(cloud: Cloud, uri: str, patience: Patience) -> None:
    """See whether the bucket gives others than `uri`, which it has refused or does not know.

    Raises StoreUnavailableError where it does not: then its answer says nothing about this object alone. An object
    that this process has read before is the witness; without one the listing is.
    """
    bucket, _ = object_name(uri)
    known = cloud.endpoint, bucket
    witness = _last_read.get(known, uri)
    try:
        if witness != uri:
            try:
                read_range(cloud, witness, 0, 1, patience)
            except ObjectNotFoundError:
                _last_read.pop(known, None)  # gone as well, which happens: the bucket itself is asked
            else:
                return
        asked(f"gs://{bucket}", patience)(list_one)(cloud, bucket)
    except StoreUnavailableError:
        raise
    except StorageError as e:
        raise StoreUnavailableError(uri, f"is not given, and nor is anything else there ({e})") from e


def list_one(cloud: Cloud, bucket: str) -> None:
    for _ in client(cloud).list_blobs(bucket, max_results=1, fields="items(name)", retry=None):
        break


def window(cloud: Cloud, version: Version, start: int, end: int, patience: Patience) -> bytes:
    """The bytes [start, end) of a version, fewer where it ends. Raises ObjectChangedError when it is gone."""
    end = min(end, version.size)
    if end <= start:
        return b""

    @asked(version.uri, patience, end - start)
    def fetch() -> bytes:
        found, data = _fetch(cloud, version.uri, start, end, generation=version.generation, patience=patience)
        if (found.generation, found.size) != (version.generation, version.size):
            raise TransferError(version.uri, f"the store gave {found} where {version} was asked for")
        return data

    try:
        return fetch()
    except ObjectNotFoundError as e:
        raise ObjectChangedError(
            version.uri, "was replaced or deleted while it was being read; try again"
        ) from e


def _first_window(
    cloud: Cloud, uri: str, patience: Patience, generation: int | None
) -> tuple[Version, bytes]:
    try:
        found = asked(uri, patience, FIRST_BYTES)(_fetch)(
            cloud, uri, 0, FIRST_BYTES, generation=generation, patience=patience
        )
    except ObjectNotFoundError as e:
        if generation is None:
            raise
        raise ObjectChangedError(uri, "was replaced or deleted since it was first read; try again") from e
    _last_read[cloud.endpoint, split_uri(uri)[0]] = uri
    return found


def _fetch(
    cloud: Cloud, uri: str, start: int, end: int, *, generation: int | None, patience: Patience
) -> tuple[Version, bytes]:
    """One request, tried once. Raises TransferError where the body is not what its own head says it is."""
    response = _get(cloud, _url(cloud, uri, generation), f"bytes={start}-{end - 1}", patience)
    try:
        if response.status_code == 416:
            return _empty(cloud, uri, start, response.headers, patience)
        if response.status_code not in {200, 206}:
            raise api.from_http_response(response)
        if response.status_code == 200 and start:
            raise TransferError(uri, "the store answered with the whole object where a range was asked for")
        data: bytes = response.raw.read(decode_content=False)
    finally:
        response.close()
    version = _version(uri, response.headers, start + len(data))
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


def _get(cloud: Cloud, url: str, wanted: str, patience: Patience) -> Any:
    return client(cloud)._http.request(  # noqa: SLF001 - the session with the client's credentials
        "GET",
        url,
        headers={
            "Range": wanted,
            "Accept-Encoding": "gzip",
        },  # without the latter it may be unpacked on the way
        stream=True,
        timeout=patience.answer(),
    )


def _url(cloud: Cloud, uri: str, generation: int | None) -> str:
    bucket, name = object_name(uri)
    base = client(cloud)._connection.API_BASE_URL  # noqa: SLF001 - a local stack's, or that of the client's universe
    pinned = "" if generation is None else f"&generation={generation}"
    return f"{base}/download/storage/v1/b/{quote(bucket, safe='')}/o/{quote(name, safe='')}?alt=media{pinned}"


def _version(uri: str, headers: Any, read_to: int) -> Version:
    total = _RANGE.fullmatch(headers.get("Content-Range", ""))
    size = total[2] if total else headers.get("X-Goog-Stored-Content-Length")
    crc32c = _CRC32C.search(headers.get("X-Goog-Hash", ""))
    if (generation := headers.get("X-Goog-Generation")) is None:
        raise TransferError(uri, "the answer names no generation; it is no object's, but something else's")
    return Version(uri, int(generation), int(size or read_to), crc32c[1] if crc32c else None)


def _empty(cloud: Cloud, uri: str, start: int, headers: Any, patience: Patience) -> tuple[Version, bytes]:
    """The object ends at `start`; only its metadata can tell whether that is so."""
    blob = blob_of(cloud, uri)
    blob.reload(retry=None, timeout=patience.answer())
    version = Version(uri, blob.generation, blob.size, blob.crc32c)
    if blob.size > start:
        raise TransferError(uri, f"no bytes came from {start:,} on, of {blob.size:,} ({dict(headers)})")
    return version, b""


def object_name(uri: str) -> tuple[str, str]:
    """The bucket and the name of an object. Raises ObjectNotFoundError for what can be none."""
    bucket, name = split_uri(uri)
    if not name:
        raise ObjectNotFoundError(uri, "is a bucket, not an object")
    if name in {".", ".."}:  # in a URL they would be a way up: a delete of ".." is one of the bucket
        raise ObjectNotFoundError(uri, "no object can have this name")
    return bucket, name


def blob_of(cloud: Cloud, uri: str) -> Any:
    """The client's own handle of an object."""
    bucket, name = object_name(uri)
    return client(cloud).bucket(bucket).blob(name)
