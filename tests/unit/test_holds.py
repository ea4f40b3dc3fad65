"""What files hold by their names, and which of several that hold the same is read."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ChimeraError
from pipeline.inputs.once import Copy, fullest, why_other
from pipeline.sources import Holds, get_source, tells_holds, what_it_holds
from pipeline.sources.base import SourcePlugin
from pipeline.sources.betfair import BetfairSource

BETFAIR = BetfairSource()
DAY = "ADVANCED/2020/Jan/1/29614797"


@pytest.mark.parametrize(
    ("path", "what", "rank"),
    [
        (f"{DAY}/1.167210123.bz2", "1.167210123", 2),
        (f"h/{DAY}/1.167210123", "1.167210123", 2),
        ("data.tar!/BASIC/2020/Jan/1/29614797/1.167210123.bz2", "1.167210123", 1),
        ("data/xds/historic/PRO/29614797/1.167210123.bz2", "1.167210123", 3),
        ("/BASIC/of/mine/PRO/1.2.gz", "1.2", 3),  # the nearest folder tells
        ("1.167210123.bz2", "1.167210123", 0),
    ],
)
def test_a_market_is_the_same_in_every_plan(path, what, rank):
    held = BETFAIR.holds(path)
    assert (held.what, held.rank, held.whole_of) == (what, rank, "")


@pytest.mark.parametrize(
    "name", ["1.167210123.json.bz2", "recorded.bz2", "1.bz2", "1.x.bz2", "v1.167.bz2", ".bz2"]
)
def test_other_names_hold_nothing_that_is_known(name):
    assert BETFAIR.holds(f"{DAY}/{name}") is None


def test_an_events_own_file_is_the_whole_of_the_markets_beside_it():
    event, market = BETFAIR.holds(f"h/{DAY}/29614797.bz2"), BETFAIR.holds(f"h/{DAY}/1.167210123.bz2")
    assert event.whole_of == market.part_of == f"h/{DAY}"
    assert event.what == BETFAIR.holds("PRO/2020/Jan/1/29614797/29614797.bz2").what
    assert event.what != BETFAIR.holds("PRO/2020/Jan/2/29614797/29614797.bz2").what  # another day's markets
    assert BETFAIR.holds("PRO/2020/Jan/1/29614797/29614798.bz2") is None
    assert BETFAIR.holds("29614797.bz2") is None
    assert BETFAIR.holds("mine/29614797.bz2") is None


COPIES = [Copy("b", 2, 10), Copy("a", 2, 10), Copy("c", 3, 1), Copy("d", 0, 999), Copy("e", 2, 11)]


@pytest.mark.parametrize("order", list(itertools.permutations(COPIES[:4])))
def test_the_one_that_is_read_depends_on_no_order(order):
    assert fullest(order).uri == "c"
    assert fullest([copy for copy in order if copy.uri != "c"]).uri == "a"


@given(st.lists(st.builds(Copy, st.text(max_size=2), st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_no_other_is_fuller(copies):
    read = fullest(copies)
    assert all((read.rank, read.size) >= (copy.rank, copy.size) for copy in copies)


def test_the_reason_names_the_file_that_is_read():
    said = why_other("1.2", Copy("gs://b/BASIC/1.2.bz2", 1, 5), Copy("gs://b/PRO/1.2.bz2", 3, 4))
    assert said == "1.2 is read from gs://b/PRO/1.2.bz2, which is fuller"
    assert why_other("1.2", Copy("b", 1, 5), Copy("a", 1, 5)) == "1.2 is read from a, which holds as much"


# What a third party's source may get wrong


class Tiny(SourcePlugin):
    name = "tiny"
    description = "tiny"

    def __init__(self, gives) -> None:
        self.gives = gives

    def build_patterns(self, bucket, paths):
        return []

    def get_decompressor_class(self):
        return "auto"

    def holds(self, path):
        return self.gives(path)


WRONG = ["x", 3, Holds(""), Holds(None), Holds("x", "high"), Holds("x", True), Holds("x", part_of=None)]


@pytest.mark.parametrize("gives", WRONG)
def test_a_source_that_gives_something_else_is_named(gives):
    with pytest.raises(
        ChimeraError, match=r"source 'tiny' .*:Tiny\) gave .* for what 'in/a' holds; it must give"
    ):
        what_it_holds(Tiny(lambda _: gives), "in/a")


def test_a_source_that_raises_is_named():
    with pytest.raises(ChimeraError, match=r"source 'tiny' .* failed in holds: ZeroDivisionError"):
        what_it_holds(Tiny(lambda _: 1 / 0), "in/a")


def test_only_a_source_that_says_so_is_asked():
    assert [tells_holds(get_source(name)) for name in ("betfair", "ndjson")] == [True, False]
    assert what_it_holds(get_source("ndjson"), "in/1.2.bz2") is None
    assert what_it_holds(Tiny(lambda path: Holds(path, 1)), "x") == Holds("x", 1)
