"""The files that a job over some paths would read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.errors import ObjectNotFoundError
from pipeline.inputs.matching import list_matches, literal_uri
from pipeline.inputs.once import Copy, fullest
from pipeline.inputs.selection import check_inputs, patterns_by_input
from pipeline.locations import Inputs
from pipeline.sources import SourcePlugin, tells_holds, what_it_holds
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


def each_once(files: list[Entry], source: SourcePlugin) -> list[Entry]:
    """The files without those whose records others of them hold, as a job has it."""
    if not tells_holds(source):
        return files
    held = {entry.uri: what_it_holds(source, entry.uri) for entry in files}
    parts = {holds.part_of for holds in held.values() if holds and holds.part_of}
    copies: dict[str, list[Copy]] = {}
    for entry in files:
        holds = held[entry.uri]
        if holds and holds.whole_of not in parts:
            copies.setdefault(holds.what, []).append(Copy(entry.uri, holds.rank, entry.size))
    kept = {fullest(several).uri for several in copies.values()}
    return [entry for entry in files if held[entry.uri] is None or entry.uri in kept]
