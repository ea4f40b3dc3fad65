"""What a job reads of archives, for the survey of a selection: their members, each with the inputs that it is of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from pipeline.archives.names import DEEPEST
from pipeline.errors import BadFileError, ObjectNotFoundError
from pipeline.glob import Pattern
from pipeline.uri import SEPARATOR, Uri

if TYPE_CHECKING:
    from pipeline.inputs.wanted import Wanted
    from pipeline.storage import Entry, Store


class Found(NamedTuple):
    """A file that was listed, if it matters, whether a pattern takes it, and inputs of which it is."""

    entry: Entry | None = None
    taken: bool = False
    inputs: frozenset[str] = frozenset()


class Members:
    """Looks into the archives of a selection; `inputs_of` has the inputs of each pattern, and of each single name."""

    def __init__(self, store: Store, wanted: Wanted, inputs_of: Mapping[str, frozenset[str]]) -> None:
        self._store, self._wanted, self._inputs_of = store, wanted, inputs_of
        globs = ((Pattern(text), inputs) for text, inputs in inputs_of.items())
        self._globs = [(glob, inputs) for glob, inputs in globs if not glob.literal]
        self._matched: set[str] = set()

    def may_hold_wanted(self, uri: str) -> bool:
        """Whether to look into a file: it may be an archive, and what is in it may be wanted."""
        return self._wanted.holds_wanted(uri)

    def or_itself(self, file: Entry) -> Iterator[Found]:
        """A file that was selected by its name: what is wanted of it, or all of it."""
        if self.may_hold_wanted(file.uri):
            yield from self.of(file)
        else:
            yield Found(file, True, self._inputs_of.get(file.uri, frozenset()))

    def of(self, archive: Entry) -> Iterator[Found]:
        """The members; the file itself, where nothing is found in it. None of them for what does not matter."""
        wanted = self._wanted.of(archive.uri)
        empty = True
        try:
            for entry in self._store.list_objects(archive.uri + SEPARATOR):
                empty = False
                if len(Uri.parse(entry.uri).members) < DEEPEST and wanted.holds_wanted(entry.uri):
                    yield from self.of(entry)
                    continue
                taken = wanted.takes(entry.uri)
                told = taken or wanted.is_in_folder(entry.uri)
                yield Found(entry if told else None, taken, self._inputs(entry.uri, archive.uri, taken=taken))
        except (ObjectNotFoundError, BadFileError):
            pass  # it is no archive, or no good
        if empty:
            taken = wanted.whole or bool(wanted.folders)  # a job has it on record as failed
            yield Found(
                archive if taken else None, taken, self._inputs(archive.uri, archive.uri, taken=taken)
            )

    def _inputs(self, uri: str, archive: str, *, taken: bool) -> frozenset[str]:
        """Inputs of a file; of those that have one already not all are given."""
        if not taken:
            return frozenset()
        found = set(self._inputs_of.get(uri, ()))
        names = {uri, archive, Uri.parse(uri).file}
        for glob, inputs in self._globs:
            if not inputs <= self._matched and any(map(glob.matches, names)):
                found |= inputs
        self._matched |= found
        return frozenset(found)
