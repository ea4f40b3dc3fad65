"""A widget that shows a table: it looks through records for whoever asks, and makes files of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from chimera_nb.data.table.save import Format, Spreadsheet
from chimera_nb.data.table.source import Source
from chimera_nb.session import Session
from chimera_nb.widgets.base.messages import Bye
from chimera_nb.widgets.base.visitors import for_visitor
from chimera_nb.widgets.base.widget import ChimeraWidget
from chimera_nb.widgets.table import requests
from chimera_nb.widgets.table.looking import Looking
from chimera_nb.widgets.table.saving import Make, Saving
from pipeline.errors import ChimeraError
from pipeline.storage import Store

_VIEWS = 8  # front ends of one widget that are remembered: whoever opens a page can give any name to one
_TELL_SECONDS = 0.25
_Each = TypeVar("_Each", Looking, Saving)


class TableWidget(ChimeraWidget):
    """Its class says what there is to look through: `_table_place` and `_table_source`."""

    def __init__(self, session: Session | None = None, **traits: Any) -> None:
        self._looks: dict[str, Looking] = {}
        self._savings: dict[str, Saving] = {}
        super().__init__(session, **traits)

    def _table_place(self, subject: str) -> str | None:
        """The URI by which the store of a subject is found; None where it is not what is shown."""
        raise NotImplementedError

    def _table_source(self, store: Store, request: requests.TableRequest) -> Source:
        """The records of what is shown. Called in a thread; raises ChimeraError."""
        raise NotImplementedError

    def _table_name(self) -> str:
        """What a file of the table is called, without its suffix."""
        raise NotImplementedError

    def close(self) -> None:
        for each in (*self.__dict__.get("_looks", {}).values(), *self.__dict__.get("_savings", {}).values()):
            each.is_wanted = False
        super().close()

    def _asked_bye(self, request: Bye) -> None:
        super()._asked_bye(request)
        if looking := self._looks.pop(request.view, None):
            looking.is_wanted = False
        self._stop_saving(request.view)

    # Rows

    def _asked_look(self, request: requests.Look) -> None:
        place = self._table_place(request.subject)
        if place is not None:
            looking = Looking(request)
            _keep(self._looks, request.view, looking)
            self._background.start(self._looked(place, looking))

    def _asked_more_rows(self, request: requests.MoreRows) -> None:
        if (looking := self._looks.get(request.view)) and request.begin > 0:
            self.post(looking.more(request.begin))

    def _asked_stop_look(self, request: requests.StopLook) -> None:
        if looking := self._looks.get(request.view):
            looking.is_wanted = False

    async def _looked(self, place: str, looking: Looking) -> None:
        def tell() -> None:
            while looking.answers:
                message = looking.answers.popleft()
                if self._looks.get(looking.request.view) is looking:
                    self.post(message)

        try:
            await self._background.watched(
                place, lambda store: looking.run(self._table_source(store, looking.request)), tell
            )
        except ChimeraError as e:
            looking.answers.append(looking.failed(for_visitor(str(e))))
            tell()

    # Files

    def _asked_save_table(self, request: requests.SaveTable) -> None:
        place = self._table_place(request.subject)
        if place is not None:
            query = request.query()

            def make(store: Store, is_wanted: Callable[[], bool]) -> Spreadsheet:
                return Spreadsheet(self._table_source(store, request), query, _format(request), is_wanted)

            name = f"{self._table_name()}.{request.format}"
            self._begin_saving(place, request.view, request.saving, name, make)

    def _begin_saving(self, place: str, view: str, number: int, name: str, make: Make) -> None:
        """Make a file for a front end, which is sent its first piece."""
        self._stop_saving(view)
        saving = Saving(place, view, number, name, make)
        _keep(self._savings, view, saving)
        self._advance(saving)

    def _asked_next_chunk(self, request: requests.NextChunk) -> None:
        saving = self._savings.get(request.view)
        if saving and saving.number == request.saving and not saving.is_busy:
            self._advance(saving)

    def _asked_stop_saving(self, request: requests.StopSaving) -> None:
        self._stop_saving(request.view)

    def _stop_saving(self, view: str) -> None:
        saving = self._savings.pop(view, None)
        if saving:
            saving.is_wanted = False
            if not saving.is_busy:
                self._background.start(_closed(saving))

    def _advance(self, saving: Saving) -> None:
        saving.is_busy = True
        if not self._background.start(self._advanced(saving)):
            saving.is_busy = False

    async def _advanced(self, saving: Saving) -> None:
        work = asyncio.ensure_future(self._background.in_thread(saving.place, saving.advance))
        while not (await asyncio.wait({work}, timeout=_TELL_SECONDS))[0]:
            if saving.is_wanted:
                self.post(saving.progress())
        saving.is_busy = False
        try:
            message = work.result()
        except ChimeraError as e:
            if saving.is_wanted:
                self.post(saving.failed(for_visitor(str(e))))
            self._savings.pop(saving.view, None)
            return
        if not saving.is_wanted:
            await _closed(saving)
        else:
            if not message.data:
                self._savings.pop(saving.view, None)
            self.post(message)


def _keep(kept: dict[str, _Each], view: str, one: _Each) -> None:
    """Keep one of a front end in the place of the one before."""
    if before := kept.pop(view, None):
        before.is_wanted = False
    while len(kept) >= _VIEWS:
        kept.pop(next(iter(kept))).is_wanted = False
    kept[view] = one


async def _closed(saving: Saving) -> None:
    await asyncio.to_thread(saving.close)


def _format(request: requests.SaveTable) -> Format:
    return request.format
