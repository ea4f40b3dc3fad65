"""BucketBrowser: browse buckets and folders in a notebook or a dashboard, and select what a job reads."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import traitlets
from ipywidgets import TypedTuple

from chimera_nb.session import Session
from chimera_nb.widgets.base import assets
from chimera_nb.widgets.base.widget import View, refusing
from chimera_nb.widgets.browser import navigation
from chimera_nb.widgets.browser.counting import Count, advance
from chimera_nb.widgets.browser.listing import Listing
from chimera_nb.widgets.browser.model import ROWS_AT_ONCE, Browser, add
from pipeline.errors import ChimeraError, ObjectNotFoundError, RefusedError
from pipeline.uri import split_uri

_SLICE_SECONDS = 0.25  # what is counted may have changed by then


class BucketBrowser(View):
    """Browse buckets and folders, and select objects, folders and patterns.

    uri: the folder to begin in; left out, the list of buckets. A local folder shows itself and what is below it.
    session: where the store is; left out, one of its own.
    buckets: the names of the only ones that may be looked into; left out, all that the credentials see.

    Every call to a store runs in a thread, and none before the browser is on screen or something is selected.
    """

    _esm = assets.script("base/rows", "base/list", "browser/view")
    _css = assets.style("base/list", "browser/style")

    path = traitlets.Unicode(help="The folder that is shown; set it to go elsewhere.").tag(sync=True)
    selected = TypedTuple(
        traitlets.Unicode(),
        help="URIs of what is selected: objects, folders (they end in /) and patterns. Set it to select.",
    ).tag(sync=True)
    total = traitlets.Dict(
        help="What the selection comes to: files, bytes (stored), more (there are others), counting."
    ).tag(sync=True)
    current = traitlets.Unicode(
        help="The file that was clicked or moved to last, to look inside of; empty for a folder."
    ).tag(sync=True)
    height = traitlets.Int(360, min=120, help="Of the list, in pixels.").tag(sync=True)
    _match = traitlets.Dict().tag(sync=True)
    _places = TypedTuple(traitlets.Unicode()).tag(sync=True)

    def __init__(
        self,
        uri: str = navigation.BUCKETS,
        session: Session | None = None,
        *,
        buckets: Iterable[str] | None = None,
        **traits: Any,
    ) -> None:
        if not uri.startswith(navigation.BUCKETS):
            uri = str(Path(split_uri(uri)[1]).absolute())
        folder = navigation.as_folder(uri)
        top = None if folder.startswith(navigation.BUCKETS) else folder
        self._model = Browser(folder, navigation.Bounds(None if buckets is None else tuple(buckets), top))
        self._on_screen = False
        self._counting = self._stopped = False  # under way; by the user's wish
        self._glob: Count | None = None
        super().__init__(session, path=folder, total=self._total(), **traits)

    def go(self, uri: str) -> None:
        """Show another folder. Raises RefusedError when it may not be looked into."""
        self._model.open(navigation.as_folder(uri))
        self.error, self._match, self._glob = "", {}, None
        self.path = self._model.folder
        self._show()

    # Traits

    @traitlets.validate("path")
    def _valid_path(self, proposal: dict[str, Any]) -> str:
        with refusing():
            self._model.bounds.check(proposal["value"])
            return navigation.as_folder(proposal["value"])

    @traitlets.validate("current")
    def _valid_current(self, proposal: dict[str, Any]) -> str:
        with refusing():
            if proposal["value"]:  # it is what is looked inside of, and a front end may set it
                self._model.bounds.check(proposal["value"])
        return proposal["value"]

    @traitlets.observe("path")
    def _on_path(self, change: dict[str, Any]) -> None:
        if change["new"] != self._model.folder:
            self.go(change["new"])

    @traitlets.validate("selected")
    def _valid_selected(self, proposal: dict[str, Any]) -> tuple[str, ...]:
        with refusing():
            self._model.select(proposal["value"])
        return self._model.selected

    @traitlets.observe("selected")
    def _on_selected(self, _: object) -> None:
        self._stopped = False
        self._count_selected()

    # What the front end asks for

    def _asked_hello(self, _: dict[str, Any]) -> None:
        """A view is on screen, perhaps one among several: it wants everything."""
        first, self._on_screen = not self._on_screen, True
        if first:
            self._background.start(self._read_places())
        self._show()

    def _asked_go(self, content: dict[str, Any]) -> None:
        uri = navigation.typed(str(content["text"]))
        self._model.bounds.check(uri)
        if uri.endswith("/"):
            self.go(uri)
        else:
            self.error = ""
            self._background.start(self._find(uri))

    def _asked_filter(self, content: dict[str, Any]) -> None:
        self.error = ""
        if str(content["text"]) != self._model.filter:
            self._model.narrow(str(content["text"]))
            self._show()

    def _asked_more(self, content: dict[str, Any]) -> None:
        if content["view"] == self._model.view and not self._model.shown.failed:
            self._load(self._model.shown)

    def _asked_retry(self, _: dict[str, Any]) -> None:
        self.error = ""
        self._model.shown.failed = False
        for count in self._model.counts:
            if count.error:
                count.go_on()
        self._show()
        self._count_selected()

    def _asked_gesture(self, content: dict[str, Any]) -> None:
        if content["view"] == self._model.view:
            self.error = ""
            self.selected = self._model.gesture(
                content["how"], int(content.get("at", 0)), int(content.get("to", 0))
            )

    def _asked_rest(self, content: dict[str, Any]) -> None:
        if content["view"] == self._model.view:
            uri = self._model.shown.uri(int(content["at"]))
            self.current = "" if uri.endswith("/") else uri

    def _asked_drop(self, content: dict[str, Any]) -> None:
        self.error = ""
        self.selected = tuple(uri for uri in self.selected if uri != content["uri"])

    def _asked_clear(self, _: dict[str, Any]) -> None:
        self.error, self.selected = "", ()

    def _asked_count(self, content: dict[str, Any]) -> None:
        self._stopped = not content["on"]
        for count in self._model.counts if content["on"] else ():
            if not count.active and count.tally.more:
                count.go_on()
        self._count_selected()

    def _asked_match(self, content: dict[str, Any]) -> None:
        self.error, self._glob, self._match = "", None, {}
        text = str(content["text"])
        if text.strip():
            try:
                self._glob = Count(self._model.pattern(text))
            except RefusedError as e:
                self._match = {"text": text, "error": str(e)}
            else:
                self._background.start(self._count_matches(self._glob, text))

    def _asked_stop_match(self, _: dict[str, Any]) -> None:
        self._glob, self._match = None, {**self._match, "active": False}

    def _asked_add_pattern(self, content: dict[str, Any]) -> None:
        self.error = ""
        self.selected = add(self.selected, [self._model.pattern(str(content["text"]))])

    # Rows

    def _show(self) -> None:
        """Send what is there of the rows on screen, and ask for the first when there are none."""
        if self._on_screen:
            if self._model.shown.fresh:
                self._load(self._model.shown)
            self._send_rows(0, 0)

    def _send_rows(self, folders: int, objects: int) -> None:
        while True:
            message = self._model.rows_message(folders, objects)
            self.send(message)
            if not message["rest"]:
                return
            folders, objects = len(self._model.shown.folders), objects + ROWS_AT_ONCE

    def _load(self, listing: Listing) -> None:
        """Ask for the next page, unless it is on its way."""
        if not (listing.loading or listing.complete or listing.failed):
            listing.loading = self._background.start(self._load_page(listing))

    async def _load_page(self, listing: Listing) -> None:
        folders, objects = len(listing.folders), len(listing.objects)
        buckets = self._model.bounds.buckets
        try:
            rows = await self._background.in_thread(
                listing.folder, lambda store: listing.fetch(store, buckets)
            )
        except ChimeraError as e:
            listing.failed = True
            if listing is self._model.shown:
                self.error = str(e)
        else:
            listing.take(rows)
        finally:
            listing.loading = False
        if listing is self._model.shown:
            self._send_rows(folders, objects)
            if not folders and not objects and (listing.folders or listing.objects):
                await self._keep_place(listing.folder)

    async def _find(self, uri: str) -> None:
        """Go to what was typed without a "/" at its end: a folder, else what is named so, or begins so."""
        view, name = self._model.view, uri[uri.rfind("/") + 1 :]
        folder = uri[: len(uri) - len(name)]
        try:
            rows = await self._background.in_thread(uri, Listing(folder, name).fetch)
            if not rows.folders and not rows.objects:
                raise ObjectNotFoundError(uri, "there is nothing whose name begins so")
        except ChimeraError as e:
            self.error = str(e)
            return
        if view != self._model.view:
            return  # somebody went elsewhere meanwhile
        if f"{name}/" in rows.folders:
            self.go(f"{uri}/")
        else:
            self.go(folder)
            self._asked_filter({"text": name})

    async def _read_places(self) -> None:
        with contextlib.suppress(ChimeraError):  # settings that make no sense are told with the first rows
            read = await asyncio.to_thread(
                lambda: navigation.RecentPlaces(self._session.settings.folder).read()
            )
            self._places = tuple(filter(self._model.bounds.allows, read))

    async def _keep_place(self, folder: str) -> None:
        if folder != navigation.BUCKETS and folder not in self._places[:1]:
            recent = navigation.RecentPlaces(self._session.settings.folder)
            self._places = tuple(
                filter(self._model.bounds.allows, await asyncio.to_thread(recent.add, folder))
            )

    # Counts

    def _count_selected(self) -> None:
        self._tell()
        if self.total["counting"] and not self._counting:
            self._counting = self._background.start(self._count())

    async def _count(self) -> None:
        try:
            while not self._stopped and (active := [c for c in self._model.counts if c.active]):
                await self._background.watched(
                    active[0].uri, lambda store: advance(store, active, _SLICE_SECONDS), self._tell
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
        return {**asdict(self._model.total()), "counting": counting}

    async def _count_matches(self, count: Count, text: str) -> None:
        def tell() -> None:
            if count is self._glob:
                state = {"error": count.error or "", "example": count.example or "", "active": count.active}
                self._match = {"text": text, **state, **asdict(count.tally)}

        while count is self._glob and count.active:
            try:
                await self._background.watched(
                    count.uri, lambda store: advance(store, [count], _SLICE_SECONDS), tell
                )
            except ChimeraError as e:
                count.error = str(e)
                tell()
