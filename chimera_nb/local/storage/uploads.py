"""Uploads: the object's name in one of one request, and how far one of several requests is."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import Message
from typing import Protocol

from chimera_nb.local.storage.preconditions import Preconditions
from chimera_nb.local.storage.replies import Reply

_LARGEST_HEAD = 1 << 20  # bytes of description before an object's own
_SPAN = re.compile(r"bytes (?:\*|\d+-(?P<end>\d+))/(?:\*|(?P<total>\d+))")
_HAVE = re.compile(r"bytes=0-(\d+)")


@dataclass
class ResumableUpload:
    """An upload in several requests: its name and preconditions, the bytes that are there, and its last answer.

    The server knows nothing of an upload that is done: who did not get its answer gets it from here. So does who asks
    how far one is, or sends again what is there, without its object being locked for that.
    https://cloud.google.com/storage/docs/performing-resumable-uploads#status-check
    """

    name: str
    preconditions: Preconditions
    have: int = 0
    last: Reply | None = None

    def answer(self, content_range: str) -> Reply | None:
        """The answer to a request that brings nothing new; None to one that is for the server."""
        if self.last:
            return self.last
        span = _SPAN.fullmatch(content_range)
        if span is None or (span["end"] is None and span["total"] == str(self.have)):
            return None  # all is there but its end
        if span["end"] is None or int(span["end"]) < self.have:
            return Reply(308, {"Range": f"bytes=0-{self.have - 1}"} if self.have else {}, b"")
        return None

    def take(self, reply: Reply) -> None:
        """Note what the server has answered."""
        if reply.status in {200, 201}:
            self.last = reply
        elif reply.status == 308 and (have := _HAVE.fullmatch(reply.headers.get("Range", ""))):
            self.have = int(have[1]) + 1


class Body(Protocol):
    """What is read of aiohttp's StreamReader."""

    async def readany(self) -> bytes: ...


async def name_in_multipart(content_type: str, body: Body) -> tuple[str, AsyncIterator[bytes]]:
    """The name in the JSON of a multipart/related upload, and the whole body, from its first byte.

    No more of the body than its head is held. Raises ValueError where there is no name.
    https://cloud.google.com/storage/docs/uploading-objects#rest-upload-objects
    """
    first_part = re.compile(
        rb"--%b\r?\n(?:[^\n]+\n)*?\r?\n(.*?)\r?\n--%b" % ((re.escape(boundary_of(content_type)),) * 2),
        re.DOTALL,
    )
    head = b""
    while (found := first_part.search(head)) is None:
        chunk = await body.readany()
        head += chunk
        if not chunk or len(head) > _LARGEST_HEAD:
            raise ValueError("a multipart upload whose first part does not end")
    name = json.loads(found[1]).get("name", "")

    async def whole() -> AsyncIterator[bytes]:
        yield head
        while chunk := await body.readany():
            yield chunk

    return str(name), whole()


def boundary_of(content_type: str) -> bytes:
    """What stands between the parts. Raises ValueError where the Content-Type does not say."""
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_boundary()
    if not boundary:
        raise ValueError(f"a multipart upload whose Content-Type names no boundary: {content_type!r}")
    return boundary.encode()
