"""Amounts for a person's eyes."""

from __future__ import annotations

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def size(count: float | None) -> str:
    """Bytes in the largest unit that keeps a whole digit, by thousands."""
    value = float(count or 0)
    for unit in _UNITS:
        if value < 1000 or unit == _UNITS[-1]:
            return f"{value:,.0f} {unit}" if unit == "B" else f"{value:,.1f} {unit}"
        value /= 1000
    return ""


def plural(count: int, noun: str) -> str:
    """A number of things: "1 file", "2,000 files"."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
