"""A listing by ranges of names gives each name once, whatever the names are, and whoever is quicker."""

from __future__ import annotations

import random
import threading
import time
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.storage.name_ranges import RangedListing, Share, beyond

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)


class Item(NamedTuple):
    name: str


class Bucket:
    """Names in their order, a page at a time."""

    def __init__(self, names, *, seconds=0.0, jitter=0.0):
        self.names = sorted(names)
        self.seconds, self.jitter = seconds, jitter
        self.asked = self.asking = self.at_once = 0
        self.lock = threading.Lock()

    def ask(self, start, end, most):
        with self.lock:
            self.asked += 1
            self.asking += 1
            self.at_once = max(self.at_once, self.asking)
        if self.seconds or self.jitter:
            time.sleep(self.seconds + random.random() * self.jitter)
        with self.lock:
            self.asking -= 1
        found = [name for name in self.names if name >= start and (not end or name < end)]
        return [Item(name) for name in found[:most]], len(found) > most


def listed(bucket, prefix, *, page=3, threads=4):
    pages = RangedListing(bucket.ask, prefix, page=page, threads=threads).pages()
    return [item.name for some in pages for item in some]


@settings(deadline=None, max_examples=60)
@given(TEXT, st.sets(TEXT, max_size=60), st.integers(2, 6), st.integers(1, 6))
def test_each_name_comes_once(prefix, rests, page, threads):
    names = {prefix + rest for rest in rests}
    bucket = Bucket(names, jitter=0.0005)
    assert sorted(listed(bucket, prefix, page=page, threads=threads)) == sorted(names)


def shared(bucket, prefix, quotas, *, page=3, threads=4, each=1):
    """What all workers list, the first with the first quota and those it leaves ranges to with the next, so many ranges
    to each; and how many workers there were."""
    names, shares = [], [Share(pages=quotas[0])]
    workers = 0
    for quota in (*quotas[1:], None):
        left = []
        for share in shares:
            workers += 1
            pages = RangedListing(bucket.ask, prefix, share, page=page, threads=threads).pages()
            names += [item.name for some in pages for item in some]
            left += share.left
        shares = [Share(left[at : at + each], quota) for at in range(0, len(left), each)]
    assert not shares
    return names, workers


@settings(deadline=None, max_examples=60)
@given(
    *(TEXT, st.sets(TEXT, max_size=60)),
    *(st.integers(2, 6), st.integers(1, 5), st.integers(1, 4), st.integers(1, 3)),
)
def test_each_name_comes_once_whoever_lists_which_share(prefix, rests, page, first, then, each):
    names = {prefix + rest for rest in rests}
    found, _ = shared(Bucket(names, jitter=0.0005), prefix, (first, then, None), page=page, each=each)
    assert sorted(found) == sorted(names)


def test_what_one_worker_leaves_of_a_long_listing_is_many_ranges():
    names = [f"in/2020/{n % 7}/1.{170_000_000 + n}.bz2" for n in range(20_000)]
    bucket = Bucket(names, seconds=0.001)
    found, workers = shared(bucket, "in/", (20, 20, None), page=100, threads=8)
    assert sorted(found) == sorted(names)
    assert workers > 2
    alone = Bucket([f"x{chr(0x10000 + n)}" for n in range(500)])
    assert len(shared(alone, "x", (2, 2, None), page=50)[0]) == 500
    assert alone.asked <= 10 + 10


@given(TEXT.filter(bool), TEXT, st.data())
def test_what_is_beyond_is_behind_all_that_begin_so(name, rest, data):
    at = data.draw(st.integers(0, len(name) - 1))
    found = beyond(name, at)
    begin = name[: at + 1]
    assert found is None or (begin < found and begin + rest < found)
    assert found is None or (begin + rest).encode() < found.encode()  # in a bucket's order too
    assert found is not None or begin[-1] == chr(0x10FFFF)


def test_a_long_listing_is_split_where_the_names_are():
    names = [f"in/2020/{n % 7}/1.{170_000_000 + n}.bz2" for n in range(20_000)]
    bucket = Bucket(names, seconds=0.002)
    assert sorted(listed(bucket, "in/", page=100, threads=8)) == sorted(names)
    assert bucket.asked < 400  # of which 200 are pages
    assert bucket.at_once > 4


def test_names_that_allow_no_ranges_cost_no_more_requests_than_pages():
    names = [f"x{chr(0x10000 + n)}" for n in range(500)]  # between which there is no room
    bucket = Bucket(names)
    assert sorted(listed(bucket, "x", page=50, threads=4)) == sorted(names)
    assert bucket.asked <= 2 + 10


def test_a_listing_of_one_page_is_one_request_and_no_thread():
    bucket = Bucket(["a", "b"])
    before = threading.active_count()
    assert listed(bucket, "", page=2) == ["a", "b"]
    assert (bucket.asked, threading.active_count()) == (1, before)


def test_what_a_request_raises_is_raised_and_all_stop():
    bucket = Bucket([f"{n:03}" for n in range(300)])
    asked = bucket.ask

    def ask(start, end, most):
        if start > "15":
            raise OSError("away")
        return asked(start, end, most)

    bucket.ask = ask
    with pytest.raises(OSError, match="away"):
        listed(bucket, "", page=10)


def test_whoever_stops_stops_the_others_and_little_is_held():
    bucket = Bucket([f"{n:05}" for n in range(30_000)])
    pages = RangedListing(bucket.ask, "", page=10, threads=4).pages()
    next(pages)
    next(pages)
    time.sleep(0.3)
    assert bucket.asked < 40  # a page for each range, and as many that wait to be taken
    pages.close()
    give_up = time.monotonic() + 20
    while any(thread.name == "list-range" for thread in threading.enumerate()):
        assert time.monotonic() < give_up
        time.sleep(0.01)


def test_a_store_that_does_not_go_on_is_told():
    items = [Item(f"{n}") for n in range(5)]
    listing = RangedListing(lambda *_: (items, True), "", page=5, threads=2)
    with pytest.raises(ValueError, match="does not go on"):
        list(listing.pages())
