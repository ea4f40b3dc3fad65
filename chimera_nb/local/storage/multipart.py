"""An upload in one request: a description of the object, then its bytes, as multipart/related.

https://cloud.google.com/storage/docs/uploading-objects#rest-upload-objects
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from email import message_from_bytes
from typing import Any

from chimera_nb.local.storage.uploads import boundary_of

_LARGEST_HEAD = 2 << 20  # bytes before an object's own


async def parts_of_multipart(
    content_type: str, body: AsyncIterator[bytes]
) -> tuple[dict[str, Any], str, AsyncIterator[bytes]]:
    """The description, the type of the data, and the data, of which no more than a piece is held at a time.

    Raises ValueError for a body that is cut off.
    """
    delimiter = b"--" + boundary_of(content_type)
    heads = re.compile(
        rb"%b\r?\n(?:[^\n]+\n)*?\r?\n(.*?)\r?\n%b\r?\n((?:[^\r\n]+\r?\n)*?)\r?\n"
        % ((re.escape(delimiter),) * 2),
        re.DOTALL,
    )
    head = b""
    while (found := heads.search(head)) is None:
        piece = await anext(body, b"")
        head += piece
        if not piece or len(head) > _LARGEST_HEAD:
            raise ValueError("a multipart upload whose second part does not begin")
    rest = head[found.end() :]
    data_type = message_from_bytes(found[2]).get("Content-Type", "")

    async def data() -> AsyncIterator[bytes]:
        # The delimiter that ends it is the last thing in the body: so much is held back.
        held, kept = rest, len(delimiter) + 16
        async for piece in body:
            held += piece
            if len(held) > kept:
                yield held[:-kept]
                held = held[-kept:]
        at = held.rfind(delimiter + b"--")
        if at < 0:
            raise ValueError("a multipart upload that is cut off")
        yield held[:at].removesuffix(b"\n").removesuffix(b"\r")

    return json.loads(found[1]), data_type, data()
