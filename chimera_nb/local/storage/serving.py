"""Answers of the storage stand-in, and the bytes of an object as HTTP has them: whole, in ranges, unpacked."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from functools import partial
from http import HTTPStatus
from typing import IO, Any

from multidict import CIMultiDict

from chimera_nb.local.storage.known import Known

_PIECE = 256 << 10  # bytes
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class Content:
    """The bytes of an answer, as they are read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    async def iter_any(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


@dataclass
class Answer:
    """One answer; `close` it when it has been used."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    file: IO[bytes] | None = None
    pieces: Iterator[bytes] = field(default_factory=lambda: iter(()))

    @property
    def reason(self) -> str:
        return HTTPStatus(self.status).phrase if self.status in HTTPStatus._value2member_map_ else ""

    @property
    def content(self) -> Content:
        return Content(self.pieces if self.file is not None else iter([self.body] if self.body else []))

    async def read(self) -> bytes:
        return self.body if self.file is None else b"".join(self.pieces)

    def close(self) -> None:
        if self.file is not None:
            self.file.close()


def json_answer(status: int, document: Any) -> Answer:
    body = json.dumps(document).encode()
    return Answer(status, CIMultiDict({"Content-Type": "application/json"}), body)


def no_answer(status: int, message: str) -> Answer:
    """An error as Cloud Storage words it."""
    wrong = {"code": status, "message": message, "errors": [{"message": message}]}
    return json_answer(status, {"error": wrong})


def ranged(known: Known, file: IO[bytes], asked: Mapping[str, str], *, with_body: bool) -> Answer:
    """An object's bytes, or the range of them that is asked for; unpacked for whoever does not take gzip.

    https://cloud.google.com/storage/docs/transcoding#decompressive_transcoding
    """
    asked = CIMultiDict(asked)
    headers = CIMultiDict(_headers(known))
    span = _RANGE.fullmatch(asked.get("Range", ""))
    packed = known.content_encoding == "gzip"
    if packed and not span and "gzip" not in asked.get("Accept-Encoding", ""):
        del headers["Content-Encoding"]
        headers["Warning"] = "214 UploadServer gunzipped"
        return Answer(200, headers, file=file, pieces=_unpacked(file) if with_body else iter(()))
    begin, end = 0, known.size
    if span and (span[1] or span[2]):
        if not span[1]:
            begin = max(0, known.size - int(span[2]))
        else:
            begin = int(span[1])
            end = min(known.size, int(span[2]) + 1) if span[2] else known.size
        if begin >= known.size or begin >= end:
            file.close()
            refused = no_answer(416, f"The requested range cannot be satisfied: {asked['Range']}")
            refused.headers["Content-Range"] = f"bytes */{known.size}"  # type: ignore[index]
            return refused
        headers["Content-Range"] = f"bytes {begin}-{end - 1}/{known.size}"
    headers["Content-Length"] = str(end - begin)
    status = 206 if "Content-Range" in headers else 200
    return Answer(status, headers, file=file, pieces=_pieces(file, begin, end) if with_body else iter(()))


def _headers(known: Known) -> Iterator[tuple[str, str]]:
    yield "Accept-Ranges", "bytes"
    yield "Content-Type", known.content_type or "application/octet-stream"
    yield "ETag", f'"{known.etag}"'
    yield "Last-Modified", format_datetime(datetime.fromisoformat(known.updated), usegmt=True)
    yield "X-Goog-Generation", str(known.generation)
    yield "X-Goog-Metageneration", "1"
    yield "X-Goog-Hash", f"crc32c={known.crc32c}" + (f",md5={known.md5}" if known.md5 else "")
    yield "X-Goog-Storage-Class", "STANDARD"
    yield "X-Goog-Stored-Content-Encoding", known.content_encoding or "identity"
    yield "X-Goog-Stored-Content-Length", str(known.size)
    for name, value in (
        ("Content-Encoding", known.content_encoding),
        ("Content-Disposition", known.content_disposition),
        ("Content-Language", known.content_language),
        ("Cache-Control", known.cache_control),
    ):
        if value:
            yield name, value


def _pieces(file: IO[bytes], begin: int, end: int) -> Iterator[bytes]:
    file.seek(begin)
    while begin < end and (piece := file.read(min(_PIECE, end - begin))):
        begin += len(piece)
        yield piece


def _unpacked(file: IO[bytes]) -> Iterator[bytes]:
    """Raises OSError, EOFError or zlib.error for what is no whole gzip."""
    with gzip.GzipFile(fileobj=file) as packed:
        yield from iter(partial(packed.read, _PIECE), b"")
