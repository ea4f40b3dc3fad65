"""Lines of ladders that are read by arrays say what they say when they are decoded, or are refused."""

from __future__ import annotations

import random

import pytest

from chimera_nb.local.demo.market import make_market
from pipeline.sources.betfair import lines as decoded
from pipeline.sources.betfair.ladder_lines import LadderLines
from pipeline.sources.betfair.runners import Runners
from tests.markets.files import Viewed, rows

HEAD = b'{"op":"mcm","clk":"2100000000","pt":1577880000000,"mc":[{"id":"1.1","rc":['
TAIL = b'],"con":true,"img":false}]}\n'
PLAIN = b'{"atb":[[2,5.25],[1.01,0]],"atl":[[2.02,10]],"id":7}'
SAYS_MORE = b'{"atl":[[3,1]],"trd":[[2,10.5]],"ltp":2,"tv":10.5,"id":12345678}'
LINE = HEAD + PLAIN + b"," + SAYS_MORE + TAIL
DEFINED = (
    b'{"op":"mcm","pt":1577870000000,"mc":[{"id":"1.1","img":true,'
    b'"marketDefinition":{"status":"OPEN","inPlay":false}}]}\n'
)
OFF = (
    b'{"op":"mcm","pt":1577890000000,"mc":[{"id":"1.1",'
    b'"marketDefinition":{"status":"SUSPENDED","inPlay":true}}]}\n'
)


def change(*said):
    return HEAD + b",".join(said) + TAIL


def read(lines):
    return LadderLines("1.1").read(lines)


def of_both(monkeypatch, raw, size=1 << 20):
    """The rows, numbers of bad lines and notes of a file as it is decoded, and read by arrays wherever that can be."""
    found = []
    for stretch in (1 << 60, 1):
        monkeypatch.setattr(decoded, "_STRETCH", stretch)
        file = Viewed(allowed=1 << 30)
        table = rows(Runners(), raw, file, size=size)
        found.append(repr((table, [number for number, _ in file.bad], file.notes)))  # repr: of a nan too
    return found


def test_what_a_line_says():
    found = read(LINE + change(b'{"ltp":2.5,"id":7}', b'{"spn":"NaN","id":7}'))
    assert (found.lines, found.ids, found.times, found.places) == (
        2,
        [7, 12345678],
        [1577880000000] * 3,
        [0, 1, 1],
    )
    assert found.on_offer.tolist() == [True, False, True, True]
    assert [(said.id, said.trd, said.ltp) for said in found.changes] == [
        (12345678, [(2, 10.5)], 2.0),
        (7, None, 2.5),
        (7, None, None),
    ]


def test_a_market_may_have_hundreds_of_runners(monkeypatch):
    ids = [*range(1, 200), *range(10_000_000, 10_000_200)]
    lines = b"".join(change(b'{"atb":[[%d,5]],"id":%d}' % (2 + at % 2, one)) for at, one in enumerate(ids))
    as_decoded, as_read = of_both(monkeypatch, DEFINED + lines + OFF)
    assert as_read == as_decoded


@pytest.mark.parametrize("size", ["0.5", "0.05", "10000000.25", "123456", "0.0", "0.00"])
def test_a_size_of_any_length_is_read(monkeypatch, size):
    lines = change(PLAIN.replace(b"5.25", size.encode()))
    assert read(lines).on_offer.tolist() == [float(size) > 0, False, True]
    as_decoded, as_read = of_both(monkeypatch, DEFINED + lines + OFF)
    assert as_read == as_decoded


@pytest.mark.parametrize(
    "line",
    [
        LINE.replace(b'"con":true,"img":false', b'"img":true'),
        LINE.replace(b'"con":true', b'"con":null'),
        LINE.replace(b'"op":"mcm"', b'"op":"xyz"'),
        LINE.replace(b":1577880000000,", b":1577880000000 "),
        LINE.replace(b":1577880000000", b":157788000000"),
        LINE.replace(b":1577880000000", b":0577880000000"),
        LINE.replace(b"2100000000", b"21000000AA"),
        LINE.replace(b'"1.1"', b'"1.2"'),
        LINE.replace(b'"rc":[{', b'"rc": [{'),
        LINE.replace(b'"con"', b'"tv":1,"con"'),
        change(b'{"atb":[[2,5]],"id":7,"hc":0.5}'),
        change(b'{"hc":1,"ltp":3,"id":7}'),
        change(b'{"id":7,"atb":[[2,5]]}'),
        change(b'{"atb":[[2,5]],"id":123456789}'),
        change(b'{"atb":[[2,5]],"id":-7}'),
        change(b'{"atb":[[2,5]],"id":7.5}'),
        change(b'{"atb":[],"id":7}'),
        change(b'{"batb":[[0,2,5]],"id":7}'),
        change(b'{"atb":[[2.015,5]],"id":7}'),
        change(b'{"atb":[[2.0,5]],"id":7}'),
        change(b'{"atb":[[2,5,1]],"id":7}'),
        change(b'{"atb":[[2,"5"]],"id":7}'),
        change(b'{"atb":[[2,-5]],"id":7}'),
        change(b'{"atb":[[2,0e9]],"id":7}'),
        change(b'{"atb":[[2,05]],"id":7}'),
        change(b'{"atb":[[2,5.]],"id":7}'),
        change(b'{"atb":[[2,1.2.3]],"id":7}'),
        change(b'{"atb":[[2,5] [3,5]],"id":7}'),
        change(b'{"atb":[[2,5]] "id":7}'),
        change(b'{"atb":[[2,5]],"x":1,"atl":[[3,1]]"id":7}'),
        change(b'{"atb":[[2,5]],"atb":[[3,1]],"id":7}'),
        change(b'{"ltp":x,"id":7}'),
        change(b'{"x":[1]],"id":7}'),
        change(PLAIN, PLAIN).replace(b"},{", b"} {"),
        LINE[:-1].replace(b'"clk"', b'\n"clk"') + b"\n",
    ],
)
def test_a_line_of_another_form_is_decoded_with_all_beside_it(monkeypatch, line):
    assert read(LINE + line + LINE) is None
    as_decoded, as_read = of_both(monkeypatch, DEFINED + LINE + line + LINE + OFF + LINE)
    assert as_read == as_decoded


def test_a_market_that_was_changed_anywhere_has_the_rows_that_it_has_when_it_is_decoded(monkeypatch):
    rng = random.Random(12)
    whole = make_market(3, 40, plan="PRO")
    begin = whole.index(b"\n") + 1
    pieces = [
        b'"',
        b"[",
        b"]",
        b"{",
        b"}",
        b",",
        b":",
        b"0",
        b"7",
        b".",
        b"-",
        b" ",
        b"\n",
        b"[2,0],",
        b'"hc":1,',
    ]
    for _ in range(12):
        raw = bytearray(whole)
        for _ in range(rng.randrange(3)):
            at = rng.randrange(begin, len(raw))
            raw[at : at + rng.randrange(3)] = rng.choice(pieces)
        as_decoded, as_read = of_both(monkeypatch, bytes(raw), size=rng.choice((4_000, 1 << 20)))
        assert as_read == as_decoded
