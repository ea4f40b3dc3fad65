"""Latency and faults on purpose, for tests, benchmarks and whoever wants to see what a job makes of a bad store."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from typing import Any

from multidict import CIMultiDict

KINDS = ("refuse", "lose", "cut", "flip", "drip")


@dataclass(frozen=True)
class Faults:
    """What the proxy does to the requests whose "METHOD path?query" `match` is found in (a regular expression).

    latency_ms: each waits so long before it is looked at.
    fail_next: so many of them, from now on, have a fault; outage_ms: all of them have one, for so long from now on.
    every: of those, only each so-manieth has it.

    kind says which fault:

    refuse   `status` instead of an answer; a status of 0 drops the connection
    lose     the request is done, and the connection dropped instead of the answer
    cut      a body comes without its second half, with lengths in its head that agree; only its checksum tells
    flip     a body comes with one bit changed
    drip     a body comes a byte at a time, one every drip_ms

    The last three are for bodies of objects: other requests pass. Requests inside a batch count one by one, and wait
    once, together; one that is lost is answered with 503 after it was done.
    """

    latency_ms: float = 0
    fail_next: int = 0
    outage_ms: float = 0
    every: int = 1
    kind: str = "refuse"
    status: int = 503
    drip_ms: float = 1000
    match: str = ""

    def __post_init__(self) -> None:
        try:
            re.compile(self.match)
        except re.error as e:
            raise ValueError(f"{self.match!r} is no regular expression: {e}") from e
        if min(self.latency_ms, self.fail_next, self.outage_ms, self.drip_ms) < 0 or self.every < 1:
            raise ValueError(f"times and counts are not below 0, and every is at least 1: {self}")
        if not (self.status == 0 or 400 <= self.status <= 599):
            raise ValueError(f"a status is 0 or 400-599: {self}")
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is no kind of fault; there are: {', '.join(KINDS)}")

    def concern(self, method: str, target: str) -> bool:
        """Whether a request is among those; target is its path and query as they were sent."""
        return re.search(self.match, f"{method} {target}") is not None


class Injection:
    """The faults in force, and how many of them, and how long, are left."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._left = faults.fail_next
        self._until = time.monotonic() + faults.outage_ms / 1000
        self._seen = 0

    def latency(self, method: str, target: str) -> float:
        """Seconds that a request waits."""
        slow = self.faults.latency_ms and self.faults.concern(method, target)
        return self.faults.latency_ms / 1000 if slow else 0

    def take(self, method: str, target: str) -> str | None:
        """The kind of fault that this request is to have; if it is to have one, it has been counted."""
        away = time.monotonic() < self._until
        if not (self._left or away) or not self.faults.concern(method, target):
            return None
        self._seen += 1
        if self._seen % self.faults.every:
            return None
        self._left -= 0 if away else 1
        return self.faults.kind

    def to_json(self) -> dict[str, Any]:
        """The faults, with what is left of them."""
        away = max(0, self._until - time.monotonic())
        return {**asdict(self.faults), "fail_next": self._left, "outage_ms": round(away * 1000)}


def spoiled(faults: Faults, headers: CIMultiDict[str], body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A body with the fault in it; the lengths in `headers` are made to agree with one that is cut."""
    if faults.kind == "drip":
        return _dripping(body, faults.drip_ms / 1000)
    if faults.kind == "flip":
        return _flipped(body)
    whole = int(headers.get("Content-Length", 0))
    kept = whole // 2
    headers["Content-Length"] = str(kept)
    if found := re.fullmatch(r"bytes (\d+)-\d+/\d+", headers.get("Content-Range", "")):
        end = int(found[1]) + kept
        headers["Content-Range"] = f"bytes {found[1]}-{max(0, end - 1)}/{end}"
        headers["X-Goog-Stored-Content-Length"] = str(end)
    return _cut(body, kept)


async def _dripping(body: AsyncIterator[bytes], seconds: float) -> AsyncIterator[bytes]:
    async for chunk in body:
        for at in range(len(chunk)):
            yield chunk[at : at + 1]
            await asyncio.sleep(seconds)


async def _flipped(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    first = True
    async for chunk in body:
        if first and chunk:
            middle = len(chunk) // 2
            yield chunk[:middle] + bytes([chunk[middle] ^ 1]) + chunk[middle + 1 :]
            first = False
        else:
            yield chunk


async def _cut(body: AsyncIterator[bytes], kept: int) -> AsyncIterator[bytes]:
    async for chunk in body:
        yield chunk[:kept]
        kept -= len(chunk[:kept])
        if not kept:
            return
