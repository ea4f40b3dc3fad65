"""The files that a job would read, counted a little at a time, with a few of them to look into.

It lists what the job's source makes of the selection, so what it counts is what the job reads: of a folder of
market files the .bz2 ones and no others, each once. The selection of a browser may be 100,000 single names; those
of one folder cost one listing and not a request each.
"""

from __future__ import annotations

import contextlib
import heapq
import time
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from chimera_nb.widgets.browser.counting import FILES_AT_ONCE, Tally
from pipeline.errors import ChimeraError, ObjectNotFoundError
from pipeline.glob import Pattern
from pipeline.locations import Inputs
from pipeline.uri import join_uri, split_uri

if TYPE_CHECKING:
    from chimera_nb.data.preview import Preview
    from pipeline.storage import Entry, Store

SAMPLED = 5  # files that are looked into
_LOOK_BYTES = 128_000  # of each: a bz2 block may need 100 kB before it gives anything
_CROWD = 20  # names in one folder, beyond which it is listed


class Survey:
    """A count of a selection under way. `advance` and `inspect` block, and are called by one thread at a time.

    Attributes: inputs; error (one sentence, or None); unmatched (the first input that matches no file, or None);
    previews (of the files looked into).
    """

    def __init__(self, inputs: Sequence[str], source: str) -> None:
        self.inputs, self._source = tuple(inputs), source
        self.error: str | None = None
        self.unmatched: str | None = None
        self.previews: tuple[Preview, ...] = ()
        self.looked = False
        self._files = self._bytes = 0
        self._more = True
        self._bound = FILES_AT_ONCE
        self._entries: Iterator[Entry | None] | None = None
        self._lowest: list[tuple[int, str, int]] = []  # a heap: the files of the lowest numbers, negated

    @property
    def tally(self) -> Tally:
        return Tally(self._files, self._bytes, self._more)

    @property
    def active(self) -> bool:
        return self._more and self.error is None and self.unmatched is None and self._files < self._bound

    def resume(self) -> None:
        """Past the bound, or from the start after an error."""
        if self.error or self.unmatched:
            self._files = self._bytes = 0
            self._entries, self.error, self.unmatched, self._lowest = None, None, None, []
        self._bound = self._files + FILES_AT_ONCE
        self.looked = False

    def advance(self, store: Store, seconds: float) -> None:
        """Count for so long, to the end or to the bound, or until the store fails."""
        until = time.monotonic() + seconds
        try:
            if self._entries is None:
                self._entries = self._all(store)
            for entry in self._entries:
                if entry is not None:
                    self._take(entry)
                if self._files >= self._bound or time.monotonic() >= until:
                    return
            self._more = False
        except ChimeraError as e:
            self.error = e.sentence

    def inspect(self, store: Store) -> None:
        """Look into a few files, spread over those counted so far; a file that cannot be read is passed over."""
        from chimera_nb.data.preview import preview

        found = []
        for _, uri, _ in self._lowest:
            try:
                found.append(preview(uri, max_bytes=_LOOK_BYTES, store=store))
            except ChimeraError:
                continue
        self.previews, self.looked = tuple(found), True

    def _take(self, entry: Entry) -> None:
        self._files += 1
        self._bytes += entry.size
        # By a number made of the name: the same files each time, whatever the order of the listing.
        ranked = (-zlib.crc32(entry.uri.encode("utf-8", "surrogateescape")), entry.uri, entry.size)
        if len(self._lowest) < SAMPLED:
            heapq.heappush(self._lowest, ranked)
        else:
            heapq.heappushpop(self._lowest, ranked)

    def _all(self, store: Store) -> Iterator[Entry | None]:
        """Each file once; None where there was none, or one a second time, so that time can be looked at."""
        from pipeline.inputs.selection import patterns_by_input

        by_input = patterns_by_input(store, Inputs(self.inputs), self._source)
        several = len(by_input) > 1 or any(len(_needed(patterns)) > 1 for patterns in by_input.values())
        seen: set[int] = set()
        matched: set[str] = set()
        for input_, entry in _entries(store, by_input):
            if entry is not None:
                matched.add(input_)
            if entry is not None and several:
                before = len(seen)
                seen.add(hash(entry.uri))
                yield entry if len(seen) > before else None
            else:
                yield entry
        self.unmatched = next((input_ for input_ in by_input if input_ not in matched), None)


_Found = Iterator[tuple[str, "Entry | None"]]


def _entries(store: Store, by_input: Mapping[str, list[str]]) -> _Found:
    """Each input with what its patterns match; with None for what was listed and does not match."""
    from pipeline.inputs.matching import literal_uri

    names: dict[str, dict[str, str]] = defaultdict(dict)
    for input_, patterns in by_input.items():
        for pattern in patterns:
            if uri := literal_uri(pattern):
                names[uri.rpartition("/")[0] + "/"][uri] = input_
    crowded = {folder: inputs for folder, inputs in names.items() if len(inputs) > _CROWD}
    settled: set[str] = set()  # the inputs of which all is known
    for folder, inputs in crowded.items():
        yield from _listed(store, folder, inputs, settled)
    known = {uri for inputs in crowded.values() for uri in inputs}
    for input_, patterns in by_input.items():
        for pattern in _needed(patterns) if input_ not in settled else ():
            if literal_uri(pattern) not in known:
                yield from _matches(store, input_, pattern)


def _listed(store: Store, folder: str, inputs: Mapping[str, str], settled: set[str]) -> _Found:
    """The files of one folder that are inputs. Their inputs are settled, but for one that is a folder as well."""
    folders: set[str] = set()
    found: set[str] = set()
    for page in store.list_folder(folder):
        folders.update(page.folders)
        for entry in page.objects:
            here = entry.uri in inputs
            if here:
                found.add(entry.uri)
            yield inputs.get(entry.uri, ""), entry if here else None
    settled |= {inputs[uri] for uri in found if f"{uri}/" not in folders}


def _matches(store: Store, input_: str, pattern: str) -> _Found:
    from pipeline.inputs.matching import literal_uri

    bucket, text = split_uri(pattern)
    glob = Pattern(text)
    if uri := literal_uri(pattern):
        with contextlib.suppress(ObjectNotFoundError):
            yield input_, store.stat(uri)
        return
    # As `pipeline.inputs.selection.list_matches` does, but so that a pattern that matches nothing can be stopped.
    for entry in store.list_objects(join_uri(bucket, glob.prefix), recursive=glob.recursive):
        yield input_, entry if glob.matches(split_uri(entry.uri)[1]) else None


def _needed(patterns: Iterable[str]) -> list[str]:
    """Without those that another one holds: of a folder's `f/*` and `f/**/*` the second matches all."""
    every = list(patterns)
    held = {pattern.replace("/**/", "/", 1) for pattern in every if "/**/" in pattern}
    return [pattern for pattern in every if pattern not in held]
