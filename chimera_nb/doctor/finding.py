"""What a check gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """ok; off: not in use here, and nothing is wrong with that; fault: something does not work until it is mended."""

    OK = "ok"
    OFF = "off"
    FAULT = "fault"


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it stands, and what to do about it: one line, a command where there is one.

    A fault has a remedy; what is off may have one, for who wants it on.
    """

    check: str
    state: State
    says: str
    remedy: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


Check = Callable[[], Iterable[Finding]]


def ok(check: str, says: str) -> Finding:
    return Finding(check, State.OK, says)


def off(check: str, says: str, remedy: str | None = None) -> Finding:
    return Finding(check, State.OFF, says, remedy)


def fault(check: str, says: str, remedy: str) -> Finding:
    return Finding(check, State.FAULT, says, remedy)
