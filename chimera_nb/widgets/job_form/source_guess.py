"""Which source a selection is of, by the names of its first files, and why."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from pipeline.errors import ChimeraError

if TYPE_CHECKING:
    from pipeline.storage import Store

ANY = "ndjson"  # the source of whatever no other knows
_INPUTS, _FILES = 5, 40  # that are looked at: the first of the selection, spread over its inputs


class Guess(NamedTuple):
    """A source, and the reason in a sentence."""

    source: str
    why: str


def guess_source(store: Store, inputs: Sequence[str], sources: Collection[str]) -> Guess | None:
    """The source whose own names the first files have, else the one that reads any; None where there is no file.

    A source knows its files by what it says that they hold. Blocks, for a list request or two for each input that is
    looked at. Raises StorageError.
    """
    from chimera_nb.widgets.browser.counting import entries_of

    names: list[str] = []
    for uri in inputs[:_INPUTS]:
        entries = islice(entries_of(store, uri), _FILES * 5)  # of an archive those that are None come between
        names += [entry.uri for entry in islice(filter(None, entries), _FILES // _INPUTS + 1)]
    return guess_by_names(names, sources) if names else None


def guess_by_names(names: Sequence[str], sources: Collection[str]) -> Guess | None:
    """The same by the URIs of files."""
    known = {source: _known_to(source, names) for source in sources if source != ANY}
    best = max(known, key=lambda source: len(known[source]), default=None)
    if best is not None and len(known[best]) * 2 > len(names):
        example = known[best][0].rpartition("/")[2]
        return Guess(best, f"files named as {example} are {best}'s")
    if ANY not in sources:
        return None
    return Guess(ANY, "it reads files of any name, and no other source knows these")


def _known_to(source: str, names: Sequence[str]) -> list[str]:
    from pipeline.sources import get_source, tells_holds, what_it_holds

    try:
        plugin = get_source(source)
        return [name for name in names if what_it_holds(plugin, name)] if tells_holds(plugin) else []
    except ChimeraError:
        return []  # one that does not work; whoever chooses it is told
