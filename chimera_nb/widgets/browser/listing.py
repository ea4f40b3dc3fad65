"""The rows of one folder, as far as they have been asked for: one list request a page, and never a bucket whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from chimera_nb.widgets.browser import archives
from chimera_nb.widgets.browser.navigation import BUCKETS
from pipeline.errors import ChimeraError
from pipeline.uri import SEPARATOR

if TYPE_CHECKING:
    from pipeline.archives.index import Index
    from pipeline.storage import ListingPage, Store

PAGE_ROWS = 1000  # the most that one list request brings


class Row(NamedTuple):
    """An object as it is shown. A folder is only its name, which ends in "/"."""

    name: str  # below the folder
    size: int  # bytes
    updated: str | None  # RFC 3339
    codec: str  # by its suffix; "" for none
    opens: bool = False  # as an archive


class Rows(NamedTuple):
    """What a page brought, in the order of the listing."""

    folders: Sequence[str]
    objects: Sequence[Row]
    last: bool  # there are no more
    unnamed: int = 0  # left out, because no text stands for their names


class Listing:
    """Folders and objects right in a folder whose names start with `prefix`; both lists only ever grow.

    `fetch` blocks, and is called by one thread at a time; all else belongs to the one who shows the rows.
    `known` are rows that are there from the start, and are not shown twice. `generation` is the one in which it was
    shown last: what comes for it is late when another is shown.
    """

    def __init__(self, folder: str, prefix: str = "", known: Rows | None = None) -> None:
        self.folder = folder
        self.prefix = prefix
        self.generation = 0
        self.folders: list[str] = list(known.folders) if known else []
        self.objects: list[Row] = list(known.objects) if known else []
        self.complete = known.last if known else False
        self.unnamed = 0
        self.loading = False
        self.failed = False
        self.index: Index | None = None  # of the archive that the folder is in
        self._pages: Iterator[ListingPage] | None = None
        self._seen = {*self.folders, *(row.name for row in self.objects)}

    @property
    def fresh(self) -> bool:
        """Whether nothing has been asked for yet."""
        return self._pages is None and not self.complete

    def fetch(self, store: Store, buckets: Sequence[str] | None = None) -> Rows:
        """The next rows: one request. `buckets` are the ones allowed, of which a list needs no request.

        In an archive that is being looked through, these are the rows that were found in a moment; perhaps none.
        Raises StorageError; when it is called again it goes on after the rows that were taken.
        """
        if self.folder == BUCKETS:
            return _bucket_rows(store, buckets, self.prefix.casefold())

        begun = self._pages is not None
        if self._pages is None:
            self.index = archives.index_of(store, self.folder)
            self._pages = store.list_folder(self.folder + self.prefix, page_size=PAGE_ROWS)
        try:
            for page in self._pages:
                rows = self._rows(page)
                if begun or rows.folders or rows.objects or not self._seen or self.index:
                    return rows
        except ChimeraError:
            self._pages = None  # an iterator that has raised would say that it is at its end
            self._seen = {*self.folders, *(row.name for row in self.objects)}
            raise
        return Rows((), (), last=True)

    def fetch_on(
        self, store: Store, wanted: Callable[[], bool], buckets: Sequence[str] | None = None
    ) -> Rows:
        """The next rows; in an archive until there are some, for as long as they are `wanted()`."""
        rows = self.fetch(store, buckets)
        while self.index and not (rows.folders or rows.objects or rows.last or rows.unnamed) and wanted():
            rows = self.fetch(store, buckets)
        return rows

    def take(self, rows: Rows) -> None:
        """Show what `fetch` brought."""
        self.folders += rows.folders
        self.objects += rows.objects
        self.unnamed += rows.unnamed
        self.complete = rows.last

    def containing(self, text: str) -> Rows:
        """The loaded rows with this text in their names, in any letter case."""
        folded = text.casefold()
        return Rows(
            [name for name in self.folders if folded in name.casefold()],
            [row for row in self.objects if folded in row.name.casefold()],
            last=self.complete,
        )

    def uri(self, key: int) -> str:
        """The URI of a row: object n is n, folder n is -1 - n. That of an archive is the folder that it is.

        Raises IndexError.
        """
        if key < 0:
            return self.folder + self.folders[-1 - key]
        row = self.objects[key]
        return self.folder + row.name + (SEPARATOR if row.opens else "")

    def all_keys(self) -> list[int]:
        """Of all rows, in the order they are shown."""
        return [*(-1 - n for n in range(len(self.folders))), *range(len(self.objects))]

    def between(self, one: int, other: int) -> list[int]:
        """The keys from one row to another, either way, in the order they are shown: folders first.

        Raises IndexError for a row that is not there, before any list is made of what lies between.
        """
        self.uri(one), self.uri(other)
        ends = sorted(key + len(self.folders) if key >= 0 else -1 - key for key in (one, other))
        count = len(self.folders)
        return [at - count if at >= count else -1 - at for at in range(ends[0], ends[1] + 1)]

    def _rows(self, page: ListingPage) -> Rows:
        start = len(self.folder)
        folders = [uri[start:] for uri in page.folders]
        objects = [
            Row(
                entry.uri[start:],
                entry.size,
                entry.updated,
                codec_by_name(entry.uri),
                archives.opens(entry.uri),
            )
            for entry in page.objects
        ]
        shown_folders = [name for name in folders if _is_text(name) and name not in self._seen]
        shown = [row for row in objects if _is_text(row.name) and row.name not in self._seen]
        unnamed = sum(not _is_text(name) for name in (*folders, *(row.name for row in objects)))
        return Rows(shown_folders, shown, last=False, unnamed=unnamed)


def codec_by_name(name: str) -> str:
    """The codec that the suffix promises, or "tar"; what it is, only the bytes say."""
    last = name[name.rfind("/") + 1 :]
    dot = last.rfind(".")
    return _suffixes().get(last[dot:].lower(), "") if dot > 0 else ""


@cache
def _suffixes() -> dict[str, str]:
    from pipeline.codecs import codec_names, get_codec

    return {".tar": "tar"} | {suffix: name for name in codec_names() for suffix in get_codec(name).suffixes}


def _bucket_rows(store: Store, allowed: Sequence[str] | None, text: str) -> Rows:
    if allowed is None:
        allowed = store.list_buckets()
    return Rows([f"{bucket}/" for bucket in sorted(allowed) if text in bucket], (), last=True)


def _is_text(name: str) -> bool:
    """A local name may hold bytes that are no UTF-8; no browser can be told it."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
