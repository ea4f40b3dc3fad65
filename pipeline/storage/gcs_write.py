"""Objects written: at once, or as a stream. An answer that is lost does not make of what was done a failure.

A write that has to be the first, or in place of one version, carries a mark of its own in the object's metadata: by
it a refusal after a lost answer is told from somebody else's write. Streams go to names that nobody else uses.
"""

from __future__ import annotations

import json
import re
import uuid
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from google.api_core import exceptions as api

from pipeline.errors import (
    ObjectExistsError,
    ObjectNotFoundError,
    StorageError,
    StoreUnavailableError,
    TransferError,
)
from pipeline.storage.checksum import Crc32c
from pipeline.storage.entries import WriteStream
from pipeline.storage.gcs_client import Terms, asked, attempt, client
from pipeline.storage.gcs_read import blob_of, object_name
from pipeline.storage.patience import Trials
from pipeline.uri import Uri

UPLOAD_BYTES = 8 << 20  # a multiple of 256 KiB, as resumable uploads ask
OWNER = "chimera-job"  # of an object's metadata: the job that wrote it
_MARK = "chimera-write"
_FIELDS = "generation,size,crc32c"  # of the object, in the last answer to an upload in several requests
_PERSISTED = re.compile(r"bytes=0-(\d+)")


def write_object(
    uri: Uri, data: bytes, terms: Terms, *, generation: int | None = None, owner: str | None = None
) -> Any:
    """Write an object in one request; the client's blob, as it then stands. `owner` is the job that it is of.

    `generation` is the version that it is to replace, 0 for none: raises ObjectExistsError where another stands.
    """
    mark = uuid.uuid4().hex

    @asked(uri, terms, len(data))
    def write() -> Any:
        blob = blob_of(uri, terms)
        mine = {} if generation is None else {_MARK: mark}
        blob.metadata = {**_owned(owner), **mine} or None
        blob.upload_from_string(
            data,
            content_type=_content_type(uri),
            if_generation_match=generation,
            checksum="crc32c",
            retry=None,
            timeout=terms.answer(),
        )
        return blob

    try:
        blob = write()
    except ObjectExistsError:
        blob = _look(uri, terms)
        if blob is None or (blob.metadata or {}).get(_MARK) != mark:
            raise
    _check(uri, blob, len(data), _crc32c(data))
    return blob


class BlobWriter(WriteStream):
    """An upload in one request while it is small, else a resumable one, begun when the first chunk is full."""

    def __init__(self, uri: Uri, terms: Terms, owner: str | None = None) -> None:
        super().__init__(uri)
        self._terms = terms
        self._owner = owner
        self._held = bytearray()  # what the bucket has not said it has
        self._sent = 0
        self._session: str | None = None
        self._written: Any = None  # the client's blob of what stands there
        self._closed = False

    def _put(self, data: bytes) -> None:
        self._held += data
        while len(self._held) > UPLOAD_BYTES:  # not at so many: the last chunk may not be empty
            self._send(UPLOAD_BYTES)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._session is None:
            self._written = write_object(self.uri, bytes(self._held), self._terms, owner=self._owner)
        else:
            try:
                self._send(len(self._held))
            except StorageError:
                # An upload that is done may be forgotten before its answer came: what stands there decides.
                self._written = _look(self.uri, self._terms)
                if self._written is None or not _is(self._written, self.size, self.crc32c):
                    raise
        self._held.clear()
        _check(self.uri, self._written, self.size, self.crc32c)
        self.generation = self._written.generation

    def abort(self) -> None:
        self._closed = True
        session, self._session = self._session, None
        self._held.clear()
        if session:
            with suppress(StorageError):  # the store forgets an upload that nobody ends, after a week
                asked(self.uri, self._terms)(_request)("DELETE", session, self._terms)

    def _send(self, size: int) -> None:
        """Bring the first bytes of what is held to the bucket; all that is held ends the upload."""
        if self._session is None:
            self._session = asked(self.uri, self._terms)(_begin)(self.uri, self._terms, self._owner)
        trials, goal, in_doubt = Trials(self._terms.patience), self._sent + size, False
        while self._sent < goal:
            try:
                with attempt(self.uri, self._terms, goal - self._sent):
                    self._try_to_send(self._session, goal, in_doubt=in_doubt)
                in_doubt = False
            except StoreUnavailableError as e:
                trials.failed(e)
                in_doubt = True

    def _try_to_send(self, session: str, goal: int, *, in_doubt: bool) -> None:
        """One try. Where the last one's answer is missing, the bucket is first asked how far it is."""
        total = str(goal) if goal == self._sent + len(self._held) else "*"
        if in_doubt:
            self._take(_request("PUT", session, self._terms, f"bytes */{total}"))
        if (seen := self._sent) < goal:
            with memoryview(self._held) as held, held[: goal - seen] as due:
                body = bytes(due)  # one copy, not two: these are megabytes
            self._take(_request("PUT", session, self._terms, f"bytes {seen}-{goal - 1}/{total}", body))
            if self._sent == seen:
                raise StoreUnavailableError(self.uri, f"the store takes none of the bytes from {seen:,} on")

    def _take(self, response: Any) -> None:
        """Let go of what the bucket says it has."""
        if response.status_code in {404, 410}:
            forgotten = StoreUnavailableError(
                self.uri, "the store has forgotten an upload under way; try again"
            )
            forgotten.tried = True  # what went before is not held any more
            raise forgotten
        if response.status_code in {200, 201}:
            self._written = blob_of(self.uri, self._terms)
            self._written._set_properties(response.json())  # noqa: SLF001 - as the client does itself
            have = self._sent + len(self._held)
        elif response.status_code == 308:
            persisted = _PERSISTED.fullmatch(response.headers.get("Range", ""))
            have = int(persisted[1]) + 1 if persisted else 0
        else:
            raise api.from_http_response(response)
        if not self._sent <= have <= self._sent + len(self._held):
            raise StoreUnavailableError(
                self.uri, f"the store has {have:,} bytes of an upload where it had {self._sent:,}"
            )
        del self._held[: have - self._sent]
        self._sent = have


