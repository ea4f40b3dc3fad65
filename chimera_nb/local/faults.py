"""Latency and faults on purpose, for tests and benchmarks."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Faults:
    """What the proxy does to the requests whose "METHOD path?query" `match` is found in (a regular expression).

    latency_ms: each waits so long before it is looked at.
    fail_next: so many of them, from now on, get `status` instead of an answer; a status of 0 drops the
    connection. Requests inside a batch count one by one, and wait once, together.
    """

    latency_ms: float = 0
    fail_next: int = 0
    status: int = 503
    match: str = ""

    def __post_init__(self) -> None:
        try:
            re.compile(self.match)
        except re.error as e:
            raise ValueError(f"{self.match!r} is no regular expression: {e}") from e
        if self.latency_ms < 0 or self.fail_next < 0 or not (self.status == 0 or 400 <= self.status <= 599):
            raise ValueError(f"latency and count are not below 0, and status is 0 or 400-599: {self}")

    def concern(self, method: str, target: str) -> bool:
        """Whether a request is among those; target is its path and query as they were sent."""
        return re.search(self.match, f"{method} {target}") is not None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
