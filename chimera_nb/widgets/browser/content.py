"""The files of a folder by what is in them: its catalogue, made while one looks on, and what is chosen of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from chimera_nb.session import Session
from chimera_nb.widgets.base.background import Background
from chimera_nb.widgets.base.generation import Generation
from chimera_nb.widgets.browser.states import Content, Facet, FacetValue
from pipeline.errors import ChimeraError

if TYPE_CHECKING:
    from chimera_nb.data.catalogue.catalogue import Catalogue
    from chimera_nb.data.catalogue.make import CatalogueProgress
    from pipeline.storage import Store

VALUES_SHOWN = 200  # of a facet; those that are chosen always are
_LABELS = {"event_type_id": "Sport", "event_name": "Event"}


class ContentChoice:
    """The choice of one browser; `show` is called on the loop with what is known, None for none."""

    def __init__(
        self, background: Background, session: Session, show: Callable[[Content | None], None]
    ) -> None:
        self._background, self._session, self._show = background, session, show
        self._generation = Generation()  # of what is shown: of the folder, and of the choice
        self._content: Content | None = None
        self._all: Catalogue | None = None
        self._chosen: Catalogue | None = None
        self._values: dict[str, set[str | None]] = {}
        self._days = ("", "")
        self._ids: tuple[str, ...] | None = None
        self._cancel = threading.Event()

    def open(self, folder: str, source: str | None) -> None:
        """Make the catalogue of a folder, or bring it up to date; nothing is chosen yet."""
        self.leave()
        self._cancel = threading.Event()
        self._tell(Content(folder, running=True))
        self._background.start(self._make(self._generation.number, folder, source))

    def stop(self) -> None:
        self._cancel.set()

    def leave(self) -> None:
        """Show none."""
        self._cancel.set()
        self._generation.renew()
        self._all = self._chosen = None
        self._values, self._days, self._ids = {}, ("", ""), None
        self._tell(None)

    def choose(self, facet: str, value: str | None, *, on: bool) -> None:
        """Take a value in or out. Raises UnknownNameError for what is no facet."""
        if self._all is None:
            return
        self._all.filter(**{facet: value})
        values = self._values.setdefault(facet, set())
        (values.add if on else values.discard)(value)
        self._choose()

    def choose_days(self, since: str, until: str) -> None:
        """Raises RefusedError for a text that is no day."""
        if self._all is not None:
            self._all.filter(since=since or None, until=until or None)
            self._days = (since, until)
            self._choose()

    def choose_ids(self, name: str, text: str) -> None:
        """Only the ids of a CSV; all for an empty text. Raises RefusedError for what is none."""
        from chimera_nb.data.catalogue.ids import ids_of_csv

        if self._all is not None:
            self._ids = tuple(ids_of_csv(text.encode(), name, self._all.key)) if text else None
            self._choose()

    def files(self) -> dict[str, int]:
        """The files that are chosen, with their bytes."""
        return self._chosen.sizes if self._chosen is not None else {}

    def _tell(self, content: Content | None) -> None:
        self._content = content
        self._show(content)

    def _choose(self) -> None:
        self._generation.renew()
        self._background.start(self._count(self._generation.number))

    async def _make(self, generation: int, folder: str, source: str | None) -> None:
        from chimera_nb.data.catalogue.catalogue import catalogue
        from chimera_nb.data.catalogue.make import CatalogueProgress

        at = CatalogueProgress()
        cancel = self._cancel

        def note(progress: CatalogueProgress) -> None:
            nonlocal at
            at = progress

        def make(store: Store) -> None:
            made = catalogue(
                folder, source=source, on_progress=note, cancel=cancel, store=store, session=self._session
            )
            if not self._generation.is_late(generation):
                self._all = self._chosen = made

        def tell() -> None:
            if not self._generation.is_late(generation):
                self._tell(Content(folder, running=True, progress=at.text))

        try:
            await self._background.watched(folder, make, tell)
        except ChimeraError as e:
            if not self._generation.is_late(generation):
                self._tell(Content(folder, error=str(e)))
            return
        if not self._generation.is_late(generation):
            await self._count(generation)

    async def _count(self, generation: int) -> None:
        everything, content = self._all, self._content
        if everything is None or content is None:
            return
        values = {facet: set(chosen) for facet, chosen in self._values.items() if chosen}
        (since, until), ids = self._days, self._ids
        counted: list[tuple[Catalogue, Content]] = []

        def count(_: Store) -> None:
            chosen = everything.filter(since=since or None, until=until or None, **values)
            if ids is not None:
                chosen = chosen.of_ids(ids)
            counted.append((chosen, _content_of(chosen, content.folder, values)))

        await self._background.in_thread(content.folder, count)
        if self._generation.is_late(generation):
            return
        self._chosen, found = counted[0]
        said = "" if ids is None else _said_of(ids, self._chosen.missing)
        self._tell(replace(found, since=since, until=until, ids=said))


def _content_of(chosen: Catalogue, folder: str, values: dict[str, set[str | None]]) -> Content:
    sizes = chosen.sizes
    facets = []
    for name, counts in chosen.counts().items():
        ticked = values.get(name, set())
        rows = [
            FacetValue(value, chosen.word(name, value), count, value in ticked)
            for value, count in counts.items()
        ]
        shown = [row for at, row in enumerate(rows) if at < VALUES_SHOWN or row.chosen]
        label = _LABELS.get(name) or name.replace("_", " ").capitalize()
        facets.append(Facet(name, label, tuple(shown), len(rows) - len(shown)))
    return Content(
        folder,
        files=chosen.files,
        failed=len(chosen.failed),
        rows=len(chosen),
        matching=len(sizes),
        bytes=sum(sizes.values()),
        facets=tuple(facets),
        has_days=bool(chosen.days),
    )


def _said_of(ids: tuple[str, ...], missing: tuple[str, ...]) -> str:
    said = f"{len(ids):,} ids"
    if missing:
        few = ", ".join(missing[:3])
        said += f", {len(missing):,} in no file here: {few}{' ...' if len(missing) > 3 else ''}"
    return said
