"""What is there to read: the folders and objects of a store as a DataFrame, and the sources that read them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from chimera_nb.arguments import AnyPath, path_text, whole_number
from chimera_nb.session import Session
from pipeline.errors import NothingMatchesError
from pipeline.inputs.matching import folder_to_list, list_matches
from pipeline.storage import Store
from pipeline.uri import Uri, has_glob

if TYPE_CHECKING:
    import pandas as pd

_Found = tuple[str, int | None, str | None]


def ls(uri: AnyPath = "gs://", n: int = 1000, *, session: Session | None = None) -> pd.DataFrame:
    """The folders and objects right in a folder, or what a glob matches; "gs://" has the buckets.

    uri      a bucket, folder, archive, object or glob: gs:// or local; "data.tar!/2020/" is a folder in an archive
    n        how many at the most; no more are asked for
    session  where the store is; left out, one of its own

    Columns: uri (a folder's ends in "/"), size in bytes and updated; a folder has neither of the last two. Raises
    NothingMatchesError where nothing is there, RefusedError for a glob that cannot be read, StorageError, and
    StackError without a stack.
    """
    import pandas as pd

    uri, n = path_text(uri), whole_number(n, "n", 1)
    store = (session or Session()).store_for(uri)
    found = list(islice(_listed(store, uri), n))
    if not found:
        raise NothingMatchesError(f"nothing is in {uri}, and no file matches it; check its name", [uri])
    frame = pd.DataFrame(found, columns=["uri", "size", "updated"])
    return frame.astype({"uri": "string", "size": "Int64", "updated": "string"})


def sources() -> dict[str, str]:
    """The source plugins that are installed: each one's name, as `submit` takes it, and what it reads.

    Of one that cannot be used it says why. Takes nothing, and raises nothing for a faulty plugin.
    """
    from pipeline.sources import describe_sources

    return describe_sources()


def _listed(store: Store, uri: str) -> Iterator[_Found]:
    """(URI, size, time of change) of what is there."""
    if uri == "gs://":
        yield from ((f"gs://{name}/", None, None) for name in store.list_buckets())
        return
    at = Uri.parse(uri)
    if has_glob(at):
        yield from ((entry.uri, entry.size, entry.updated) for entry in list_matches(store, uri))
        return
    empty = True
    for page in store.list_folder(folder_to_list(store, uri)):
        for folder in page.folders:
            empty = False
            yield folder, None, None
        for entry in page.objects:
            empty = False
            yield entry.uri, entry.size, entry.updated
    if empty and at.path and not at.endswith("/") and store.exists(at):
        entry = store.stat(at)
        yield entry.uri, entry.size, entry.updated
