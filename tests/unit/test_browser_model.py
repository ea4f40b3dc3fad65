"""The browser without a page: its rows as they are loaded, filtered and sent, and what is selected of them."""

from __future__ import annotations

import json
import random
import threading
from functools import partial

import pytest

from chimera_nb.widgets.base.messages import to_wire
from chimera_nb.widgets.browser import listing
from chimera_nb.widgets.browser.counting import Tally
from chimera_nb.widgets.browser.listing import Listing, Row, Rows, codec_by_name
from chimera_nb.widgets.browser.model import Browser, add
from chimera_nb.widgets.browser.navigation import BUCKETS, BrowsingScope
from pipeline.errors import RefusedError, StorageError
from pipeline.storage import PlainStore
from tests.fixtures.browser_model import browser_in, gesture, hold, load, names

STORE = PlainStore()
NASTY = ["..", "a ", " b", "<img src=x onerror=alert(1)>", "quote\"'", "🐎", "\u202egnp", "n" * 900, "[1]*?"]


@pytest.fixture
def store(monkeypatch):
    return partial(hold, monkeypatch)


@pytest.fixture
def browser(store):
    return browser_in(store)


# Rows


def test_a_page_is_one_request_and_the_next_is_asked_for_only_when_it_is_wanted(store):
    held = store([f"f/{n:04}" for n in range(1000)], page=100)
    shown = Listing("gs://b/f/")
    shown.take(shown.fetch(STORE))
    assert len(held.requests) == 1
    assert len(shown.objects) == 100
    assert not shown.complete
    load(shown)
    assert len(held.requests) == 10
    assert names(shown) == [f"{n:04}" for n in range(1000)]


def test_names_are_shown_as_they_are(store):
    store([f"f/{name}" for name in NASTY] + ["f/../deep", "f//empty"], page=4)
    shown = Listing("gs://b/f/")
    load(shown)
    assert sorted(names(shown)) == sorted([*NASTY, "../", "/"])
    assert {shown.uri(key) for key in shown.all_keys()} == {f"gs://b/f/{name}" for name in names(shown)}


def test_a_failed_page_can_be_asked_for_again_and_brings_what_was_missing(store):
    held = store([f"f/{n}" for n in range(9)])
    held.fail_at = 2
    shown = Listing("gs://b/f/")
    shown.take(shown.fetch(STORE))
    with pytest.raises(StorageError):
        shown.fetch(STORE)
    assert not shown.complete
    load(shown)
    assert names(shown) == [str(n) for n in range(9)]


def test_names_that_are_no_text_are_left_out_and_counted(store):
    store(["f/good", "f/bad\udcff"])
    shown = Listing("gs://b/f/")
    load(shown)
    assert (names(shown), shown.unnamed) == (["good"], 1)


def test_the_allowed_buckets_are_shown_without_asking_for_them():
    shown = Listing(BUCKETS)
    shown.take(shown.fetch(STORE, ["zoo", "ant"]))
    assert (shown.folders, shown.complete) == (["ant/", "zoo/"], True)
    assert shown.uri(-1) == "gs://ant/"


def test_keys_of_rows_stay_when_more_rows_come():
    shown = Listing("gs://b/")
    shown.take(Rows(["a/"], [Row("m", 1, None, "")], last=False))
    before = {key: shown.uri(key) for key in shown.all_keys()}
    shown.take(Rows(["z/"], [Row("n", 1, None, "")], last=True))
    assert {key: shown.uri(key) for key in before} == before
    assert [shown.uri(key)[7:] for key in shown.between(1, -1)] == ["a/", "z/", "m", "n"]
    assert shown.between(1, -2) == shown.between(-2, 1) == [-2, 0, 1]


def test_the_codec_is_the_one_of_the_suffix():
    assert [codec_by_name(name) for name in ("a.bz2", "A.GZ", "x.zst", "x", "bz2/x")] == [
        *("bz2", "gzip", "zstd", "", ""),
    ]


def test_a_filter_shows_loaded_rows_at_once_and_then_what_the_store_has_by_that_prefix(store):
    held = store([f"f/1.{n}" for n in range(9)] + ["f/2.1.8"])
    browser = Browser("gs://b/f/")
    browser.shown.take(browser.shown.fetch(STORE))
    asked = len(held.requests)
    browser.narrow("1.")
    assert names(browser.shown) == ["1.0", "1.1", "1.2"]
    assert len(held.requests) == asked
    load(browser.shown)
    assert names(browser.shown) == [f"1.{n}" for n in range(9)]
    assert set(held.requests[asked:]) == {"gs://b/f/1."}


