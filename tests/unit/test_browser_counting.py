"""What a selection comes to: each file counted once, in bounds, in time."""

from __future__ import annotations

from functools import partial

import pytest

from chimera_nb.widgets.browser import counting
from chimera_nb.widgets.browser.counting import Count, Cover, Tally, advance
from chimera_nb.widgets.browser.model import Browser
from pipeline.errors import RefusedError, StorageError
from pipeline.storage import Entry, PlainStore
from tests.fixtures.browser_model import browser_in, gesture, hold

STORE = PlainStore()


@pytest.fixture
def store(monkeypatch):
    return partial(hold, monkeypatch)


@pytest.fixture
def browser(store):
    return browser_in(store)


def count_all(browser):
    while any(count.active for count in browser.counts):
        advance(STORE, browser.counts, 1)
    return browser.total()


def test_the_total_counts_each_file_once(browser):
    everything = [
        "gs://b/2016/Jan/",
        "gs://b/2016/**/*.bz2",
        "gs://b/2016/?.bz2",
        "gs://b/x.txt",
        "gs://b/2016/0.bz2",
    ]
    oracle = {
        "2016/Jan/1.bz2",
        "2016/Jan/2.bz2",
        "2016/Feb/3.bz2",
        "x.txt",
        *(f"2016/{n}.bz2" for n in range(4)),
    }
    for order in (everything, everything[::-1]):
        browser.select(order)
        total = count_all(browser)
        assert (total.files, total.bytes) == (len(oracle), sum(map(len, oracle)))
        assert not total.more


def test_objects_seen_in_a_row_need_no_request(browser, store):
    held = store([])
    gesture(browser, "range", 0, 3)
    assert browser.total() == Tally(4, 4 * len("gs://b/2016/0.bz2"))
    assert held.requests == []


def test_another_click_does_not_count_a_folder_again(browser, store):
    held = store(["2016/Jan/1.bz2"])
    gesture(browser, "toggle", -2)
    count_all(browser)
    asked = len(held.requests)
    gesture(browser, "toggle", 0)
    assert count_all(browser).files == 2
    assert len(held.requests) == asked


def test_a_name_with_glob_characters_is_itself_where_it_is_there_and_a_pattern_where_not(store):
    store(["[1]*?", "1aa", "1ab", "[x"])
    browser = Browser("gs://b/")
    browser.select(["gs://b/[1]*?"])
    assert count_all(browser).files == 1
    browser.select(["gs://b/1a?"])
    assert count_all(browser).files == 2
    browser.select(["gs://b/[x"])
    assert count_all(browser).files == 1
    browser.select(["gs://b/1"])
    assert count_all(browser).files == 0


def test_a_count_stops_at_its_bound_and_can_go_on(store, monkeypatch):
    monkeypatch.setattr(counting, "FILES_AT_ONCE", 10)
    store([f"f/{n:02}" for n in range(25)])
    count = Count("gs://b/f/")
    seen = []
    while count.tally.more:
        advance(STORE, [count], 1)
        seen.append((count.tally.files, count.tally.more, count.active))
        count.resume()
    assert seen == [(10, True, False), (20, True, False), (25, False, False)]


def test_a_count_comes_back_in_time_and_goes_on_where_it_was(store):
    store([f"f/{n:05}" for n in range(5000)])
    count, rounds = Count("gs://b/f/"), 0
    while count.active:
        count.advance(STORE, until=0)  # no time at all: one file a round
        rounds += 1
    assert (count.tally.files, count.tally.more) == (5000, False)
    assert rounds >= 5000


def test_a_count_that_fails_says_so_and_is_more_than_what_it_has(browser, store, monkeypatch):
    def broken(prefix, *, recursive=True):
        yield Entry("gs://b/2016/Jan/1.bz2", 7)
        raise StorageError(prefix, "the store does not answer")

    monkeypatch.setattr(PlainStore, "list_objects", staticmethod(broken))
    browser.select(["gs://b/2016/Jan/"])
    (count,) = browser.counts
    advance(STORE, [count], 1)
    assert browser.total() == Tally(1, 7, more=True)
    assert not count.active
    assert "does not answer" in count.error
    store(["2016/Jan/1.bz2", "2016/Jan/2.bz2"])
    count.resume()
    assert count_all(browser).files == 2


def test_a_pattern_is_meant_below_the_folder_that_is_shown(store):
    store([])
    browser = Browser("gs://b/odd [1]/")
    assert browser.pattern("**/*.bz2") == "gs://b/odd [[]1]/**/*.bz2"
    assert browser.pattern("gs://b/*.gz") == "gs://b/*.gz"
    for bad in ("[a", "x/", "/etc/*"):
        with pytest.raises(RefusedError):
            browser.pattern(bad)
    with pytest.raises(RefusedError, match="open a bucket first"):
        Browser().pattern("*")


def test_a_cover_finds_the_nearest_folder_above():
    cover = Cover(["gs://b/", "gs://b/a/"], ["gs://b2/*.gz", "gs://b2/[bad"])
    assert cover.folder_above("gs://b/a/x") == "gs://b/a/"
    assert cover.folder_above("gs://b/a/") == "gs://b/"
    assert cover.folder_above("gs://b/") is None
    assert cover.holds("gs://b2/x.gz")
    assert not cover.holds("gs://b2/d/x.gz")
