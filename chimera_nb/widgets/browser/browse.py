"""browse: the shortest way to a BucketBrowser."""

from __future__ import annotations

from typing import Any

from chimera_nb.arguments import AnyPath
from chimera_nb.session import Session
from chimera_nb.widgets.browser.navigation import BUCKETS
from chimera_nb.widgets.browser.widget import BucketBrowser


def browse(uri: AnyPath = BUCKETS, *, session: Session | None = None, **options: Any) -> BucketBrowser:
    """A BucketBrowser of a bucket or folder, or of the list of buckets; it shows as the last line of a cell.

    uri      where it begins: gs:// or local
    session  where the store is; left out, one of its own
    options  what BucketBrowser takes besides: buckets, height and so on

    What is selected in it is its `selected`. Raises RefusedError for a place that may not be looked into; what the
    store says later shows in the browser.
    """
    return BucketBrowser(uri, session, **options)