def test_a_filter_over_rows_that_are_all_loaded_asks_for_nothing(browser):
    browser.narrow("JAN")
    assert (names(browser.shown), browser.shown.complete) == (["Jan/"], True)
    browser.narrow("")
    assert len(names(browser.shown)) == 6


def test_every_change_of_rows_has_a_number_of_its_own(browser):
    seen = [browser.generation.number]
    for act in (lambda: browser.narrow("a"), lambda: browser.narrow(""), lambda: browser.open("gs://b/")):
        act()
        seen.append(browser.generation.number)
    assert seen == sorted(set(seen))


def test_rows_that_are_on_their_way_are_late_only_while_others_are_shown(browser):
    whole = browser.shown
    browser.narrow("1")
    assert browser.generation.is_late(whole.generation)
    assert not browser.generation.is_late(browser.shown.generation)
    browser.narrow("")  # the same rows again: what comes for them is waited for
    assert browser.shown is whole
    assert not browser.generation.is_late(whole.generation)


def test_rows_travel_in_messages_of_bounded_size_that_leave_nothing_out():
    browser = Browser("gs://b/")
    total = 12_345
    browser.shown.take(Rows(["d/"], [Row(str(n), n, None, "") for n in range(total)], last=True))
    got, at = [], [0, 0]
    while True:
        message = json.loads(json.dumps(to_wire(browser.rows_message(*at))))
        got += message["objects"]
        at = [1, len(got)]
        if not message["rest"]:
            break
        assert len(message["objects"]) <= 5000
    assert [row[0] for row in got] == [str(n) for n in range(total)]


# Gestures


def test_a_gesture_leaves_what_is_selected_elsewhere_and_what_is_not_under_it(browser):
    browser.select(["gs://b/x.txt", "gs://b/2016/Jan/1.bz2", "gs://b/2016/*.bz2"])
    gesture(browser, "toggle", 0)
    gesture(browser, "toggle", 1)
    gesture(browser, "toggle", 0)
    assert browser.selected == (
        *("gs://b/x.txt", "gs://b/2016/Jan/1.bz2", "gs://b/2016/*.bz2", "gs://b/2016/1.bz2"),
    )


def test_toggle_range_and_rows_by_their_keys(browser):
    assert gesture(browser, "toggle", 3) == ["3.bz2"]
    assert gesture(browser, "toggle", -1) == ["3.bz2", "Feb/"]
    assert gesture(browser, "toggle", 3) == ["Feb/"]
    assert gesture(browser, "range", 1, -2) == ["Feb/", "Jan/", "0.bz2", "1.bz2"]
    browser.select(browser.with_rows([3, -1]))
    assert browser.selected[-1] == "gs://b/2016/3.bz2"
    assert len(browser.selected) == 5
    for wrong in (lambda: browser.gesture("toggle", 99), lambda: browser.with_rows([0, 99])):
        with pytest.raises(IndexError):
            wrong()
    with pytest.raises(RefusedError):
        browser.gesture("explode", 0)


def test_a_choice_is_of_the_rows_that_were_seen_when_others_are_shown_by_now(browser):
    seen = browser.generation.number
    browser.narrow("3")
    narrowed = browser.generation.number
    browser.open("gs://b/2016/Jan/")
    load(browser.shown)
    assert browser.selected == ()
    browser.select(browser.gesture("toggle", 2, seen=seen))
    browser.select(browser.gesture("toggle", 0, seen=narrowed))
    browser.select(browser.with_rows([-1], seen=seen))
    assert browser.selected == ("gs://b/2016/2.bz2", "gs://b/2016/3.bz2", "gs://b/2016/Feb/")
    browser.select(browser.gesture("all", seen=seen))
    browser.select(browser.gesture("none", seen=narrowed))
    assert sorted(uri.removeprefix("gs://b/2016/") for uri in browser.selected) == [
        *("0.bz2", "1.bz2", "2.bz2", "Feb/", "Jan/"),
    ]
    for text in "abcd":
        browser.narrow(text)
    for late in (seen, 10_000):
        with pytest.raises(RefusedError, match="choose again"):
            browser.gesture("toggle", 2, seen=late)


