"""The files of a selection, one after another, each with the inputs that it is of: what a survey counts."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from chimera_nb.widgets.job_form.members import Found, Members
from pipeline.errors import ObjectNotFoundError
from pipeline.glob import Pattern
from pipeline.uri import Uri

if TYPE_CHECKING:
    from pipeline.inputs.listing import Listing
    from pipeline.storage import Entry, Store

_CROWD = 20  # names in one folder, beyond which it is listed


def selected_files(
    store: Store, by_input: Mapping[str, list[str]], wholes: Sequence[Listing], inventory: str | None
) -> Iterator[Found]:
    """All that is listed, or stands in the inventory report of this manifest, and single names looked up."""
    from pipeline.inputs.listing import wanted as wanted_of
    from pipeline.inputs.wanted import Wanted

    inputs_of, names = _inputs_of(by_input)
    crowded = {
        folder: wanted for folder, wanted in names.items() if len(wanted) > _CROWD and inventory is None
    }
    settled: set[str] = set()  # the inputs of which all is known
    for folder, wanted in crowded.items():
        yield from _listed(store, folder, wanted, settled)
    known = {uri for wanted in crowded.values() for uri in wanted}
    every = {name: frozenset(inputs) for name, inputs in inputs_of.items()}
    members = Members(store, Wanted(wanted_of(by_input)), every)
    matchers: list[_Matcher] = []
    for one in wholes:
        if one.patterns:
            asking = [(pattern, inputs_of[pattern] - settled) for pattern in (*one.patterns, *one.held)]
            if any(inputs for _, inputs in asking):
                inputs_asking = {pattern: frozenset(inputs) for pattern, inputs in asking}
                matchers.append(_Matcher(one, inputs_asking, members))
        elif one.prefix not in known:
            with contextlib.suppress(ObjectNotFoundError):
                yield from members.or_itself(store.stat(one.prefix))
    if inventory is not None:
        yield from _reported(store, inventory, matchers)
        return
    for matcher in matchers:
        yield from matcher.listed(store)


def _inputs_of(
    by_input: Mapping[str, list[str]],
) -> tuple[Mapping[str, set[str]], Mapping[str, Mapping[str, str]]]:
    """The inputs by pattern, of a single name by its URI; and the single names, each with its input, by folder."""
    from pipeline.inputs.matching import literal_uri

    inputs_of: dict[str, set[str]] = defaultdict(set)
    names: dict[str, dict[str, str]] = defaultdict(dict)
    for input_, patterns in by_input.items():
        for pattern in patterns:
            uri = literal_uri(pattern)
            inputs_of[uri or pattern].add(input_)
            if uri and not Uri.parse(uri).members:
                names[uri.rpartition("/")[0] + "/"][uri] = input_
    return inputs_of, names


def _listed(store: Store, folder: str, wanted: Mapping[str, str], settled: set[str]) -> Iterator[Found]:
    """The wanted files of one folder. Their inputs are settled, but for one that is a folder as well."""
    folders: set[str] = set()
    found: set[str] = set()
    for page in store.list_folder(folder):
        folders.update(page.folders)
        for entry in page.objects:
            if entry.uri in wanted:
                found.add(entry.uri)
                yield Found(entry, True, frozenset((wanted[entry.uri],)))
            else:
                yield Found()
    settled |= {wanted[uri] for uri in found if f"{uri}/" not in folders}


class _Matcher:
    """Which files of one listing are taken, and of which inputs they are."""

    def __init__(self, listing: Listing, inputs_of: Mapping[str, frozenset[str]], members: Members) -> None:
        self.listing = listing
        self._globs = [(Pattern(pattern), of) for pattern, of in inputs_of.items()]
        self._members = members
        self._matched: set[str] = set()

    def listed(self, store: Store) -> Iterator[Found]:
        for entry in store.list_objects(self.listing.prefix, recursive=self.listing.recursive):
            yield from self.found(entry)

    def found(self, entry: Entry) -> Iterator[Found]:
        """As `Listing.entries` gives files; nothing for what does not matter, so that it can be stopped there."""
        if self._members.may_hold_wanted(entry.uri):
            yield from self._members.of(entry)
            return
        taken, inputs = False, frozenset[str]()
        for (
            glob,
            of,
        ) in self._globs:  # one whose inputs all have files is asked only for the sake of this file
            if not (taken and of <= self._matched) and glob.matches(entry.uri):
                taken, inputs = True, inputs | of
        self._matched |= inputs
        yield Found(entry if taken or self.listing.folder else None, taken, inputs)


def _reported(store: Store, manifest: str, matchers: Sequence[_Matcher]) -> Iterator[Found]:
    """The files by an inventory report; one that several listings would have is given by each."""
    from pipeline.inputs.inventory import objects, read_inventory  # with Arrow, which others do without
    from pipeline.inputs.listing import Listings

    if not matchers:
        return
    by_prefix = {one.listing.prefix: one for one in matchers}
    looked_for = Listings(one.listing for one in matchers)
    bucket = Uri.parse(matchers[0].listing.prefix).bucket
    for shard in read_inventory(store, manifest, bucket).shards:
        for _, found in objects(store, shard, looked_for):
            yield Found()
            for entry in found:
                for listing in looked_for.having(entry.uri):
                    yield from by_prefix[listing.prefix].found(entry)
