"""Prices and sizes of whole ladders, as Betfair writes them, read by arrays: `[2.5,10.25]`."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from pipeline.sources.betfair.price_ladder import LADDER
from pipeline.sources.betfair.words import (
    BYTE,
    Array,
    Numbered,
    before,
    first_that_is,
    no_digits,
    place_of,
    word,
)

_TEXTS = [f"{price:g}".encode() for price in LADDER]
_PRICES = Numbered(np.array([word(text) for text in _TEXTS]))
_WIDTHS = np.array([len(text) for text in _TEXTS])
_SIZE = re.compile(rb"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?=\])")


class Pairs(NamedTuple):
    """Of each the step of its price on the ladder, whether its size is over 0, and where its bracket closes."""

    steps: Array
    on_offer: Array
    ends: Array


def read_pairs(lines: bytes, words: Array, places: Array) -> Pairs | None:
    """Pairs by where they begin, all well before the end of the lines.

    None where one has no price of the ladder, in its shortest form, or a size that is not written as Betfair does.
    """
    text = words[places + 1]
    steps, known = _PRICES.find(text & before(first_that_is(text, ",")))
    if not known.all():
        return None
    sizes = places + 2 + _WIDTHS[steps]
    text = words[sizes]
    bracket = first_that_is(text, "]")
    strange = no_digits(text) & before(bracket)
    point = first_that_is(text, ".")
    first = text & np.uint64(0xFF)
    zero = first == ord("0")
    plain = (
        (bracket > np.uint64(0x80))  # there, and not the first
        & (strange & ~point == 0)
        & (point > np.uint64(0x80))  # without one: see below
        & (point << BYTE != bracket)
    )
    gone = text & np.uint64(0xFFFF) == word(b"0]")
    whole = (bracket > np.uint64(0x80)) & (strange == 0) & (~zero | gone)
    tenths = text & np.uint64(0xFFFFFF)
    plain = whole | (
        plain & (~zero | ((tenths & np.uint64(0xFFFF) == word(b"0.")) & (tenths > word(b"0.0"))))
    )
    ends = sizes + place_of(bracket)
    for place in np.flatnonzero(~plain).tolist():  # long ones, and such as 0.05
        size = _SIZE.match(lines, int(sizes[place]))
        if size is None:
            return None
        gone[place], ends[place] = not float(size[0]), size.end()
    return Pairs(steps, ~gone, ends)
