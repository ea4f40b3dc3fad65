"""python -m benchmarks.slow_objects SIZE SECONDS [COUNT]: a bucket of objects that are alike, answers after a while.

It gives whatever name is asked for, and lists COUNT names.

It costs so little of its own that what is measured is the client. Prints the port, and ends when its input does.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import sys
from bisect import bisect_left
from urllib.parse import parse_qsl, urlsplit

import google_crc32c

_HEAD = (
    "HTTP/1.1 {status}\r\nContent-Type: application/octet-stream\r\nContent-Length: {size}\r\n{range}"
    "X-Goog-Generation: 7\r\nX-Goog-Stored-Content-Length: {size}\r\nX-Goog-Stored-Content-Encoding: identity\r\n"
    "X-Goog-Hash: crc32c={crc}\r\nETag: CAc=\r\n\r\n"
)


_PAGE = 1000


def name_of(number: int) -> str:
    """The names are those of a year of markets, in folders by month and day."""
    return f"in/2020/{number // 100_000:02}/{number // 3_000:04}/1.{170_000_000 + number}.bz2"


class _Names:
    """Pages of a listing, by the JSON API."""

    def __init__(self, size: int, count: int) -> None:
        self._names = [name_of(number) for number in range(count)]  # in their order
        self._items = [
            f'{{"name":"{name}","size":"{size}","generation":"7","crc32c":"AAAAAA=="}}'.encode()
            for name in self._names
        ]

    def page(self, target: str) -> bytes:
        query = dict(parse_qsl(urlsplit(target).query))
        begin = bisect_left(self._names, max(query.get("startOffset", ""), query.get("pageToken", "")))
        end = bisect_left(self._names, query["endOffset"]) if "endOffset" in query else len(self._names)
        upto = min(end, begin + min(_PAGE, int(query.get("maxResults", _PAGE))))
        more = f',"nextPageToken":"{self._names[upto]}"'.encode() if upto < end else b""
        body = b'{"kind":"storage#objects","items":[%s]%s}' % (b",".join(self._items[begin:upto]), more)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self, answers: tuple[bytes, bytes], names: _Names, seconds: float) -> None:
        self._whole, self._ranged = answers
        self._names = names
        self._seconds = seconds
        self._held = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        if b"\r\n\r\n" in self._held:
            target = self._held.split(b" ", 2)[1].decode()
            ranged = b"\r\nrange:" in self._held.lower()
            self._held = b""
            answer = self._ranged if ranged else self._whole
            if target.startswith("/storage/v1/"):
                answer = self._names.page(target)
            asyncio.get_running_loop().call_later(self._seconds, self._answer, answer)

    def _answer(self, answer: bytes) -> None:
        if self._transport is not None:
            self._transport.write(answer)


async def _serve(size: int, seconds: float, count: int) -> None:
    data = bytes(number % 251 for number in range(size))
    crc = base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()
    ranges = f"Content-Range: bytes 0-{size - 1}/{size}\r\n"
    answers = (
        _HEAD.format(status="200 OK", size=size, range="", crc=crc).encode() + data,
        _HEAD.format(status="206 Partial Content", size=size, range=ranges, crc=crc).encode() + data,
    )
    loop = asyncio.get_running_loop()
    names = _Names(size, count)
    server = await loop.create_server(lambda: _Connection(answers, names, seconds), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    with contextlib.suppress(OSError):
        await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]) if sys.argv[3:] else 0))
