from __future__ import annotations

import pytest

from chimera_nb.widgets import BucketBrowser
from chimera_nb.widgets.listing import Listing, Row, Rows
from pipeline.errors import InvalidUriError


def test_a_misspelt_argument_is_refused_by_its_name():
    with pytest.raises(TypeError, match="takes no buckts"):
        BucketBrowser("gs://a/", buckts=["a"])


def test_another_scheme_is_not_taken_for_a_local_folder():
    with pytest.raises(InvalidUriError, match="s3:// is not supported"):
        BucketBrowser("s3://a/")


@pytest.mark.parametrize(("one", "other"), [(0, 10**12), (-(10**12), 0), (10**12, 10**12 + 1)])
def test_a_range_to_rows_that_are_not_there_is_refused_before_it_takes_memory(one, other):
    listing = Listing("gs://b/")
    listing.take(Rows(["x/"], [Row("a", 1, None, "")], last=True))
    with pytest.raises(IndexError):
        listing.between(one, other)
