"""The stages that list: what the job looks for -> its files in packets. They wire and count, other modules compute.

    CreatePatterns -> ListFiles -> ListRanges -> ListRest

A listing that turns out to be long is given up by who began it: the ranges of names that it has not come to are
elements, spread over workers, who give what is still much away once more.

Beam takes the types of elements from the annotations, so they are not made strings here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import TaggedOutput

from pipeline.graph.archive_stages import LookedFor, told_unmatched
from pipeline.graph.bundle_end import in_global_window
from pipeline.graph.elements import FILES, UNMATCHED, decode_uri, encode_file, encode_uri
from pipeline.inputs.listing import Listing, listings
from pipeline.inputs.manifest import read_list
from pipeline.inputs.packets import ListedFile, Packer
from pipeline.inputs.selection import check_outside
from pipeline.inputs.unmatched import Unmatched
from pipeline.spec import JobSpec
from pipeline.storage import Entry, Store
from pipeline.storage.name_ranges import WHOLE, NameRange, Share
from pipeline.target.layout import patterns_uri

LISTINGS_IN_GRAPH = 1000
ARCHIVES = "archives"  # the tag of files that may be archives
ROWS = "rows"  # of counts of an inventory report's rows: those that its manifest tells of, less those that were read
RANGES = "ranges"  # and of what is left of long listings
# Pages of a thousand names that one worker lists before others get the rest: of the first, after which most
# listings have ended, and of those that it gave away. Who gets what is left of these lists it to its end.
LISTED_PAGES = (32, 256, None)


@dataclass(frozen=True)
class RangeOfListing:
    """The names of a listing that lie in a range."""

    listing: Listing
    names: NameRange


class ReadListings(beam.DoFn):
    """The URI of the list of what a job looks for -> its listings."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def process(self, uri: bytes) -> Iterator[Listing]:
        yield from listings(read_list(self._store, decode_uri(uri)))


class CreatePatterns(beam.PTransform):
    """The job's listings: from the graph if they are few, else from the list at the target."""

    def __init__(self, store: Store, spec: JobSpec, looked_for: Sequence[str]) -> None:
        super().__init__()
        self._store = store
        self._looked_for = looked_for
        self._uri = encode_uri(patterns_uri(spec.target, spec.job_id))

    def expand(self, root: Any) -> Any:
        if len(self._looked_for) <= LISTINGS_IN_GRAPH:
            return root | "Create" >> beam.Create(listings(self._looked_for))
        return (
            root
            | "Create" >> beam.Create([self._uri])
            | "ReadPatterns" >> beam.ParDo(ReadListings(self._store))
            | "SpreadPatterns" >> beam.Reshuffle()
        )


class FilesFound(beam.DoFn):
    """Files that are found, in packets; under ARCHIVES, each by itself, those that may be archives; under UNMATCHED
    an Unmatched of those in a folder that no pattern takes.
    """

    def __init__(self, target: str, looked_for: LookedFor) -> None:
        self._target, self._may_lead_there = target, not target.startswith("gs://")
        self._looked_for = looked_for
        self._packer, self._unmatched = Packer(), Unmatched()

    def start_bundle(self) -> None:
        self._packer, self._unmatched = Packer(), Unmatched()

    def finish_bundle(self) -> Iterator[Any]:
        for packet in self._packer.rest():
            yield in_global_window(FILES + packet)
        yield from map(in_global_window, told_unmatched(self._unmatched))

    def _found(self, entry: Entry, *, taken: bool, in_folder: bool) -> Sequence[Any]:
        if taken:
            if self._may_lead_there:
                check_outside(entry.uri, self._target)
            return self._given(ListedFile(entry.uri, entry.size, entry.generation, entry.crc32c))
        if in_folder:
            self._unmatched = self._unmatched.add(entry.uri, entry.size)
        return ()

    def _given(self, file: ListedFile) -> Sequence[Any]:
        if self._looked_for.get().holds_wanted(file.uri):
            return (TaggedOutput(ARCHIVES, encode_file(file)),)
        full = self._packer.add(file)
        return [FILES + packet for packet in full] if full else ()


class ListGCSFiles(FilesFound):
    """A listing, or a range of one -> its files as FilesFound has them; under RANGES what is left to others.

    `pages` is a Share's. A file that several listings have is given by one of them. A name without a wildcard was seen
    when the job was admitted, so it is not looked for again: if it is gone by now, it is a failed file with a record.
    The ranges of a bundle are listed side by side, at its end: one by one each would wait for its first names.
    """

    def __init__(self, store: Store, target: str, looked_for: LookedFor, pages: int | None = None) -> None:
        super().__init__(target, looked_for)
        self._store = store
        self._pages = pages
        self._ranges: dict[Listing, list[NameRange]] = {}

    def start_bundle(self) -> None:
        super().start_bundle()
        self._ranges = {}

    def process(self, element: Listing | RangeOfListing) -> Iterator[Any]:
        if isinstance(element, RangeOfListing):
            self._ranges.setdefault(element.listing, []).append(element.names)
        elif element.patterns:
            yield from self._listed(element, (WHOLE,))
        else:
            yield from self._given(ListedFile(element.prefix))

    def finish_bundle(self) -> Iterator[Any]:
        for listing, names in self._ranges.items():
            yield from map(in_global_window, self._listed(listing, names))
        yield from super().finish_bundle()

    def _listed(self, listing: Listing, names: Sequence[NameRange]) -> Iterator[Any]:
        share = Share(names, self._pages)
        for entry, taken, in_folder in self._looked_for.listings().files(listing, self._store, share):
            yield from self._found(entry, taken=taken, in_folder=in_folder)
        for left in share.left:
            yield TaggedOutput(RANGES, RangeOfListing(listing, left))


class ListFiles(beam.PTransform):
    """Listings -> {files, ARCHIVES, UNMATCHED}, each as FilesFound has them; with `by_ranges` by all workers."""

    def __init__(self, store: Store, target: str, looked_for: LookedFor, *, by_ranges: bool) -> None:
        super().__init__()
        self._store, self._target, self._looked_for = store, target, looked_for
        self._pages = LISTED_PAGES if by_ranges else (None,)

    def expand(self, given: Any) -> Any:
        names = ("List", "ListRanges", "ListRest")
        found: list[Any] = []
        for name, pages in zip(names, self._pages, strict=False):
            if found:
                given = found[-1][RANGES] | f"Spread{name[4:]}" >> beam.Reshuffle()
            tags = (ARCHIVES, UNMATCHED, RANGES)
            stage = ListGCSFiles(self._store, self._target, self._looked_for, pages)
            found.append(given | name >> beam.ParDo(stage).with_outputs(*tags, main="files"))
        if len(found) == 1:
            return found[0]
        return {
            tag: tuple(one[tag] for one in found) | f"All {tag}" >> beam.Flatten()
            for tag in ("files", ARCHIVES, UNMATCHED)
        }
