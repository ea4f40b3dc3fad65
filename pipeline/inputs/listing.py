"""Patterns and folders -> listings of the store: each prefix is listed once, for all patterns that begin with it.

What a job looks for is a list of texts: its patterns, and the folders that were selected as such, which end in "/" as
no pattern does. Of a folder all is listed, so that what no pattern takes is known.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from pipeline.glob import Pattern
from pipeline.inputs.matching import may_hold_files
from pipeline.storage import Entry, Store
from pipeline.storage.name_ranges import Share
from pipeline.uri import SEPARATOR, Uri, split_pattern


@dataclass(frozen=True)
class Listing:
    """One listing of the store, and which of it is taken.

    prefix      what the URIs of the files begin with
    patterns    a file that one of them matches is taken; without any, `prefix` is a file's own URI
    held        further patterns, that match nothing beyond these
    recursive   whether the listing goes into folders
    folder      whether it was selected as a folder: what no pattern takes of it is to be told

    What is in archives is not listed: they are, for patterns that go into them.
    """

    prefix: str
    patterns: tuple[str, ...] = ()
    recursive: bool = False
    folder: bool = False
    held: tuple[str, ...] = ()

    def entries(self, store: Store, share: Share | None = None) -> Iterator[Entry]:
        """All that is listed, or a share of it, in any order. Raises StorageError."""
        if self.recursive:
            return chain.from_iterable(store.list_pages(self.prefix, share))
        return store.list_objects(self.prefix, recursive=False)

    def covers(self, uri: str) -> bool:
        """Whether the listing has this file, if it is there."""
        return uri.startswith(self.prefix) and (self.recursive or "/" not in uri[len(self.prefix) :])

    @cached_property
    def _globs(self) -> tuple[Pattern, ...]:
        return tuple(map(Pattern, self.patterns))

    def takes(self, uri: str) -> bool:
        """Whether a pattern takes a file of the bucket, or what it may hold as an archive."""
        for glob in self._globs:  # noqa: SIM110 - each file of a listing asks, and any() takes twice as long
            if glob.matches(uri) or may_hold_files(uri, glob):
                return True
        return False


class Listings:
    """All listings of a job. Of several that have a file, one gives it: so each file is there once."""

    def __init__(self, found: Iterable[Listing]) -> None:
        found = list(found)
        self._alone = {one.prefix for one in found if not one.patterns}
        self._globs = [one for one in found if one.patterns]

    def files(
        self, listing: Listing, store: Store, share: Share | None = None
    ) -> Iterator[tuple[Entry, bool, bool]]:
        """The files of a listing that no other gives: whether one takes them, and whether one has their folder.

        A file that is listed by itself is given there; of the others, that of the longest prefix gives it. Raises
        StorageError.
        """
        alone = {uri for uri in self._alone if uri.startswith(listing.prefix)}
        near = [
            one
            for one in self._globs
            if one.prefix != listing.prefix
            and (one.prefix.startswith(listing.prefix) or listing.prefix.startswith(one.prefix))
        ]
        for entry in listing.entries(store, share):
            if not alone and not near:
                yield entry, listing.takes(entry.uri), listing.folder
                continue
            having = [listing, *(one for one in near if one.covers(entry.uri))]
            if entry.uri not in alone and max(len(one.prefix) for one in having) == len(listing.prefix):
                yield (
                    entry,
                    any(one.takes(entry.uri) for one in having),
                    any(one.folder for one in having),
                )

    def among(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bool, bool]]:
        """The same of files that come from elsewhere than a listing, of those that a listing would have."""
        for entry in entries:
            uri = entry.uri
            if uri not in self._alone and (having := self.having(uri)):
                yield entry, any(one.takes(uri) for one in having), any(one.folder for one in having)

    def having(self, uri: str) -> list[Listing]:
        """The listings with patterns that would have a file."""
        return [one for prefix in self._beginning(uri) for one in prefix if one.covers(uri)]

    def prefixes(self) -> list[str]:
        return [one.prefix for one in self._globs]

    def prefix(self) -> str:
        """What the URIs of all files begin with that listings with patterns have."""
        return os.path.commonprefix(self.prefixes())  # noqa: RUF071 - of characters

    def _beginning(self, uri: str) -> Iterator[list[Listing]]:
        """The listings whose prefix the URI begins with, however many listings there are."""
        for length in self._lengths:
            if found := self._by_prefix.get(uri[:length]):
                yield found

    @cached_property
    def _lengths(self) -> list[int]:
        return sorted({len(prefix) for prefix in self._by_prefix})

    @cached_property
    def _by_prefix(self) -> dict[str, list[Listing]]:
        found: dict[str, list[Listing]] = {}
        for one in self._globs:
            found.setdefault(one.prefix, []).append(one)
        return found


def wanted(by_input: Mapping[str, Iterable[str]]) -> list[str]:
    """What a job looks for, by the patterns of each of its inputs: patterns and folders, each once, in order."""
    texts: dict[str, None] = {}
    for input_, patterns in by_input.items():
        folders = (input_,) if input_.endswith("/") else (f"{input_}/", input_ + SEPARATOR)
        for pattern in patterns:
            texts[pattern] = None
            glob = Pattern(pattern)
            # A glob's patterns begin with other text than the glob itself.
            texts.update(
                dict.fromkeys(one for one in folders if not glob.literal and glob.prefix.startswith(one))
            )
    return list(texts)


def only_patterns(texts: Iterable[str]) -> list[str]:
    """Of what a job looks for, the patterns."""
    return [text for text in texts if not text.endswith("/")]


def listings(texts: Iterable[str]) -> list[Listing]:
    """The listings for what a job looks for. A pattern shares the listing of the nearest folder above it."""
    texts = list(texts)
    folders = {text for text in texts if text.endswith("/") and not Uri.parse(text).members}
    shared: dict[str, list[str]] = {folder: [] for folder in folders}
    found: dict[str, Listing] = {}
    for pattern in only_patterns(texts):
        glob = Pattern(outside(pattern))
        if glob.literal:
            found[glob.prefix] = Listing(glob.prefix)
        else:
            shared.setdefault(_folder_above(glob.prefix, folders) or glob.prefix, []).append(pattern)
    for prefix, patterns in shared.items():
        held = {pattern.replace("/**/", "/", 1) for pattern in patterns if "/**/" in pattern}
        needed = tuple(pattern for pattern in patterns if pattern not in held)
        recursive = prefix in folders or any(Pattern(outside(one)).recursive for one in needed)
        rest = tuple(pattern for pattern in patterns if pattern in held)
        found[prefix] = Listing(prefix, needed, recursive, prefix in folders, rest)
    return list(found.values())


def outside(pattern: str) -> str:
    """The pattern of the objects or local files that are listed: of what is in archives, that of the archives."""
    return split_pattern(pattern)[0]


def _folder_above(prefix: str, folders: set[str]) -> str | None:
    """The nearest of the folders that holds all that begins with the prefix."""
    end = len(prefix)
    while folders and (end := prefix.rfind("/", 0, end)) >= 0:
        if prefix[: end + 1] in folders:
            return prefix[: end + 1]
    return None
