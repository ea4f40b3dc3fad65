"""What the options of Betfair's views may be."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.errors import RefusedError

_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000}
_FREQUENCY = re.compile(r"([0-9]{1,9}) ?(ms|s|min|m|h)")
_LONGEST = 24 * 3_600_000


def check_flag(view: str, name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise RefusedError(f"the view {view} takes {name}=True or {name}=False, not {value!r}")


def check_choice(view: str, name: str, value: object, choices: Sequence[str]) -> None:
    if value not in choices:
        told = " or ".join(f'{name}="{choice}"' for choice in choices)
        raise RefusedError(f"the view {view} takes {told}, not {value!r}")


def frequency_ms(view: str, value: object) -> int | None:
    """Milliseconds from one instant of a grid to the next; None for no grid."""
    if value is None or value == "":
        return None
    found = _FREQUENCY.fullmatch(value) if isinstance(value, str) else None
    length = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 0 < length <= _LONGEST:
        raise RefusedError(
            f'the view {view} takes a frequency of 1ms to 24h, such as frequency="1s", "500ms", "1m" or "1h", '
            f"not {value!r}"
        )
    return length
