"""What the pattern that is typed matches: counted while it stands there, and told a little at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from chimera_nb.widgets.base.background import Background
from chimera_nb.widgets.base.generation import Generation
from chimera_nb.widgets.browser.counting import SLICE_SECONDS, Count, advance, entries_of
from chimera_nb.widgets.browser.messages import MatchedFile
from chimera_nb.widgets.browser.states import Matched
from pipeline.errors import ChimeraError, RefusedError

if TYPE_CHECKING:
    from pipeline.storage import Store


LISTED = 10_000  # files, of those that a pattern matches
_LOOKED_AT = 1_000_000  # files, for the sake of those


def first_matches(store: Store, pattern: str) -> tuple[tuple[MatchedFile, ...], bool]:
    """The first files that a pattern matches, and whether there may be others. Blocks; raises ChimeraError."""
    found: list[MatchedFile] = []
    for at, entry in enumerate(entries_of(store, pattern)):
        if len(found) == LISTED or at == _LOOKED_AT:
            return tuple(found), True
        if entry is not None:
            found.append(MatchedFile(entry.uri, entry.size))
    return tuple(found), False


class PatternCount:
    """The count of one pattern, the last that was asked for; `show` is called on the loop with what is known."""

    def __init__(self, background: Background, show: Callable[[Matched | None], None]) -> None:
        self._background, self._show = background, show
        self._generation = Generation()
        self._matched: Matched | None = None

    def count(self, text: str, read: Callable[[str], str]) -> None:
        """Count what `text` matches, or show why `read` refuses to make a pattern of it; nothing for no text."""
        self.clear()
        if text.strip():
            try:
                count = Count(read(text))
            except RefusedError as e:
                self._tell(Matched(text, str(e)))
            else:
                self._background.start(self._advance(self._generation.number, count, text))

    def stop(self) -> None:
        """Leave the count where it is."""
        self._generation.renew()
        self._tell(replace(self._matched, active=False) if self._matched else None)

    def clear(self) -> None:
        """Show none."""
        self._generation.renew()
        self._tell(None)

    def _tell(self, matched: Matched | None) -> None:
        self._matched = matched
        self._show(matched)

    async def _advance(self, generation: int, count: Count, text: str) -> None:
        def tell() -> None:
            if not self._generation.is_late(generation):
                found = (count.error or "", count.example or "", count.active)
                self._tell(Matched(text, *found, **asdict(count.tally)))

        while count.active and not self._generation.is_late(generation):
            try:
                await self._background.watched(
                    count.uri, lambda store: advance(store, [count], SLICE_SECONDS), tell
                )
            except ChimeraError as e:
                count.error = str(e)
                tell()
