"""The files that a job over some paths would read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.errors import ObjectNotFoundError
from pipeline.inputs.matching import list_matches, literal_uri
from pipeline.inputs.selection import check_inputs, patterns_by_input
from pipeline.locations import Inputs
from pipeline.sources import SourcePlugin
from pipeline.storage import Entry, Store


def matching_files(
    store: Store,
    paths: Sequence[str],
    source: SourcePlugin,
    on_listed: Callable[[int], object] = lambda _: None,
) -> list[Entry]:
    """What a job of the source over these paths would find, by name; each once.

    `on_listed` is called with the number of files so far, and may raise to stop. Raises NothingMatchesError for a path
    that matches no file, RefusedError for one that cannot be read, and StorageError.
    """
    by_input = check_inputs(store, patterns_by_input(store, Inputs(tuple(paths)), source.name))
    found: dict[str, Entry] = {}
    for pattern in dict.fromkeys(pattern for patterns in by_input.values() for pattern in patterns):
        if uri := literal_uri(pattern):
            try:
                found[uri] = store.stat(uri)
            except ObjectNotFoundError:
                found[uri] = Entry(uri, 0)  # reading it says so
            continue
        for entry in list_matches(store, pattern):
            found[entry.uri] = entry
            on_listed(len(found))
    return [found[uri] for uri in sorted(found)]
