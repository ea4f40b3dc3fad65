"""BucketBrowser: browse buckets and folders in a notebook or a dashboard, and select what a job reads."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import traitlets
from ipywidgets import TypedTuple

from chimera_nb.arguments import AnyPath, path_text, texts
from chimera_nb.session import Session
from chimera_nb.widgets.base import assets
from chimera_nb.widgets.base.widget import existing, held, refusing
from chimera_nb.widgets.browser import messages, navigation, states
from chimera_nb.widgets.browser.content_requests import ContentRequests
from chimera_nb.widgets.browser.listing import Listing, Rows
from chimera_nb.widgets.browser.model import ROWS_AT_ONCE, Browser
from chimera_nb.widgets.browser.pattern_count import PatternCount, first_matches
from chimera_nb.widgets.browser.selection_requests import SelectionRequests
from pipeline.errors import ChimeraError, ObjectNotFoundError
from pipeline.folders import absolute
from pipeline.uri import SEPARATOR, Uri

_ON_SECONDS = 2.0  # of an archive in which nothing new turns up, until the page has to ask for more


class BucketBrowser(ContentRequests, SelectionRequests):
    """Browse buckets and folders, and select objects, folders and patterns.

    uri: the folder to begin in; left out, the list of buckets. A local folder shows itself and what is below it.
    session: where the store is; left out, one of its own.
    buckets: the names of the only ones that may be looked into; left out, all that the credentials see.

    Every call to a store runs in a thread, and none before the browser is on screen or something is selected.
    """

    _esm = assets.script("browser/view")
    _css = assets.style("browser/list", "browser/head", "browser/style", "browser/tray", "browser/content")

    path = traitlets.Unicode(help="The folder that is shown; set it to go elsewhere.").tag(sync=True)
    current = traitlets.Unicode(
        help="The file that was clicked or moved to last, to look inside of; empty for a folder."
    ).tag(sync=True)
    height = traitlets.Int(360, min=120, help="Of the list, in pixels.").tag(sync=True)
    _match = traitlets.Dict().tag(sync=True)
    _recent_folders = TypedTuple(traitlets.Unicode()).tag(sync=True)
    _console = traitlets.Unicode(help="Where Google's console shows what is on screen; empty for none.").tag(
        sync=True
    )

    def __init__(
        self,
        uri: AnyPath = navigation.BUCKETS,
        session: Session | None = None,
        *,
        buckets: Iterable[str] | None = None,
        **traits: Any,
    ) -> None:
        uri = path_text(uri)
        if not uri.startswith(navigation.BUCKETS):
            uri = str(Path(absolute(Uri.parse(uri))))
        folder = navigation.as_folder(uri)
        top = None if folder.startswith(navigation.BUCKETS) else folder
        self._model = Browser(
            folder, navigation.BrowsingScope(None if buckets is None else texts(buckets, "buckets"), top)
        )
        self._generation = self._model.generation
        self._begun = False  # on the folders that were looked into lately
        self._in_cloud = False
        super().__init__(session, path=folder, **traits)
        self._pattern = PatternCount(self._background, self._show_match)

    def go(self, uri: AnyPath) -> None:
        """Show another folder. Raises RefusedError when it may not be looked into."""
        self._model.open(navigation.as_folder(path_text(uri)))
        self.error = ""
        self._pattern.clear()
        self.path = self._model.folder
        self._show()

    # Traits

    @traitlets.validate("path")
    def _valid_path(self, proposal: dict[str, Any]) -> str:
        with refusing():
            self._model.scope.check(proposal["value"])
            return navigation.as_folder(proposal["value"])

    @traitlets.validate("current")
    def _valid_current(self, proposal: dict[str, Any]) -> str:
        with refusing():
            if proposal["value"]:  # it is what is looked inside of, and a front end may set it
                self._model.scope.check(proposal["value"])
        return proposal["value"]

    @traitlets.observe("path", "current")
    def _show_console(self, _: object = None) -> None:
        """Not before it is known that the buckets are Google's."""
        at = self.current or self.path
        there = self._in_cloud and at.startswith(navigation.BUCKETS) and at != navigation.BUCKETS
        self._console = navigation.console_url(at) if there else ""

    @traitlets.observe("path")
    def _on_path(self, change: dict[str, Any]) -> None:
        if change["new"] != self._model.folder:
            self.go(change["new"])

    # What the front end asks for

    def _on_front_end(self) -> None:
        if not self._begun:
            self._begun = True
            self._background.start(self._read_recent_folders())
        self._show()

    def _asked_go(self, request: messages.Go) -> None:
        uri = navigation.typed(request.text)
        self._model.scope.check(uri)
        if uri.endswith("/"):
            self.go(uri)
        else:
            self.error = ""
            self._background.start(self._find(uri))

    def _asked_restore(self, request: messages.Restore) -> None:
        self._model.scope.check(folder := navigation.as_folder(request.folder))
        self.error = ""
        self._pattern.clear()
        self._model.open(folder)
        self._model.narrow(request.filter)
        self.path = folder
        self._show()
        if request.selected is not None:
            self.selected = request.selected
        self.current = request.file

    def _asked_filter(self, request: messages.Filter) -> None:
        self.error = ""
        self._narrow(request.text)

    def _asked_more(self, _: messages.More) -> None:
        if not self._model.shown.failed:
            self._load(self._model.shown)

    def _asked_retry(self, _: messages.Retry) -> None:
        self.error = ""
        self._model.shown.failed = False
        self._resume(lambda count: bool(count.error))
        self._show()
        self._count_selected()

    def _asked_rest(self, request: messages.Rest) -> None:
        with existing("row"):
            uri = self._model.shown.uri(request.at)
        self.current = "" if uri.endswith("/") else uri

    def _asked_match(self, request: messages.Match) -> None:
        self.error = ""
        self._pattern.count(request.text, self._model.pattern)

    def _asked_list_match(self, request: messages.ListMatch) -> None:
        self.error = ""
        self._background.start(self._list_match(request, self._model.pattern(request.text)))

    def _asked_stop_match(self, _: messages.StopMatch) -> None:
        self._pattern.stop()

    # Rows

    def _show(self) -> None:
        """Send what is there of the rows on screen, and ask for the first when there are none."""
        if self._presence.was_seen:
            if self._model.shown.fresh:
                self._load(self._model.shown)
            self._send_rows(0, 0)

    def _send_rows(self, folders: int, objects: int) -> None:
        while True:
            message = self._model.rows_message(folders, objects)
            self.post(message)
            if not message.rest:
                return
            folders, objects = len(self._model.shown.folders), objects + ROWS_AT_ONCE

    def _load(self, listing: Listing) -> None:
        """Ask for the next page, unless it is on its way."""
        if not (listing.loading or listing.complete or listing.failed):
            listing.loading = self._background.start(self._load_page(listing))

    async def _load_page(self, listing: Listing) -> None:
        folders, objects = len(listing.folders), len(listing.objects)
        buckets = self._model.scope.buckets
        found: list[Rows] = []
        until = time.monotonic() + _ON_SECONDS

        def is_late() -> bool:
            return self._generation.is_late(listing.generation)

        def wanted() -> bool:
            return not is_late() and time.monotonic() < until

        def tell() -> None:
            if not is_late() and listing.index and listing.index.reached:
                # None yet: only how far the archive has been looked through.
                self._send_rows(folders, objects)

        try:
            await self._background.watched(
                listing.folder, lambda store: found.append(listing.fetch_on(store, wanted, buckets)), tell
            )
        except ChimeraError as e:
            listing.failed = True
            if not is_late():
                self.error = str(e)
        else:
            listing.take(found[0])
            self._in_cloud = self._session.settings.place == "cloud"
            self._show_console()
        finally:
            listing.loading = False
        if not is_late():
            self._send_rows(folders, objects)
            if not folders and not objects and (listing.folders or listing.objects):
                await self._keep_recent_folder(listing.folder)

    async def _find(self, uri: str) -> None:
        """Go to what was typed without a "/" at its end: a folder, else what is named so, or begins so."""
        generation, name = self._generation.number, uri[uri.rfind("/") + 1 :]
        folder = uri[: len(uri) - len(name)]
        try:
            rows = await self._background.in_thread(
                uri,
                lambda store: Listing(folder, name).fetch_on(
                    store, lambda: not self._generation.is_late(generation)
                ),
            )
            if not rows.folders and not rows.objects:
                raise ObjectNotFoundError(uri, "there is nothing whose name begins so")
        except ChimeraError as e:
            self.error = str(e)
            return
        if self._generation.is_late(generation):
            return  # somebody went elsewhere meanwhile
        if f"{name}/" in rows.folders:
            self.go(f"{uri}/")
        elif any(row.name == name and row.opens for row in rows.objects):
            self.go(uri + SEPARATOR)
        else:
            self.go(folder)
            self._narrow(name)

    def _narrow(self, text: str) -> None:
        if text != self._model.filter:
            self._model.narrow(text)
            self._show()

    async def _read_recent_folders(self) -> None:
        with contextlib.suppress(ChimeraError):  # settings that make no sense are told with the first rows
            read = await asyncio.to_thread(
                lambda: navigation.RecentFolders(self._session.settings.folder).read()
            )
            self._recent_folders = tuple(filter(self._model.scope.allows, read))

    async def _keep_recent_folder(self, folder: str) -> None:
        if folder != navigation.BUCKETS and folder not in self._recent_folders[:1]:
            recent = navigation.RecentFolders(self._session.settings.folder)
            self._recent_folders = tuple(
                filter(self._model.scope.allows, await asyncio.to_thread(recent.add, folder))
            )

    async def _list_match(self, request: messages.ListMatch, pattern: str) -> None:
        try:
            files, more = await self._background.in_thread(
                pattern, lambda store: first_matches(store, pattern)
            )
            error = ""
        except ChimeraError as e:
            files, more, error = (), False, str(e)
        self.post(messages.MatchedFilesMessage(request.view[:64], request.text, files, more, error))

    def _show_match(self, matched: states.Matched | None) -> None:
        self._match = held(matched)
