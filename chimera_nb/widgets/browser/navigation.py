"""Moving between folders: the parent, breadcrumbs, what may be shown, and the folders opened last.

`gs://` is the list of buckets. Folders end in "/". Names are opaque: `..` in a bucket is a folder like any other.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from chimera_nb.machine.private import private_data_dir
from pipeline.archives.names import is_archive_name
from pipeline.errors import ChimeraError, RefusedError
from pipeline.uri import SEPARATOR, Uri

BUCKETS = "gs://"
_RECENT = 20


def as_folder(uri: str) -> str:
    """The URI with the "/" that a folder ends in, or "!/" where it is named as an archive."""
    if uri.endswith("/"):
        return uri
    return f"{uri}{SEPARATOR if is_archive_name(uri) else '/'}"


def parent(folder: str) -> str:
    """The folder above; that of a bucket is `gs://`, and that of a top is itself."""
    if folder in {BUCKETS, "/"}:
        return folder
    inside = folder[:-1]  # one "/" at a time: `a//` is below `a/`
    return inside[: inside.rfind("/") + 1] or folder


class Crumb(NamedTuple):
    """A folder of a path: what it is called, and its URI."""

    label: str
    uri: str


def crumbs(folder: str, top: str = BUCKETS) -> list[Crumb]:
    """Each folder from the top down to this one, as its label and its URI."""
    if folder == BUCKETS or not folder.startswith(BUCKETS):
        found, at = [], folder
        while at not in {top, BUCKETS} and parent(at) != at:
            found.append(Crumb(at[len(parent(at)) :], at))
            at = parent(at)
        return [Crumb("Buckets" if at == BUCKETS else at, at), *reversed(found)]
    uri = Uri.parse(folder)
    at = f"gs://{uri.bucket}/"
    found = [Crumb("Buckets", BUCKETS), Crumb(uri.bucket, at)]
    for name in uri.written_path.split("/")[:-1]:
        at += f"{name}/"
        label = name[:-1] if Uri.parse(at).member == "" else name  # an archive
        found.append(Crumb(label or "/", at))
    return found


@dataclass(frozen=True)
class BrowsingScope:
    """Where a browser may look. Whoever uses a dashboard uses its server's files and rights, so it is asked each time.

    buckets: the only ones allowed; None for all that the credentials see.
    top: the local folder below which one may look, with its "/"; None for buckets only.
    """

    buckets: tuple[str, ...] | None = None
    top: str | None = None

    def check(self, uri: str) -> None:
        """Raises RefusedError for what is out of bounds, and for what is no URI."""
        if uri == BUCKETS:
            return
        at = Uri.parse(uri)
        if at.bucket:
            if self.buckets is not None and at.bucket not in self.buckets:
                allowed = ", ".join(self.buckets) or "none"
                raise RefusedError(
                    f"{uri}: bucket {at.bucket} is not among the ones allowed here ({allowed}); add it to the settings"
                )
        elif self.top is None:
            raise RefusedError(
                f"{uri}: this browser shows buckets (gs://bucket/folder/); for local files make one on a folder, "
                "as in BucketBrowser('/data/')"
            )
        elif not at.startswith(self.top) or ".." in at.path.split("/"):
            raise RefusedError(f"{uri}: this browser shows what is in {self.top}")

    def allows(self, uri: str) -> bool:
        try:
            self.check(uri)
        except RefusedError:
            return False
        return True


def console_url(uri: str) -> str:
    """The page of Google Cloud's console that shows a folder, an object, or the archive that it is in."""
    file = Uri.parse(uri).file
    found = f"{file.bucket}/{file.path}"
    folder = found if found.endswith("/") else f"_details/{found}"
    return f"https://console.cloud.google.com/storage/browser/{quote(folder.rstrip('/'))}"


def typed(text: str) -> str:
    """The URI that a person means: `bucket/folder` is taken for a gs:// one. Raises RefusedError."""
    text = text.lstrip()
    if not text:
        return BUCKETS
    uri = text if text.startswith(("/", "gs:")) or "://" in text else f"{BUCKETS}{text}"
    if uri == BUCKETS:
        return uri
    at = Uri.parse(uri)
    if at.path.endswith("!") and is_archive_name(at.path[:-1]):
        return f"{uri}/"
    return f"gs://{at.bucket}/" if at.bucket and not at.path else uri


class RecentFolders:
    """The folders that were opened last, the latest first, in a file that all of this user's browsers share."""

    def __init__(self, data_dir: Path) -> None:
        self._file = data_dir / "recent-places.json"

    def read(self) -> tuple[str, ...]:
        """Empty where there is no such file, or one that is not ours."""
        try:
            folders = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return ()
        return _latest(folders if isinstance(folders, list) else ())

    def add(self, folder: str) -> tuple[str, ...]:
        """All of them, with this one first. That it cannot be kept is no reason to stop: it is only shown."""
        folders = _latest((folder, *self.read()))
        with contextlib.suppress(OSError, ChimeraError):
            from pipeline.storage.local import LocalFiles

            # Not through the access lists: this is a file of our own, which nobody names.
            private_data_dir(self._file.parent)
            LocalFiles().write_bytes(
                Uri("", str(self._file)),
                json.dumps(folders, indent=0).encode(),
                create_only=False,
                private=True,
            )
        return folders


def _latest(folders: Iterable[object]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(folder for folder in folders if isinstance(folder, str)))[:_RECENT]
