"""Files and bytes of folders and patterns, counted a little at a time, so that it can be watched and stopped."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import ChimeraError, InvalidPatternError, ObjectNotFoundError
from pipeline.glob import Pattern
from pipeline.uri import SEPARATOR, Uri, has_glob

if TYPE_CHECKING:
    from pipeline.storage import Entry, Store

SLICE_SECONDS = 0.25  # of counting at a time: what is counted may have changed by then
FILES_AT_ONCE = 1_000_000  # a count pauses there: it has cost a thousand list requests
_ARCHIVE_COSTS = 10_000  # files: an archive has to be opened, and perhaps read


@dataclass(frozen=True)
class Tally:
    """Files and bytes (as stored); `more` when there are, or may be, others that have not been counted."""

    files: int = 0
    bytes: int = 0
    more: bool = False

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.files + other.files, self.bytes + other.bytes, self.more or other.more)


class Count:
    """A count under way. `advance` blocks, and is called by one thread at a time; others may look on.

    Attributes: uri; example (the first URI counted, or None); error (one line, or None).
    """

    def __init__(self, uri: str, leave_out: Callable[[str], bool] = lambda _: False) -> None:
        self.uri = uri
        self.example: str | None = None
        self.error: str | None = None
        self._files = self._bytes = self._spent = 0
        self._more = True
        self._leave_out = leave_out
        self._archive = ""
        self._entries: Iterator[Entry | None] | None = None
        self._bound = FILES_AT_ONCE

    @property
    def tally(self) -> Tally:
        return Tally(self._files, self._bytes, self._more)

    @property
    def active(self) -> bool:
        """Whether there is something left to do by itself."""
        return self._more and self.error is None and self._spent < self._bound

    def resume(self) -> None:
        """Past the bound, or again after an error."""
        if self.error:
            self._files = self._bytes = self._spent = 0
            self._entries, self.error = None, None
        self._bound = self._spent + FILES_AT_ONCE

    def advance(self, store: Store, until: float) -> None:
        """Count up to this time (time.monotonic), to the end or to the bound, or until the store fails."""
        try:
            if self._entries is None:
                self._entries = entries_of(store, self.uri)
            for entry in self._entries:
                if entry is not None and not self._leave_out(entry.uri):
                    self._take(entry)
                if self._spent >= self._bound or time.monotonic() >= until:
                    return
            self._more = False
        except ChimeraError as e:
            self.error = str(e)

    def _take(self, entry: Entry) -> None:
        self._files += 1
        self._spent += 1
        self._bytes += entry.size
        self.example = self.example or entry.uri
        archive = entry.uri.rpartition(SEPARATOR)[0]
        if archive and archive != self._archive:
            self._archive = archive
            self._spent += _ARCHIVE_COSTS


def advance(store: Store, counts: Iterable[Count], seconds: float) -> None:
    """Go on with those that are active, in turn, for so long at most (and one request)."""
    until = time.monotonic() + seconds
    for count in counts:
        if count.active:
            count.advance(store, until)
        if time.monotonic() >= until:
            return


def entries_of(store: Store, uri: str) -> Iterator[Entry | None]:
    """The files that a selected URI stands for, as a job reads it: an object, a folder, an archive, or a glob.

    A name that is there literally wins over the glob that it could be. None comes where a file was looked at that is
    none of them, so that a count can stop there. Raises StorageError.
    """
    from pipeline.inputs.matching import (
        folder_to_list,
        look_through,
        look_through_archive_of,
        look_through_folder,
    )

    if uri.endswith("/"):
        yield from look_through_folder(store, uri)
        return
    yield from look_through_archive_of(store, uri)
    try:
        found = store.stat(uri)
    except ObjectNotFoundError:
        yield from look_through(store, uri) if is_glob(uri) else look_through_folder(store, f"{uri}/")
        return
    folder = folder_to_list(store, uri)
    yield from look_through_folder(store, folder) if folder.endswith(SEPARATOR) else (found,)


def is_glob(uri: str) -> bool:
    """Whether a URI can be a pattern: it holds a glob character and is no folder."""
    return not uri.endswith("/") and has_glob(Uri.parse(uri))


class Cover:
    """Folders and patterns of a selection, asked whether they hold a URI: by its name, or by match."""

    def __init__(self, folders: Iterable[str], patterns: Iterable[str] = ()) -> None:
        self.folders = frozenset(folders)
        self._patterns = []
        for uri in patterns:
            with contextlib.suppress(InvalidPatternError):  # a literal name, then
                self._patterns.append(Pattern(uri))

    def holds(self, uri: str) -> bool:
        if self.folders and self.folder_above(uri):
            return True
        return any(pattern.matches(uri) for pattern in self._patterns)

    def folder_above(self, uri: str) -> str | None:
        """The nearest folder of these that holds the URI, other than itself."""
        at = uri.rfind("/", 0, len(uri) - 1)
        while at >= 0:
            if uri[: at + 1] in self.folders:
                return uri[: at + 1]
            at = uri.rfind("/", 0, at)
        return None
