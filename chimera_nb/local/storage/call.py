"""A request of the JSON API, read: what it asks for, of which bucket and path on disk, with what body."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote

_PATH = re.compile(
    r"/(?:(?P<kind>upload|download)/)?storage/v1/b(?:/(?P<bucket>[^/]+)(?P<rights>/iam/testPermissions)?(?P<objects>/o(?:/(?P<path>[^/]+)"
    r"(?:/(?P<verb>compose|(?:rewrite|copy|move)To/b/(?P<to_bucket>[^/]+)/o/(?P<to_path>[^/]+)))?)?)?)?"
)


@dataclass(frozen=True)
class Call:
    """A request, read. `path` and `to` are on disk.

    kind          "upload", "download" or ""
    of_objects    whether it is about objects, not about buckets
    permissions   those that are asked about; None where none are
    to            the bucket and path that a copy goes to
    body          bytes, or an asynchronous iterator of them
    """

    method: str
    kind: str
    bucket: str
    of_objects: bool
    permissions: tuple[str, ...] | None
    path: str
    verb: str
    to: tuple[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any

    @classmethod
    def read(cls, method: str, target: str, headers: Mapping[str, str], body: Any) -> Call | None:
        """The call of a request; None for a path that this API has not."""
        path, _, query = target.partition("?")
        found = _PATH.fullmatch(path)
        if found is None:
            return None
        return cls(
            method=method,
            kind=found["kind"] or "",
            bucket=unquote(found["bucket"] or ""),
            of_objects=found["objects"] is not None,
            permissions=tuple(parse_qs(query).get("permissions", ())) if found["rights"] else None,
            path=unquote(found["path"] or ""),
            verb=(found["verb"] or "").partition("/")[0],
            to=(unquote(found["to_bucket"] or ""), unquote(found["to_path"] or "")),
            query=dict(parse_qsl(query, keep_blank_values=True)),
            headers=headers,
            body=body,
        )


async def pieces_of(body: Any) -> AsyncIterator[bytes]:
    """A body's bytes, in the pieces that they come in."""
    if isinstance(body, bytes):
        yield body
    elif body is not None:
        async for data in body.iter_any() if hasattr(body, "iter_any") else body:
            yield data


async def whole(body: Any) -> bytes:
    """A body's bytes, all of them."""
    return b"".join([data async for data in pieces_of(body)])