def _begin(uri: Uri, terms: Terms, owner: str | None) -> str:
    """Begin a resumable upload; its own URL."""
    name = object_name(uri)
    base = client(terms.cloud)._connection.API_BASE_URL  # noqa: SLF001 - a local stack's, or that of the client's universe
    billed = {} if terms.user_project is None else {"userProject": terms.user_project}
    query = {"uploadType": "resumable", "fields": _FIELDS, **billed}
    response = client(terms.cloud)._http.request(  # noqa: SLF001 - the session with the client's credentials
        "POST",
        f"{base}/upload/storage/v1/b/{uri.bucket}/o?{urlencode(query)}",
        data=json.dumps({"name": name, "contentType": _content_type(uri), "metadata": _owned(owner)}),
        headers={"Content-Type": "application/json", "X-Upload-Content-Type": _content_type(uri)},
        timeout=terms.answer(),
    )
    if response.status_code not in {200, 201}:
        raise api.from_http_response(response)
    return str(response.headers["Location"])


def _request(method: str, session: str | None, terms: Terms, span: str = "", body: bytes = b"") -> Any:
    headers = {"Content-Range": span} if span else {}
    return client(terms.cloud)._http.request(  # noqa: SLF001 - the session with the client's credentials
        method, session, data=body, headers=headers, timeout=terms.answer(), allow_redirects=False
    )


def _look(uri: Uri, terms: Terms) -> Any:
    """The client's blob of an object; None where there is none."""

    @asked(uri, terms)
    def look() -> Any:
        blob = blob_of(uri, terms)
        blob.reload(retry=None, timeout=terms.answer())
        return blob

    try:
        return look()
    except ObjectNotFoundError:
        return None


def _check(uri: Uri, blob: Any, size: int, crc32c: str) -> None:
    if not _is(blob, size, crc32c):
        raise TransferError(uri, "what the bucket holds is not what was sent: the transfer failed; try again")


def _is(blob: Any, size: int, crc32c: str) -> bool:
    return blob.size == size and blob.crc32c in {crc32c, None}


def _owned(owner: str | None) -> dict[str, str]:
    return {} if owner is None else {OWNER: owner}


def _crc32c(data: bytes) -> str:
    crc = Crc32c()
    crc.update(data)
    return str(crc)


def _content_type(uri: Uri) -> str:
    return "application/json" if uri.endswith(".json") else "application/octet-stream"
