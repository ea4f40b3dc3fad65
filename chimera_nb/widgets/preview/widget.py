"""FilePreview: look inside a file, whatever its size, from one ranged request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import traitlets

from chimera_nb.jobs.limits import storable
from chimera_nb.session import Session
from chimera_nb.widgets.base import assets
from chimera_nb.widgets.base.widget import View
from chimera_nb.widgets.browser.counting import is_glob
from chimera_nb.widgets.preview.model import Inside, inside, table, tree
from pipeline.errors import ChimeraError, ObjectNotFoundError, RefusedError
from pipeline.storage import Store

if TYPE_CHECKING:
    from chimera_nb.data.preview import Preview

_PAUSE_SECONDS = 0.1  # between requests while one walks through a list of files


class FilePreview(View):
    """The first records of a file: its lines, one of them as a tree, all of them as a table.

    uri: the file; "" for none. Set it to look inside another. It is not the front end's to change, which would be
    anybody's who opens a dashboard.
    session: where the store is; left out, one of its own.

    A file costs one request of at most 256 kB, in a thread, once the widget is on screen.
    """

    _esm = assets.script("base/copy", "preview/tree", "preview/view")
    _css = assets.style("preview/style")

    uri = traitlets.Unicode(help="The file that is shown; set it to look inside another.")
    height = traitlets.Int(360, min=120, help="Of what is inside, in pixels.").tag(sync=True)

    def __init__(self, uri: str = "", session: Session | None = None, **traits: Any) -> None:
        self._view = 0  # rises with each file, so that a late answer is known as one
        self._shown: Inside | None = None
        self._state = "empty"  # reading, shown, failed
        self._on_screen = False
        self._reading = 0
        super().__init__(session, uri=uri, **traits)

    @traitlets.observe("uri")
    def _on_uri(self, _: object) -> None:
        self._begin()

    # What the front end asks for

    def _asked_hello(self, _: dict[str, Any]) -> None:
        self._on_screen = True
        if self.uri and self._state == "empty":
            self._begin()
        else:
            self._tell()

    def _asked_retry(self, _: dict[str, Any]) -> None:
        if self._state == "failed":
            self._begin()

    def _asked_line(self, content: dict[str, Any]) -> None:
        shown, number = self._asked_of(content)
        self.send({"kind": "line", "view": self._view, **shown.whole(number)})

    def _asked_tree(self, content: dict[str, Any]) -> None:
        shown, number = self._asked_of(content)
        line = shown.lines[number]
        self._background.start(self._answer("tree", lambda: {"n": number, **tree(line.data)}))

    def _asked_table(self, content: dict[str, Any]) -> None:
        shown, _ = self._asked_of({**content, "n": 0})
        explode = str(content.get("explode", ""))
        self._background.start(self._answer("table", lambda: table(shown.lines, explode)))

    def _asked_of(self, content: dict[str, Any]) -> tuple[Inside, int]:
        """What is shown, and the line of it that is meant. Raises LookupError where there is none."""
        number = content["n"]
        if self._shown is None or content["view"] != self._view:
            raise LookupError("it is of a file that was left")
        if type(number) is not int or not 0 <= number < len(self._shown.lines):
            raise LookupError(f"there is no line {number!r}")
        return self._shown, number

    # The file

    def _begin(self) -> None:
        self._view += 1
        self.error, self._shown = "", None
        self._state = "empty"
        if self._on_screen and self.uri:
            self._state = "reading"
            if not self._background.start(self._read(self.uri, self._view)):
                self._state = "empty"
        self._tell()

    async def _read(self, uri: str, view: int) -> None:
        if self._reading:
            await asyncio.sleep(_PAUSE_SECONDS)
            if view != self._view:
                return
        self._reading += 1
        try:
            shown = await self._background.in_thread(uri, lambda store: inside(_preview(store, uri)))
        except ChimeraError as e:
            if view == self._view:
                self._state, self.error = "failed", storable(str(e))
        else:
            if view == self._view:
                self._state, self._shown = "shown", shown
        finally:
            self._reading -= 1
        if view == self._view:
            self._tell()

    async def _answer(self, kind: str, call: Callable[[], dict[str, Any]]) -> None:
        view = self._view
        answer = await asyncio.to_thread(call)
        if view == self._view:
            self.send({"kind": kind, "view": view, **answer})

    def _tell(self) -> None:
        if self._on_screen:
            facts = self._shown.facts if self._shown else {}
            uri = storable(self.uri)
            self.send({"kind": "file", "view": self._view, "uri": uri, "state": self._state, **facts})


def _preview(store: Store, uri: str) -> Preview:
    from chimera_nb.data.preview import preview

    if uri.endswith("/"):
        raise RefusedError(f"{uri} is a folder; choose a file in it")
    try:
        return preview(uri, store=store)
    except ObjectNotFoundError as e:
        if is_glob(uri):
            raise RefusedError(f"{uri} is a pattern; choose one of the files that it matches") from e
        raise
