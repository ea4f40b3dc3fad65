"""What a path is that was to be one file and is none: a folder, a bucket, a glob; and what to give instead."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice

from pipeline.errors import NothingMatchesError, ObjectNotFoundError, RefusedError, StorageError
from pipeline.inputs.matching import list_matches
from pipeline.storage import Store
from pipeline.uri import Uri, has_glob

_COUNTED = 1000  # more are not counted: a folder may hold millions


@contextmanager
def file_wanted(store: Store, uri: str) -> Iterator[None]:
    """Read one file in this block.

    Raises RefusedError, with a file's name in it, for a folder and for a glob, and InvalidUriError for another scheme.
    """
    Uri.parse(uri)
    try:
        yield
    except StorageError as e:
        if not isinstance(e, ObjectNotFoundError) and not store.is_local_folder(uri):
            raise
        with suppress(StorageError):  # the bucket is gone, or not listed: what was said of the file stands
            if instead := _instead(store, uri):
                raise instead from e
        raise


def _instead(store: Store, uri: str) -> RefusedError | None:
    """What to say of it; None where nothing is there."""
    if has_glob(uri):
        first = next(list_matches(store, uri), None)
        if first is None:
            return NothingMatchesError(f"no file matches {uri}; `chimera ls` shows what there is", [uri])
        return RefusedError(
            f"{uri} is a glob, and one file is looked at here; give the first that it matches: {first.uri}"
        )
    folder = uri if uri.endswith("/") else f"{uri}/"
    found = list(islice(store.list_objects(folder), _COUNTED + 1))
    if not found:
        return None
    many = f"more than {_COUNTED:,} files" if len(found) > _COUNTED else f"{len(found):,} files"
    count = "1 file" if len(found) == 1 else many
    return RefusedError(
        f"{uri} is a folder with {count} in it, and one file is looked at here; give the first: {found[0].uri}, "
        f"or see them with: chimera ls {shlex.quote(folder)}"
    )
