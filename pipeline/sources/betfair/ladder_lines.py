"""Lines of whole ladders, as Betfair writes them, read by arrays: what is on offer has no object for each price.

Nine of ten changes in a PRO file are of no more than what is on offer, and of that a view may want the last state
only. So such lines are taken many at a time: where each bracket stands tells lists, prices and runners. All lines have
to be of one form,

    {"op":"mcm","clk":"1","pt":1,"mc":[{"id":"1.1","rc":[{"atb":[[2.5,10]],"id":1},...],"con":true,"img":false}]}

without spaces, and each byte of it is accounted for: one after the other each part has to begin where the one before
it ends. Lines of any other form are refused as a whole, and whoever asks decodes them. Runner changes that say more
(trd, ltp, spb, spl, and any other) may have any form, but that the id comes last: they are cut out and decoded.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from msgspec import MsgspecError
from msgspec.json import Decoder

from pipeline.sources.betfair.ladder_pairs import read_pairs
from pipeline.sources.betfair.messages import StartingPriceRunner
from pipeline.sources.betfair.offer_table import first_cell
from pipeline.sources.betfair.words import (
    BYTE,
    ONE,
    Array,
    Numbered,
    all_are,
    first_that_is,
    no_digits,
    number_of,
    word,
    words_of,
)

_decode = Decoder(list[StartingPriceRunner]).decode
_PLAIN_ID = re.compile(r"[0-9A-Za-z.]+")
_BEGIN = b'{"op":"mcm","clk":"'
_TAIL = b'}],"con":true,"img":false}]}\n'
_PT = word(b'","pt":')
_ATB, _ATL = word(b'"atb":'), word(b'"atl":')
_OTHERS = (word(b'"trd":'), word(b'"spb":'), word(b'"spl":'))
_AFTER_LIST, _ID = word(b']],"id":'), word(b'"id":')
_CLK_DIGITS = range(8, 17)
_PT_DIGITS = 13
_ID_DIGITS = 8


class _AnotherFormError(Exception):
    """Lines are not of the form that is read by arrays."""


def _must(holds: bool | np.bool) -> None:
    if not holds:
        raise _AnotherFormError


class Stretch(NamedTuple):
    """What lines say.

    lines            how many they are
    ids              of all runners that they are about
    cells, on_offer  of an OfferTable, in order
    changes          those that say more than what is on offer
    times, places    of each of these the publish time, and its line from 0
    """

    lines: int
    ids: list[int]
    cells: Array
    on_offer: Array
    changes: list[StartingPriceRunner]
    times: list[int]
    places: list[int]


class _Frame:
    """Where things stand in lines, all in order. Raises _AnotherFormError.

    line_ends, times   of each line its line end, and the publish time
    begins, ends       of each runner change its first and its last byte
    lists, pairs       the brackets that open each; `firsts`: whether the pair is the first of its list
    """

    def __init__(self, lines: bytes, head: bytes) -> None:
        text, words = np.frombuffer(lines, np.uint8), words_of(lines)
        closing = np.flatnonzero(text[:-1] == ord("}"))
        self.line_ends = closing[text[closing + 1] == ord("\n")] + 1
        self.ends = closing[_is_digit(text[closing - 1])]
        count = len(self.line_ends)
        _must(np.count_nonzero(text == ord("\n")) == count > 0)
        tails = self.line_ends - len(_TAIL) + 1
        _must(all_are(words, tails, _TAIL))

        opening = np.flatnonzero(text == ord("["))
        after = text[opening + 1]
        self.pairs = opening[_is_digit(after)]
        self.firsts = text[self.pairs - 1] == ord("[")
        self.lists = self.pairs[self.firsts] - 1
        _must(self.firsts[:1].all())
        braces = opening[after == ord("{")]
        _must(len(opening) == len(self.pairs) + len(self.lists) + len(braces))
        _must(len(braces) == 2 * count)
        markets, runners = braces[0::2], braces[1::2]
        _must((runners - markets == len(head) - 8).all())
        _must(all_are(words, markets - 6, head))
        self.times = _times(words, np.append(0, self.line_ends[:-1] + 1), markets - 6)

        following = np.searchsorted(self.ends, self.line_ends)  # the first change of the next line
        _must(following[-1] == len(self.ends) and (self.ends[following - 1] == tails).all())
        _must(np.count_nonzero(text[self.ends + 1] == ord(",")) == len(self.ends) - count)
        self.begins = np.append(0, self.ends[:-1] + 2)
        self.begins[np.append(0, following[:-1])] = runners + 1
        self.text, self.words, self.lines = text, words, lines


class LadderLines:
    """Reads the lines of one market. Attribute: ids (of its runners, whose numbers are their places in it)."""

    def __init__(self, market_id: str) -> None:
        self.ids: list[int] = []
        self._keys: Numbered | None = None  # the ids as they stand before a "}"
        self._widths: Array = np.zeros(0, np.int64)
        head = f',"mc":[{{"id":"{market_id}","rc":[{{'
        self._head = head.encode() if _PLAIN_ID.fullmatch(market_id) else b""

    def learn(self, selection_id: int) -> int | None:
        """The number of a runner, a new one where there is none; None of an id that lines are not read with."""
        if selection_id in self.ids:
            return self.ids.index(selection_id)
        text = str(selection_id)
        if not text.isdigit() or len(text) > _ID_DIGITS:
            return None
        self.ids.append(selection_id)
        return len(self.ids) - 1

    def read(self, lines: bytes) -> Stretch | None:
        """What whole lines say, or None where they have another form."""
        if not self._head or len(lines) < len(_TAIL):
            return None
        try:
            return self._read(_Frame(lines, self._head))
        except (_AnotherFormError, MsgspecError, UnicodeDecodeError, RecursionError):
            return None

    def _read(self, frame: _Frame) -> Stretch:
        numbers = self._numbers(frame)
        ids = frame.ends - self._widths[numbers]  # where each begins
        named = frame.words[ids - 8]
        _must((named >> (3 * BYTE) == _ID).all())
        more = named != _AFTER_LIST  # changes that say more than what is on offer

        named = frame.words[frame.lists - 8]
        kind = named >> (2 * BYTE)
        lay = kind == _ATL
        offered = lay | (kind == _ATB)
        _must((offered | np.logical_or.reduce([kind == other for other in _OTHERS])).all())
        of = np.searchsorted(frame.ends, frame.lists)  # the change that a list is of
        _must((np.diff((of * 2 + lay)[offered]) > 0).all())  # each name once in a change
        opens = (named >> BYTE) & np.uint64(0xFF) == ord("{")  # or it follows another list
        more[of[~(offered & (opens | (named & np.uint64(0xFFFF) == word(b"],"))))]] = True
        _must((frame.lists == frame.begins[of] + 7)[opens].all())

        list_of = np.cumsum(frame.firsts) - 1
        wanted = offered[list_of]
        pairs = read_pairs(frame.lines, frame.words, frame.pairs[wanted])
        if pairs is None:
            raise _AnotherFormError
        begins = frame.pairs[wanted]
        last = np.append(frame.firsts[wanted][1:], True)[: len(begins)]  # of their lists
        _must((frame.text[pairs.ends + 1] == np.where(last, ord("]"), ord(","))).all())
        _must((last[:-1] | (begins[1:] == pairs.ends[:-1] + 2)).all())
        follows = np.append(of[1:] == of[:-1], False)[: len(of)]  # whether another list of the change does
        next_list = np.append(frame.lists[1:], 0)[: len(of)]
        closed = np.where(
            follows, next_list - len(']],"atl":'), ids[of] - len(']],"id":')
        )  # the last pair's end
        plain = ~more[of]
        _must(np.count_nonzero(opens & plain) == np.count_nonzero(~more))
        _must((closed[offered] == pairs.ends[last])[plain[offered]].all())

        told = np.flatnonzero(more)
        changes = _cut(frame, told)
        line_of = np.searchsorted(frame.line_ends, frame.ends[told])
        cells = first_cell(numbers[of], lay)[list_of[wanted]] + pairs.steps
        seen = np.flatnonzero(np.bincount(numbers, minlength=len(self.ids)))
        return Stretch(
            lines=len(frame.line_ends),
            ids=[self.ids[number] for number in seen.tolist()],
            cells=cells,
            on_offer=pairs.on_offer,
            changes=changes,
            times=frame.times[line_of].tolist(),
            places=line_of.tolist(),
        )

    def _numbers(self, frame: _Frame) -> Array:
        """The runner of each change, as a number."""
        text = frame.words[frame.ends - 8]
        colon = first_that_is(text, ":")
        keys = np.where(colon > 0, text & (~(colon + colon) + ONE), text)
        numbers, known = self._find(keys)
        if not known.all():
            ends = frame.ends[~known]
            for end in ends[np.unique(keys[~known], return_index=True)[1]].tolist():
                digits = frame.lines[frame.lines.rfind(b":", 0, end) + 1 : end]
                _must(digits.isdigit() and self.learn(int(digits)) is not None)
            numbers, known = self._find(keys)
            _must(known.all())
        return numbers.astype(np.int64)  # cells are counted with them

    def _find(self, keys: Array) -> tuple[Array, Array]:
        if self._keys is None or len(self._widths) < len(self.ids):
            texts = [str(selection_id).encode() for selection_id in self.ids]
            keys_of_ids = [word(text.rjust(8, b"\0")) for text in texts]
            self._keys = Numbered(np.array(keys_of_ids, np.uint64))
            self._widths = np.array([len(text) for text in texts], np.int64)
        return self._keys.find(keys)


def _is_digit(text: Array) -> Array:
    return text - np.uint8(ord("0")) < 10  # bytes below "0" wrap around


def _times(words: Array, begins: Array, ends: Array) -> Array:
    """Publish times, by where lines begin and where the last digit of each time ends."""
    _must(all_are(words, begins, _BEGIN))
    begins, times = begins + len(_BEGIN), ends - _PT_DIGITS
    clks = times - 7  # where each ends
    _must((clks - begins >= _CLK_DIGITS.start).all() and (clks - begins < _CLK_DIGITS.stop).all())
    _must((words[clks] << BYTE == _PT << BYTE).all())
    high, low = words[times], words[ends - 8]
    for digits in (words[begins], words[clks - 8], high, low):
        _must(not no_digits(digits).any())
    _must((high & np.uint64(0xFF) != ord("0")).all())
    return number_of(high) * 100_000 + number_of(low) % 100_000


def _cut(frame: _Frame, told: Array) -> list[StartingPriceRunner]:
    """Changes by their numbers, decoded."""
    begins, ends = frame.begins[told].tolist(), (frame.ends[told] + 1).tolist()
    lines = frame.lines
    cut = b",".join([lines[begin:end] for begin, end in zip(begins, ends, strict=True)])
    _must(b'"hc"' not in cut)
    changes = _decode(b"[" + cut + b"]")
    _must(len(changes) == len(told))
    return changes
