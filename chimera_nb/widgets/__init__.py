"""The notebook toolkit's widgets; each is the view of a model that knows nothing of notebooks.

browser.py        BucketBrowser: browse buckets and folders, and select what a job reads
browser_model.py  its logic: what is shown, what is selected, what it comes to
listing.py        the rows of one folder, a page at a time
counting.py       files and bytes of folders and patterns, a little at a time
places.py         URIs as places: up, breadcrumbs, bounds, recent ones
"""

from __future__ import annotations

from chimera_nb.widgets.browser import BucketBrowser

__all__ = ["BucketBrowser"]
