"""Which files are read: all of them, or above a bound of bytes a part of them.

Up to the bound the sample is exact: every record of all files has the same chance. Above it, each file is taken
with the same chance, the bound over the bytes of all, whatever its size; then all records of the files taken have
the same chance. So every record still has nearly the same one: that of a file which makes up a share s of the
files taken is lower by up to s. But records of one file now come together or not at all, so means vary more from
seed to seed than n records of an exact sample would. At least one file is always read, and files are read whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from chimera_nb.data.matching_files import each_once
from chimera_nb.data.sampling.lines import NUMBERS, file_key
from pipeline.errors import NothingMatchesError, ObjectNotFoundError, RefusedError
from pipeline.inputs.matching import list_matches, literal_uri
from pipeline.inputs.selection import patterns_by_input
from pipeline.locations import Inputs
from pipeline.sources import get_source, tells_holds
from pipeline.storage import Entry, Store

_DIGEST = 1 << 256


@dataclass(frozen=True)
class Chosen:
    """The files that are read, in the order of their names, and those they were chosen from.

    total_files, total_bytes   of all files that match
    digest                     of the names, versions and sizes of all of them
    """

    files: tuple[Entry, ...]
    total_files: int
    total_bytes: int
    digest: str

    @property
    def exact(self) -> bool:
        """All files that match are read."""
        return len(self.files) == self.total_files


def choose_files(
    store: Store,
    paths: Sequence[str],
    *,
    source: str = "ndjson",
    seed: int,
    max_bytes: int,
    every_file: bool = False,
    on_listed: Callable[[int], object] = lambda _: None,
) -> Chosen:
    """List what the paths match and choose from it. A file that is left out takes 70 bytes of memory, for its number.

    Where the source can tell that files hold the same records, these are read once, as by a job, unless `every_file`:
    then all are kept until the last is listed, which takes some 500 bytes a file.

    `on_listed` is called with the number of files listed so far, and may raise to stop. Raises RefusedError for
    a path that cannot be read, and NothingMatchesError for one that matches no file.
    """
    seen: set[int] = set()
    kept: list[tuple[int, Entry]] = []
    total = digest = 0
    prune_at = 1024
    for entry in _matches(store, paths, source) if every_file else _once(store, paths, source, on_listed):
        number = file_key(seed, _encoded(entry.uri)) % NUMBERS
        if number in seen:  # by another pattern; two files of one number are not to be expected
            continue
        seen.add(number)
        on_listed(len(seen))
        total += entry.size
        # A sum, so that it is the same whatever the order of the paths.
        digest = (digest + _entry_digest(entry)) % _DIGEST
        kept.append((number, entry))
        if len(kept) >= prune_at:
            kept = _taken(kept, total, max_bytes)
            prune_at = max(prune_at, 2 * len(kept))
    files = sorted(entry for _, entry in _taken(kept, total, max_bytes))
    return Chosen(tuple(files), len(seen), total, f"{digest:064x}")


def _taken(kept: list[tuple[int, Entry]], total: int, max_bytes: int) -> list[tuple[int, Entry]]:
    """Those whose number is below the chance that files have by now; the lowest in any case."""
    if total <= max_bytes:
        return kept
    chance = NUMBERS * max_bytes // total
    lowest = min(kept, key=lambda found: found[0])
    return [found for found in kept if found[0] < chance] or [lowest]


def _matches(store: Store, paths: Sequence[str], source: str) -> Iterator[Entry]:
    if not paths:
        raise RefusedError("no paths; give at least one folder, object or glob")
    for path in paths:
        # What a job would read, so that a sample of it is one.
        for located, patterns in patterns_by_input(store, Inputs((path,)), source).items():
            found = False
            for entry in (entry for pattern in patterns for entry in _listed(store, pattern)):
                found = True
                yield entry
            if not found:
                tried = f"tried {' and '.join(patterns)}"
                raise NothingMatchesError(f"no file matches {located}; {tried}", patterns)


def _once(
    store: Store, paths: Sequence[str], source: str, on_listed: Callable[[int], object]
) -> Iterable[Entry]:
    plugin = get_source(source)
    if not tells_holds(plugin):
        return _matches(store, paths, source)
    found: dict[str, Entry] = {}
    for entry in _matches(store, paths, source):
        found[entry.uri] = entry
        on_listed(len(found))
    return each_once(list(found.values()), plugin)


def _listed(store: Store, pattern: str) -> Iterator[Entry]:
    uri = literal_uri(pattern)
    if uri is None:
        yield from list_matches(store, pattern)
        return
    try:
        yield store.stat(uri)
    except ObjectNotFoundError:
        return


def _entry_digest(entry: Entry) -> int:
    version = entry.updated if entry.generation is None else entry.generation
    text = f"{entry.uri}\n{version}\n{entry.size}".encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.sha256(text).digest(), "big")


def _encoded(uri: str) -> bytes:
    return uri.encode("utf-8", "surrogateescape")
