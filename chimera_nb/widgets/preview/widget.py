"""FilePreview: look inside a file, whatever its size, from one ranged request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import traitlets

from chimera_nb.arguments import AnyPath, path_text
from chimera_nb.data.table.source import HeldRecords, Source
from chimera_nb.jobs.limits import storable
from chimera_nb.session import Session
from chimera_nb.widgets.base import assets
from chimera_nb.widgets.preview import messages
from chimera_nb.widgets.preview.model import VIEW_ROWS, Inside, Line, inside, rows_of, tree
from chimera_nb.widgets.table.host import TableWidget
from chimera_nb.widgets.table.requests import TableRequest
from chimera_nb.widgets.table.saving import StoredFile
from pipeline.errors import ChimeraError, RefusedError
from pipeline.storage import Store

if TYPE_CHECKING:
    from chimera_nb.data.preview import Preview

_PAUSE_SECONDS = 0.1  # between requests while one walks through a list of files


class FilePreview(TableWidget):
    """The first records of a file: its lines, one of them as a tree, all of them as a table.

    uri: the file; "" for none. Set it to look inside another. It is not the front end's to change, which would be
    anybody's who opens a dashboard.
    session: where the store is; left out, one of its own.

    A file costs one request of at most 256 kB, in a thread, once the widget is on screen.
    """

    _esm = assets.script("preview/view")
    _css = assets.style("table/table", "preview/style")

    uri = traitlets.Unicode(help="The file that is shown; set it to look inside another.")
    height = traitlets.Int(360, min=120, help="Of what is inside, in pixels.").tag(sync=True)

    def __init__(self, uri: AnyPath = "", session: Session | None = None, **traits: Any) -> None:
        self._shown: Inside | None = None
        self._state: Literal["empty", "reading", "shown", "failed"] = "empty"
        self._views: tuple[messages.FileView, ...] = ()
        self._reading = 0
        super().__init__(session, uri=path_text(uri) if uri != "" else "", **traits)

    @traitlets.observe("uri")
    def _on_uri(self, _: object) -> None:
        self._begin()

    # What the front end asks for

    def _on_front_end(self) -> None:
        if self.uri and self._state == "empty":
            self._begin()
        else:
            self._tell()

    def _asked_retry(self, _: messages.Retry) -> None:
        if self._state == "failed":
            self._begin()

    def _asked_line(self, request: messages.Line) -> None:
        line = self._line(request.n)
        self.post(messages.LineMessage(request.generation, request.n, line.text, line.size, line.is_cut))

    def _asked_tree(self, request: messages.Tree) -> None:
        data = self._line(request.n).data
        self._background.start(
            self._answer(lambda: messages.TreeMessage(request.generation, request.n, *tree(data)))
        )

    def _asked_save_file(self, request: messages.SaveFile) -> None:
        uri = self._table_place(request.subject)
        if uri is not None:
            name = uri.rpartition("/")[2]
            self._begin_saving(uri, request.view, request.saving, name, partial(_stored, uri))

    def _table_place(self, subject: str) -> str | None:
        return self.uri if self._shown is not None and subject == storable(self.uri) else None

    def _table_source(self, store: Store, request: TableRequest) -> Source:
        shown, uri = self._shown, self.uri
        if shown is None:
            raise RefusedError("another file is shown by now")
        source, _, view = request.shows.partition("/")
        return _view_rows(store, uri, source, view) if view else rows_of(shown)

    def _table_name(self) -> str:
        return self.uri.rpartition("/")[2] or "rows"

    def _line(self, number: int) -> Line:
        """A line of what is shown, by its index from 0."""
        lines = self._shown.lines if self._shown else ()
        if not 0 <= number < len(lines):
            raise RefusedError(f"there is no line {number + 1} here; there are {len(lines)}")
        return lines[number]

    # The file

    def _begin(self) -> None:
        generation = self._generation.renew()
        self.error, self._shown, self._views = "", None, ()
        self._state = "empty"
        if self._presence.was_seen and self.uri:
            self._state = "reading"
            if not self._background.start(self._read(self.uri, generation)):
                self._state = "empty"
        self._tell()

    async def _read(self, uri: str, generation: int) -> None:
        if self._reading:
            await asyncio.sleep(_PAUSE_SECONDS)
            if self._generation.is_late(generation):
                return
        self._reading += 1
        try:
            shown, views = await self._background.in_thread(
                uri, lambda store: (inside(_preview(store, uri)), _views_for(uri))
            )
        except ChimeraError as e:
            if not self._generation.is_late(generation):
                self._state, self.error = "failed", storable(str(e))
        else:
            if not self._generation.is_late(generation):
                self._state, self._shown, self._views = "shown", shown, views
        finally:
            self._reading -= 1
        if not self._generation.is_late(generation):
            self._tell()

    async def _answer(self, call: Callable[[], messages.TreeMessage]) -> None:
        answer = await asyncio.to_thread(call)
        if not self._generation.is_late(answer.generation):
            self.post(answer)

    def _tell(self) -> None:
        if self._presence.was_seen:
            facts = self._shown.facts if self._shown else None
            uri = storable(self.uri)
            self.post(messages.FileMessage(self._generation.number, uri, self._state, facts, self._views))


def _preview(store: Store, uri: str) -> Preview:
    from chimera_nb.data.preview import preview

    if uri.endswith("/"):
        raise RefusedError(f"{uri} is a folder; choose a file in it")
    return preview(uri, store=store)


def _views_for(uri: str) -> tuple[messages.FileView, ...]:
    from chimera_nb.data.view import views_for

    return tuple(messages.FileView(*found) for found in views_for(uri))


def _view_rows(store: Store, uri: str, source: str, view: str) -> HeldRecords:
    """The rows of a view are made of the file itself, of which the first lines may hold none."""
    from chimera_nb.data.view import first_records

    records, problem = first_records(store, uri, VIEW_ROWS + 1, source=source, name=view)
    if problem and not records:
        raise RefusedError(problem)
    is_whole = len(records) <= VIEW_ROWS and not problem
    return HeldRecords(records[:VIEW_ROWS], len(records) if is_whole else None)


def _stored(uri: str, store: Store, is_wanted: Callable[[], bool]) -> StoredFile:
    return StoredFile(store, uri, is_wanted)
