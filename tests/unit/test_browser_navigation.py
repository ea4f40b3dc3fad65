"""Where the browser is, may go, and has been."""

from __future__ import annotations

import pytest

from chimera_nb.widgets.browser.model import Browser
from chimera_nb.widgets.browser.navigation import (
    BUCKETS,
    BrowsingScope,
    RecentFolders,
    console_url,
    crumbs,
    parent,
    typed,
)
from pipeline.errors import RefusedError


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