def test_none_takes_out_what_is_shown_and_all_that_is_below_it(browser):
    browser.select(["gs://b/x.txt", "gs://b/2016/Jan/1.bz2", "gs://b/2016/0.bz2", "gs://b/2016/Feb/"])
    gesture(browser, "none")
    assert browser.selected == ("gs://b/x.txt",)
    gesture(browser, "all")
    gesture(browser, "none")
    assert browser.selected == ("gs://b/x.txt",)
    gesture(browser, "all")
    browser.narrow(".bz2")
    assert sorted(gesture(browser, "none")[1:]) == ["Feb/", "Jan/"]


def test_each_change_of_the_selection_can_be_undone_and_what_comes_back_need_not_be_counted(browser, store):
    held = store([])
    assert not browser.can_undo
    with pytest.raises(RefusedError, match="no change"), browser.undoing():
        pass
    gesture(browser, "toggle", 0)
    gesture(browser, "range", 0, 3)
    browser.select(browser.selected)  # the same is no change
    browser.select([])
    seen = []
    while browser.can_undo:
        with browser.undoing() as before:
            browser.select(before)
        seen.append((len(browser.selected), browser.total().files))
    assert seen == [(4, 4), (1, 1), (0, 0)]
    assert held.requests == []


def test_a_folder_selected_as_a_whole_takes_in_what_it_holds(browser):
    browser.select(["gs://b/2016/Jan/1.bz2", "gs://b/x.txt"])
    gesture(browser, "all")
    assert browser.selected == ("gs://b/x.txt", "gs://b/2016/")


def test_taking_a_row_out_of_a_folder_that_is_selected_leaves_the_others(browser):
    gesture(browser, "all")
    assert sorted(gesture(browser, "toggle", 2)) == ["0.bz2", "1.bz2", "3.bz2", "Feb/", "Jan/"]
    assert browser.total().files == 3


def test_taking_a_row_out_of_a_folder_that_is_not_loaded_is_refused(store):
    store([f"f/{n}" for n in range(9)])
    browser = Browser("gs://b/f/")
    browser.shown.take(browser.shown.fetch(STORE))
    gesture(browser, "all")
    with pytest.raises(RefusedError, match="not all of its rows are loaded"):
        browser.gesture("toggle", 0)


@pytest.mark.parametrize("how", ["toggle", "range", "none"])
def test_below_a_selected_folder_a_gesture_says_which_folder_holds_the_row(browser, how):
    browser.select(["gs://b/"])
    with pytest.raises(RefusedError, match="gs://b/: take that out"):
        browser.gesture(how, 0)


def test_all_of_a_filtered_folder_is_the_rows_that_are_shown(browser):
    browser.narrow(".bz2")
    assert gesture(browser, "all") == ["0.bz2", "1.bz2", "2.bz2", "3.bz2"]


def test_a_selection_out_of_bounds_is_refused():
    browser = Browser(BUCKETS, BrowsingScope(("b",)))
    for uri in ("/etc/passwd", "gs://other/x", "gs://"):
        with pytest.raises(RefusedError):
            browser.select([uri])
    assert browser.selected == ()


def test_add_agrees_with_a_slow_oracle():
    some = random.Random(7)
    universe = [f"gs://b/{a}/{b}" for a in "xyz" for b in ("", "1/", "1/f", "g")]
    for _ in range(300):
        chosen = [some.choice(universe) for _ in range(some.randrange(6))]
        half = some.randrange(len(chosen) + 1)
        kept = [
            uri
            for uri in dict.fromkeys(chosen)
            if not any(uri != other and other.endswith("/") and uri.startswith(other) for other in chosen)
        ]
        assert add(chosen[:half], chosen[half:]) == tuple(kept)


def test_a_large_selection_is_no_square_of_its_size():  # by squares it would be at it for hours
    browser = Browser("gs://b/")
    browser.shown.take(Rows((), [Row(f"{n}.bz2", 1, None, "") for n in range(100_000)], last=True))
    browser.select(browser.gesture("range", 0, 99_999))
    assert browser.total() == Tally(100_000, 100_000)


def test_rows_are_fetched_in_one_thread_while_others_are_read(store):
    """What is shown never changes under the one who reads it: fetch brings, take shows."""
    store([f"f/{n:04}" for n in range(500)], page=50)
    shown = Listing("gs://b/f/")
    fetched = []
    thread = threading.Thread(target=lambda: fetched.append(shown.fetch(STORE)))
    thread.start()
    thread.join()
    assert names(shown) == []
    shown.take(fetched[0])
    assert len(names(shown)) == 50


def test_the_page_size_is_the_most_that_a_request_brings():
    assert listing.PAGE_ROWS == 1000
