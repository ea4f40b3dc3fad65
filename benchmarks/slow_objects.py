"""python -m benchmarks.slow_objects SIZE SECONDS: a bucket whose objects are all alike, each answer after a while.

It costs so little of its own that what is measured is the client. Prints the port, and ends when its input does.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import sys

import google_crc32c

_HEAD = (
    "HTTP/1.1 {status}\r\nContent-Type: application/octet-stream\r\nContent-Length: {size}\r\n{range}"
    "X-Goog-Generation: 7\r\nX-Goog-Stored-Content-Length: {size}\r\nX-Goog-Stored-Content-Encoding: identity\r\n"
    "X-Goog-Hash: crc32c={crc}\r\nETag: CAc=\r\n\r\n"
)


class _Connection(asyncio.Protocol):
    def __init__(self, answers: tuple[bytes, bytes], seconds: float) -> None:
        self._whole, self._ranged = answers
        self._seconds = seconds
        self._held = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        if b"\r\n\r\n" in self._held:
            ranged = b"\r\nrange:" in self._held.lower()
            self._held = b""
            answer = self._ranged if ranged else self._whole
            asyncio.get_running_loop().call_later(self._seconds, self._answer, answer)

    def _answer(self, answer: bytes) -> None:
        if self._transport is not None:
            self._transport.write(answer)


async def _serve(size: int, seconds: float) -> None:
    data = bytes(number % 251 for number in range(size))
    crc = base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()
    ranges = f"Content-Range: bytes 0-{size - 1}/{size}\r\n"
    answers = (
        _HEAD.format(status="200 OK", size=size, range="", crc=crc).encode() + data,
        _HEAD.format(status="206 Partial Content", size=size, range=ranges, crc=crc).encode() + data,
    )
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(answers, seconds), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    with contextlib.suppress(OSError):
        await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
