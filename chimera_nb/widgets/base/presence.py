"""The one way to know who is on screen: which front ends of a widget have said so, and how long ago."""

from __future__ import annotations

import time

# A view says every half minute that it is there, since one whose page was closed cannot always say goodbye. A browser
# lets pages that are in the background speak once a minute only.
LASTS_SECONDS = 150.0
_MOST_VIEWS = 100
_ID_CHARS = 64


class Presence:
    """The front ends of one widget that were heard of within LASTS_SECONDS, 100 of them at the most."""

    def __init__(self) -> None:
        self.was_seen = False  # by anybody, ever
        self._heard: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._heard)

    def here(self, view: str) -> None:
        """A front end says that it is on screen."""
        self.was_seen = True
        now = time.monotonic()
        self._heard = {each: at for each, at in self._heard.items() if now - at < LASTS_SECONDS}
        view = view[:_ID_CHARS]
        if view in self._heard or len(self._heard) < _MOST_VIEWS:
            self._heard[view] = now

    def gone(self, view: str) -> None:
        """A front end was closed."""
        self._heard.pop(view[:_ID_CHARS], None)

    def everyone_gone(self) -> None:
        self._heard.clear()

    @property
    def is_seen(self) -> bool:
        """Whether any front end is on screen, as far as is known."""
        now = time.monotonic()
        return any(now - at < LASTS_SECONDS for at in self._heard.values())
