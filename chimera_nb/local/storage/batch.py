"""POST /batch/storage/v1: several requests in one, as multipart/mixed of application/http.

https://cloud.google.com/storage/docs/batch
"""

from __future__ import annotations

import http
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from urllib.parse import urlsplit

from chimera_nb.local.storage.replies import Reply


@dataclass(frozen=True)
class Part:
    """One request of a batch. content_id is None where the client gave none."""

    method: str
    target: str  # path and query, as sent
    headers: Mapping[str, str]
    body: bytes
    content_id: str | None


def read_batch(content_type: str, body: bytes) -> list[Part]:
    """The requests in a batch. Raises ValueError for one that cannot be read."""
    whole = message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    if not whole.is_multipart():
        raise ValueError("the body of a batch is multipart/mixed with a boundary")
    return [_read_part(part) for part in whole.walk() if not part.is_multipart()]


def _read_part(part: Message) -> Part:
    line, _, rest = _bytes(part).lstrip().partition(b"\n")
    words = line.decode().split()
    if len(words) not in {2, 3}:
        raise ValueError(f"not a request line in a batch: {line[:200]!r}")
    message = message_from_bytes(rest)
    url = urlsplit(words[1])
    target = url.path + (f"?{url.query}" if url.query else "")
    return Part(words[0], target, dict(message.items()), _bytes(message), part["Content-ID"])


def _bytes(message: Message) -> bytes:
    payload = message.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def write_batch(replies: list[tuple[str | None, Reply]]) -> Reply:
    """The answer to a batch: each reply beside the Content-ID of its request, or its number where it had none.

    google-cloud-storage sends no Content-ID, and reads the answers by their order.
    """
    boundary = f"batch_{uuid.uuid4().hex}"
    body = b""
    for number, (content_id, reply) in enumerate(replies):
        name = content_id.strip("<>") if content_id else str(number)
        headers = {**reply.headers, "Content-Length": str(len(reply.body))}
        head = [
            f"--{boundary}",
            "Content-Type: application/http",
            f"Content-ID: <response-{name}>",
            "",
            f"HTTP/1.1 {reply.status} {http.HTTPStatus(reply.status).phrase}",
            *(f"{key}: {value}" for key, value in headers.items()),
            "",
            "",
        ]
        body += "\r\n".join(head).encode() + reply.body + b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    return Reply(200, {"Content-Type": f'multipart/mixed; boundary="{boundary}"'}, body)
