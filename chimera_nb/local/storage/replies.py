"""Answers that fit in memory, and the parts of HTTP that the proxy has to know."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from multidict import CIMultiDict

_LARGEST_REQUEST = 32 << 20  # bytes, of one that is held in memory; a real batch may have 10 MB
# RFC 9110, 7.6.1: these belong to one connection, not to the message. The host is set anew.
_OF_THE_CONNECTION = {
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
    "host",
}


@dataclass(frozen=True)
class Reply:
    """An answer that fits in memory."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def json_reply(status: int, document: Any) -> Reply:
    return Reply(status, {"Content-Type": "application/json"}, json.dumps(document).encode())


def error(status: int, message: str, reason: str | None = None) -> Reply:
    """An error as Cloud Storage words it; `reason` is its code for it."""
    one = (
        {"message": message} if reason is None else {"message": message, "domain": "global", "reason": reason}
    )
    return json_reply(status, {"error": {"code": status, "message": message, "errors": [one]}})


def response(reply: Reply) -> web.Response:
    headers = CIMultiDict(reply.headers)
    headers.pop("Content-Length", None)
    return web.Response(status=reply.status, headers=headers, body=reply.body)


def kept(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """The headers that are passed on. No leave for other sites' pages is among them."""
    return CIMultiDict(
        (key, value)
        for key, value in headers.items()
        if key.lower() not in _OF_THE_CONNECTION and not key.lower().startswith(("access-control-", "proxy-"))
    )


async def whole_body(request: web.BaseRequest) -> bytes:
    """A request's body. Raises ValueError for one that is too large to be held in memory."""
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > _LARGEST_REQUEST:
            raise ValueError(f"a request of more than {_LARGEST_REQUEST:,} bytes that is no upload")
    return bytes(body)
