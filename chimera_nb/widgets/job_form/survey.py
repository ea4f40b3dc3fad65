"""The files that a job would read, counted a little at a time, with a few of them to look into.

It lists what the job's source makes of the selection, so what it counts is what the job reads: of a folder of
market files the .bz2 ones and no others, each once, and of a market in several files the fuller one. What the job
would not read is counted beside it. The selection of a browser may be 100,000 single names; those of one folder cost
one listing and not a request each.
"""

from __future__ import annotations

import heapq
import time
import zlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from chimera_nb.widgets.browser.counting import FILES_AT_ONCE, Tally
from chimera_nb.widgets.job_form.members import Found
from chimera_nb.widgets.job_form.reading import Reading
from chimera_nb.widgets.job_form.selected_files import selected_files
from pipeline.errors import ChimeraError
from pipeline.locations import Inputs
from pipeline.uri import SEPARATOR, Uri, has_glob

if TYPE_CHECKING:
    from chimera_nb.data.preview import Preview
    from pipeline.inputs.listing import Listing
    from pipeline.storage import Entry, Store

SAMPLED = 5  # files that are looked into
_LOOK_BYTES = 128_000  # of each: a bz2 block may need 100 kB before it gives anything


class Survey:
    """A count of a selection under way. `advance` and `inspect` block, and are called by one thread at a time.

    Attributes: inputs; error (one sentence, or None); without_files (the first input that matches no file, or None);
    reading (what is read and what is not); why (the reason for names that no pattern takes); previews (of the files
    looked into).
    """

    def __init__(
        self, inputs: Sequence[str], source: str, *, every_file: bool = False, inventory: str | None = None
    ) -> None:
        """`inventory` is the manifest of a report that the job takes its files from."""
        self.inputs, self._source, self._every_file = tuple(inputs), source, every_file
        self._inventory = inventory
        self.previews: tuple[Preview, ...] = ()
        self.looked = False
        self._more = True
        self._bound = FILES_AT_ONCE
        self._begin()

    def _begin(self) -> None:
        self.error: str | None = None
        self.without_files: str | None = None
        self.reading = Reading(None)
        self.why = f"the source {self._source} takes no such name"
        self._entries: Iterator[Found] | None = None
        self._lowest: list[tuple[int, str, int]] = []  # a heap: the files of the lowest numbers, negated

    @property
    def tally(self) -> Tally:
        """The files that are read."""
        return Tally(self.reading.files, self.reading.bytes, self._more)

    @property
    def active(self) -> bool:
        return self._more and not (self.error or self.without_files) and self._seen < self._bound

    @property
    def _seen(self) -> int:
        return self.reading.listed + self.reading.unmatched

    def resume(self) -> None:
        """Past the bound, or from the start after an error."""
        if self.error or self.without_files:
            self._begin()
        self._bound = self._seen + FILES_AT_ONCE
        self.looked = False

    def advance(self, store: Store, seconds: float) -> None:
        """Count for so long, to the end or to the bound, or until the store fails."""
        until = time.monotonic() + seconds
        try:
            if self._entries is None:
                self._entries = self._all(store)
            for found in self._entries:
                if found.entry is not None and found.taken:
                    self._take(found.entry)
                if self._seen >= self._bound or time.monotonic() >= until:
                    return
            self._more = False
        except ChimeraError as e:
            self.error = e.sentence

    def inspect(self, store: Store, look_bytes: int = _LOOK_BYTES) -> None:
        """Look into a few files, spread over those counted so far; a file that cannot be read is passed over."""
        from chimera_nb.data.preview import preview

        found = []
        for _, uri, _ in self._lowest:
            try:
                found.append(preview(uri, max_bytes=look_bytes, store=store))
            except ChimeraError:
                continue
        self.previews, self.looked = tuple(found), True

    def _take(self, entry: Entry) -> None:
        self.reading.take(entry)
        # By a number made of the name: the same files each time, whatever the order of the listing. Of a compressed tar
        # the first, since it is read up to each.
        number = zlib.crc32(entry.uri.encode("utf-8", "surrogateescape"))
        ranked = (-(self._seen if _is_streamed(entry.uri) else number), entry.uri, entry.size)
        if len(self._lowest) < SAMPLED:
            heapq.heappush(self._lowest, ranked)
        else:
            heapq.heappushpop(self._lowest, ranked)

    def _all(self, store: Store) -> Iterator[Found]:
        """Each file once; none where there was none, or one a second time, so that time can be looked at."""
        from pipeline.inputs.listing import listings, wanted
        from pipeline.inputs.selection import patterns_by_input
        from pipeline.sources import get_source, tells_holds

        source = get_source(self._source)
        self.reading = Reading(source if tells_holds(source) and not self._every_file else None)
        by_input = patterns_by_input(store, Inputs(self.inputs), self._source, every=self._every_file)
        wholes = listings(wanted(by_input))
        self.why = _why(self._source, wholes)
        matched: set[str] = set()
        once = _Once(self.reading) if len(wholes) > 1 else None
        for found in selected_files(store, by_input, wholes, self._inventory):
            matched |= found.inputs
            if found.entry is None:
                yield found
            elif once is not None:
                yield once.of(found)
            else:
                if not found.taken:
                    self.reading.pass_over(found.entry)
                yield found
        self.without_files = next((input_ for input_ in by_input if input_ not in matched), None)


class _Once:
    """Files of listings that overlap, each once."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._taken: set[int] = set()
        self._passed_over: set[int] = set()

    def of(self, found: Found) -> Found:
        """What is found, without its file where that was seen before."""
        entry = found.entry
        if entry is None:
            return found
        key = hash(entry.uri)
        if key in self._taken:
            return Found()
        if found.taken:
            self._taken.add(key)
            if key in self._passed_over:
                self._passed_over.remove(key)
                self._reading.take_back(entry)
            return found
        if key not in self._passed_over:
            self._passed_over.add(key)
            self._reading.pass_over(entry)
        return Found()


def _is_streamed(uri: str) -> bool:
    """Whether it is named as a file in a compressed tar."""
    return SEPARATOR in uri and not Uri.parse(uri).path.lower().endswith((".tar", ".zip"))


def _why(source: str, wholes: Sequence[Listing]) -> str:
    """Why files of selected folders are not read: by the one suffix of all patterns, if they have one."""
    names = {pattern.rpartition("/")[2] for one in wholes if one.folder for pattern in one.patterns}
    suffix = next(iter(names))[1:] if len(names) == 1 else ""
    if suffix and not has_glob(suffix) and next(iter(names))[0] == "*":
        return f"not {suffix}"
    return f"the source {source} takes no such names"
