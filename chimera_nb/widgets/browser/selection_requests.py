"""What BucketBrowser is asked for about its selection, and the count of what that comes to."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import traitlets
from ipywidgets import TypedTuple

from chimera_nb.widgets.base.widget import ChimeraWidget, existing, held, refusing
from chimera_nb.widgets.browser import messages, states
from chimera_nb.widgets.browser.counting import SLICE_SECONDS, advance
from chimera_nb.widgets.browser.selection import add
from pipeline.errors import ChimeraError

if TYPE_CHECKING:
    from chimera_nb.widgets.browser.model import Browser


class SelectionRequests(ChimeraWidget):
    """A browser in which things are selected: `_model` is its own."""

    selected = TypedTuple(
        traitlets.Unicode(),
        help="URIs of what is selected: objects, folders (they end in /) and patterns. Set it to select.",
    ).tag(sync=True)
    total = traitlets.Dict(
        help="What the selection comes to: files, bytes (stored), more (there are others), counting."
    ).tag(sync=True)
    _can_undo = traitlets.Bool(default_value=False).tag(sync=True)
    _model: Browser

    def __init__(self, session: Any = None, **traits: Any) -> None:
        self._counting = self._stopped = False  # under way; by the user's wish
        super().__init__(session, total=self._total(), **traits)

    @traitlets.validate("selected")
    def _valid_selected(self, proposal: dict[str, Any]) -> tuple[str, ...]:
        with refusing():
            self._model.select(proposal["value"])
        return self._model.selected

    @traitlets.observe("selected")
    def _on_selected(self, _: object) -> None:
        self._stopped = False
        self._can_undo = self._model.can_undo
        self._count_selected()

    @property
    def can_undo(self) -> bool:
        """Whether there is a change of the selection to take back."""
        return self._model.can_undo

    def undo(self) -> None:
        """Take the last change of the selection back. Raises RefusedError where there was none."""
        self.error = ""
        with self._model.undoing() as before:
            self.selected = before

    # What the front end asks for

    def _asked_gesture(self, request: messages.Gesture) -> None:
        self.error = ""
        with existing("row"):
            self.selected = self._model.gesture(request.how, request.at, request.to, seen=request.seen)

    def _asked_select_rows(self, request: messages.SelectRows) -> None:
        self.error = ""
        with existing("row"):
            self.selected = self._model.with_rows(request.keys, seen=request.seen)

    def _asked_undo(self, _: messages.Undo) -> None:
        self.undo()

    def _asked_drop(self, request: messages.Drop) -> None:
        self.error = ""
        self.selected = tuple(uri for uri in self.selected if uri != request.uri)

    def _asked_clear(self, _: messages.Clear) -> None:
        self.error, self.selected = "", ()

    def _asked_add_pattern(self, request: messages.AddPattern) -> None:
        self.error = ""
        self.selected = add(self.selected, [self._model.pattern(request.text)])

    def _asked_count(self, request: messages.Count) -> None:
        self._stopped = not request.on
        if request.on:
            self._resume(lambda count: bool(not count.active and count.tally.more))
        self._count_selected()

    # Counts

    def _resume(self, which: Any) -> None:
        for count in self._model.counts:
            if which(count):
                count.resume()

    def _count_selected(self) -> None:
        self._tell()
        if self.total["counting"] and not self._counting:
            self._counting = self._background.start(self._count())

    async def _count(self) -> None:
        try:
            while not self._stopped and (active := [c for c in self._model.counts if c.active]):
                await self._background.watched(
                    active[0].uri, lambda store: advance(store, active, SLICE_SECONDS), self._tell
                )
        except ChimeraError as e:
            self.error, self._stopped = str(e), True
        finally:
            self._counting = False
        self._tell()
        self.error = next((count.error for count in self._model.counts if count.error), self.error)

    def _tell(self) -> None:
        self.total = self._total()

    def _total(self) -> dict[str, Any]:
        counting = not self._stopped and any(count.active for count in self._model.counts)
        return held(states.Total(**asdict(self._model.total()), counting=counting))
