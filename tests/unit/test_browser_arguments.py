from __future__ import annotations

import pytest

from chimera_nb.widgets import BucketBrowser
from chimera_nb.widgets.browser.listing import Listing, Row, Rows
from pipeline.errors import InvalidUriError, RefusedError


def test_a_misspelt_argument_is_refused_by_its_name():
    with pytest.raises(TypeError, match="takes no buckts"):
        BucketBrowser("gs://a/", buckts=["a"])


def test_another_scheme_is_not_taken_for_a_local_folder():
    with pytest.raises(InvalidUriError, match="s3:// is not read"):
        BucketBrowser("s3://a/")


@pytest.mark.parametrize(("one", "other"), [(0, 10**12), (-(10**12), 0), (10**12, 10**12 + 1)])
def test_a_range_to_rows_that_are_not_there_is_refused_before_it_takes_memory(one, other):
    listing = Listing("gs://b/")
    listing.take(Rows(["x/"], [Row("a", 1, None, "")], last=True))
    with pytest.raises(IndexError):
        listing.between(one, other)


@pytest.mark.parametrize("uri", ["/etc/passwd", "gs://secret/plans.bz2"])
def test_what_is_looked_inside_of_is_within_bounds_whoever_sets_it(uri):
    browser = BucketBrowser("gs://b/", buckets=["b"])
    before = browser.current
    with pytest.raises(RefusedError):
        browser.current = uri
    assert browser.current == before


@pytest.mark.parametrize(
    "state",
    [
        {"current": "/etc/passwd"},
        {"path": "/etc/"},
        {"selected": ["/etc/passwd"]},
        {"selected": ["gs://secret/"], "current": "/etc/passwd"},
        {"path": "gs://secret/", "selected": ["gs://b/fine/"]},
    ],
)
def test_a_front_end_that_sets_what_is_out_of_bounds_changes_nothing_and_nobody_hears_of_it(state):
    browser = BucketBrowser("gs://b/", buckets=["b"])
    heard = []
    browser.observe(heard.append, ["current", "path", "selected"])
    browser.set_state(state)
    assert (browser.current, browser.path, browser.selected) == ("", "gs://b/", ())
    assert [change["new"] for change in heard if change["new"] not in ("", "gs://b/", ())] == []
    assert browser.error
