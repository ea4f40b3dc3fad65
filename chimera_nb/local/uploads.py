"""The object's name in an upload of one request, which stands in its first part, before the bytes."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from email.message import Message
from typing import Protocol

_LARGEST_HEAD = 1 << 20  # bytes of description before an object's own


class Body(Protocol):
    """What is read of aiohttp's StreamReader."""

    async def readany(self) -> bytes: ...


async def name_in_multipart(content_type: str, body: Body) -> tuple[str, AsyncIterator[bytes]]:
    """The name in the JSON of a multipart/related upload, and the whole body, from its first byte.

    No more of the body than its head is held. Raises ValueError where there is no name.
    https://cloud.google.com/storage/docs/uploading-objects#rest-upload-objects
    """
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_boundary()
    if not boundary:
        raise ValueError(f"a multipart upload whose Content-Type names no boundary: {content_type!r}")
    first_part = re.compile(
        rb"--%b\r?\n(?:[^\n]+\n)*?\r?\n(.*?)\r?\n--%b" % ((re.escape(boundary.encode()),) * 2), re.DOTALL
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
