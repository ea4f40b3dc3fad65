from __future__ import annotations

import json
import random
import threading

import pytest

from chimera_nb.widgets.base.messages import to_wire
from chimera_nb.widgets.browser import counting, listing
from chimera_nb.widgets.browser.counting import Count, Cover, Tally, advance
from chimera_nb.widgets.browser.listing import Listing, Row, Rows, codec_by_name
from chimera_nb.widgets.browser.model import Browser, add
from chimera_nb.widgets.browser.navigation import (
    BUCKETS,
    BrowsingScope,
    RecentFolders,
    console_url,
    crumbs,
    parent,
    typed,
)
from pipeline.errors import ObjectNotFoundError, RefusedError, StorageError
from pipeline.storage import Entry, ListingPage, PlainStore

STORE = PlainStore()
NASTY = ["..", "a ", " b", "<img src=x onerror=alert(1)>", "quote\"'", "🐎", "\u202egnp", "n" * 900, "[1]*?"]


class Bucket:
    """A bucket of some names, paged as a store pages, which counts what it is asked."""

    def __init__(self, names, *, page=3):
        self.names, self.page, self.requests, self.fail_at = sorted(names), page, [], None

    def list_folder(self, folder, *, page_size):
        bucket = "gs://b/"
        prefix = folder.removeprefix(bucket)
        depth = prefix.count("/")
        found = dict.fromkeys(
            "/".join(name.split("/")[: depth + 1]) + ("/" if name.count("/") > depth else "")
            for name in self.names
            if name.startswith(prefix)
        )
        shown = list(found)
        for at in range(0, max(len(shown), 1), self.page):
            self.requests.append(folder)
            if self.fail_at == len(self.requests):
                raise StorageError(folder, "the store does not answer")
            some = [bucket + name for name in shown[at : at + self.page]]
            yield ListingPage(
                tuple(uri for uri in some if uri.endswith("/")),
                tuple(Entry(uri, len(uri)) for uri in some if not uri.endswith("/")),
            )

    def list_objects(self, prefix, *, recursive=True):
        self.requests.append(prefix)
        for name in self.names:
            if f"gs://b/{name}".startswith(prefix):
                yield Entry(f"gs://b/{name}", len(name))

    def stat(self, uri):
        self.requests.append(uri)
        if uri.removeprefix("gs://b/") not in self.names:
            raise ObjectNotFoundError(uri, "there is none")
        return Entry(uri, len(uri.removeprefix("gs://b/")))


@pytest.fixture
def store(monkeypatch):
    def hold(names, **options):
        held = Bucket(names, **options)
        for call in ("list_folder", "list_objects", "stat"):
            monkeypatch.setattr(PlainStore, call, staticmethod(getattr(held, call)))
        return held

    return hold


def load(shown, pages=1000):
    for _ in range(pages):
        if shown.complete:
            return
        shown.take(shown.fetch(STORE))


def names(shown):
    return [*shown.folders, *(row.name for row in shown.objects)]


@pytest.fixture
def browser(store):
    """In gs://b/2016/, which holds Jan/, Feb/ and four files, all loaded."""
    store(
        ["2016/Jan/1.bz2", "2016/Jan/2.bz2", "2016/Feb/3.bz2", *(f"2016/{n}.bz2" for n in range(4)), "x.txt"]
    )
    made = Browser("gs://b/2016/")
    load(made.shown)
    return made


def gesture(browser, *how):
    browser.select(browser.gesture(*how))
    return [uri.removeprefix(browser.folder) for uri in browser.selected]


# Places


@pytest.mark.parametrize(
    ("uri", "page"),
    [
        ("gs://b/", "b"),
        ("gs://b/a b/c/", "b/a%20b/c"),
        ("gs://b/a/x#1.bz2", "_details/b/a/x%231.bz2"),
        ("gs://b/a/x.tar!/2020/1.bz2", "_details/b/a/x.tar"),
    ],
)
def test_googles_console_has_a_page_for_folders_and_objects(uri, page):
    assert console_url(uri) == f"https://console.cloud.google.com/storage/browser/{page}"


def test_the_way_up_takes_one_slash_at_a_time_and_ends_at_the_buckets():
    way = ["gs://b/a//../c/"]
    while way[-1] != BUCKETS:
        way.append(parent(way[-1]))
    assert way == [
        *("gs://b/a//../c/", "gs://b/a//../", "gs://b/a//", "gs://b/a/", "gs://b/", "gs://"),
    ]
    assert (parent("/"), parent("/a/"), parent("/a/b/")) == ("/", "/", "/a/")


def test_breadcrumbs_are_labels_with_the_places_they_lead_to():
    assert crumbs("gs://b/a//../") == [
        ("Buckets", "gs://"),
        ("b", "gs://b/"),
        ("a", "gs://b/a/"),
        ("/", "gs://b/a//"),
        ("..", "gs://b/a//../"),
    ]
    assert crumbs(BUCKETS) == [("Buckets", BUCKETS)]
    assert crumbs("/data/x/y/", "/data/") == [("/data/", "/data/"), ("x/", "/data/x/"), ("y/", "/data/x/y/")]


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("gs://other/", "bucket other is not among the ones allowed here (b, c)"),
        ("/etc/", "this browser shows buckets"),
        ("s3://b/x", "s3:// is not read"),
        ("gs://UPPER/", "cannot be a bucket"),
    ],
)
def test_what_is_out_of_bounds_is_refused_with_the_reason(uri, reason):
    scope = BrowsingScope(("b", "c"))
    with pytest.raises(RefusedError) as refused:
        scope.check(uri)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not scope.allows(uri)
    assert scope.allows("gs://c/../x")


@pytest.mark.parametrize("path", ["/data/../etc/passwd", "/database/", "/", "/data/.."])
def test_a_local_browser_shows_what_is_below_its_folder_and_nothing_else(path):
    scope = BrowsingScope(None, "/data/")
    assert scope.allows("/data/..x/y..z")
    assert not scope.allows(path)
    assert Browser("/data/", scope).above == "/data/"


def test_what_is_typed_may_leave_out_the_scheme():
    assert typed("  gs://b") == "gs://b/"
    assert typed("b/a ") == "gs://b/a "
    assert typed("") == BUCKETS
    assert typed("/data/x") == "/data/x"
    with pytest.raises(RefusedError):
        typed("gs:/b")


def test_recent_folders_are_bounded_and_the_latest_comes_first(tmp_path):
    recent = RecentFolders(tmp_path / "new")
    for n in range(30):
        recent.add(f"gs://b/{n}/")
    assert recent.add("gs://b/20/")[:3] == ("gs://b/20/", "gs://b/29/", "gs://b/28/")
    assert len(recent.read()) == 20
    assert recent.read() == RecentFolders(tmp_path / "new").read()


@pytest.mark.parametrize("content", ["", "{}", "[1, null]", "\xff"])
def test_recent_folders_that_cannot_be_read_are_none(tmp_path, content):
    (tmp_path / "recent-places.json").write_bytes(content.encode("latin-1"))
    assert RecentFolders(tmp_path).read() == ()


def test_recent_folders_that_cannot_be_written_are_only_shown(tmp_path):
    (tmp_path / "file").touch()
    assert RecentFolders(tmp_path / "file").add("gs://b/") == ("gs://b/",)


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


# What it comes to


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
