"""Archives in the browser: what opens as one, how far one has been looked through, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chimera_nb.widgets.base.messages import State
from pipeline.archives.names import DEEPEST, is_archive_name
from pipeline.uri import SEPARATOR, Uri

if TYPE_CHECKING:
    from pipeline.archives.index import Index
    from pipeline.storage import Store


@dataclass(frozen=True)
class ArchiveState(State):
    """How far the archive that is open has been looked through.

    streamed    it is compressed as a whole, and has to be read through in order
    read, size  bytes, as stored; both 0 once all that it holds is known
    note        what is worth saying of it then
    fault       why not all of it is there, in a sentence without its full stop
    """

    streamed: bool
    read: int = 0
    size: int = 0
    note: str = ""
    fault: str = ""


def opens(uri: str) -> bool:
    """Whether a file's row is to open as a folder: by its name, and not in more archives than are looked into."""
    return is_archive_name(uri) and (SEPARATOR not in uri or len(Uri.parse(uri).members) < DEEPEST)


def index_of(store: Store, folder: str) -> Index | None:
    """What the archive holds that a folder is in; None for a folder in none.

    Raises StorageError, and BadFileError for an archive that is not looked into.
    """
    from pipeline.archives.store import ArchiveStore

    place = Uri.parse(folder)
    return store.index(place.archive) if place.members and isinstance(store, ArchiveStore) else None


def state_of(index: Index, folder: str) -> ArchiveState:
    """How far the archive of a folder has been looked through; once it is, also what is to be told of it."""
    if reached := index.reached:
        return ArchiveState(index.is_in_order, *reached)
    return ArchiveState(
        index.is_in_order, note=index.outline.note or "", fault=_fault(index, Uri.parse(folder).archive)
    )


def _fault(index: Index, archive: str) -> str:
    if fault := index.outline.fault:
        subject = f"{archive}:" if fault.startswith("the ") else archive
        return (
            f"{subject} {fault}; what is whole before that is shown" if len(index) else f"{subject} {fault}"
        )
    locked = index.encrypted
    if not locked:
        return ""
    which = "its files are" if locked == len(index) else f"{locked:,} of its {len(index):,} files are"
    return f"{archive}: {which} encrypted; upload it without a password"
