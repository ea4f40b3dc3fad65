"""FilePreview: look inside a file, whatever its size, from one ranged request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import traitlets

from chimera_nb.arguments import AnyPath, path_text
from chimera_nb.jobs.limits import storable
from chimera_nb.session import Session
from chimera_nb.widgets.base import assets
from chimera_nb.widgets.base.widget import ChimeraWidget
from chimera_nb.widgets.preview import messages
from chimera_nb.widgets.preview.model import MAX_ROWS, Inside, Line, inside, table, table_of_view, tree
from pipeline.errors import ChimeraError, RefusedError
from pipeline.storage import Store

if TYPE_CHECKING:
    from chimera_nb.data.preview import Preview

_PAUSE_SECONDS = 0.1  # between requests while one walks through a list of files


class FilePreview(ChimeraWidget):
    """The first records of a file: its lines, one of them as a tree, all of them as a table.

    uri: the file; "" for none. Set it to look inside another. It is not the front end's to change, which would be
    anybody's who opens a dashboard.
    session: where the store is; left out, one of its own.

    A file costs one request of at most 256 kB, in a thread, once the widget is on screen.
    """

    _esm = assets.script("preview/view")
    _css = assets.style("preview/style")

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

    def _asked_table(self, request: messages.Table) -> None:
        if self._shown is not None and request.view:
            self._background.start(self._view_table(self.uri, request))
        elif self._shown is not None:
            lines = self._shown.lines
            self._background.start(
                self._answer(
                    lambda: messages.TableMessage(request.generation, "", table(lines, request.explode))
                )
            )

    async def _view_table(self, uri: str, request: messages.Table) -> None:
        """The rows of a view are made of the file itself, of which the first lines may hold none."""
        try:
            records = await self._background.in_thread(uri, lambda store: _view_rows(store, uri, request))
        except ChimeraError as e:
            records = table_of_view([], str(e))
        if not self._generation.is_late(request.generation):
            self.post(messages.TableMessage(request.generation, request.view, records))

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

    async def _answer(self, call: Callable[[], messages.TreeMessage | messages.TableMessage]) -> None:
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


def _view_rows(store: Store, uri: str, request: messages.Table) -> messages.Records:
    from chimera_nb.data.view import first_records

    records, problem = first_records(store, uri, MAX_ROWS + 1, source=request.source, name=request.view)
    return table_of_view(records, problem or "")
