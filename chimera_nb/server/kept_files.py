"""Scripts, styles and the theme: kept by browsers for good, and compressed once for everybody."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Callable
from pathlib import Path

from tornado import web

from chimera_nb.server.assets import Assets
from chimera_nb.server.bundle import NAME, bundle
from chimera_nb.server.configuration import HEADERS

__all__ = ["NAME", "BundleHandler", "Compressed", "FileHandler"]

_COMPRESSIBLE = re.compile("javascript|css|json|svg|text/")
_A_YEAR = 365 * 24 * 3600
_LEVEL = 7


class Compressed:
    """Bodies by their names, each compressed once, in a thread; whoever asks meanwhile waits for the same one."""

    def __init__(self, assets: Assets) -> None:
        self._folders = {name: folder for name, _, folder in assets.folders}
        self._bodies: dict[str, asyncio.Task[bytes]] = {}

    def of(self, name: str, read: Callable[[], bytes]) -> asyncio.Task[bytes]:
        """The bytes that `read` gives, compressed. Needs a running loop."""
        if name not in self._bodies:
            work = asyncio.to_thread(lambda: gzip.compress(read(), _LEVEL, mtime=0))
            self._bodies[name] = asyncio.create_task(work)
        return self._bodies[name]

    def bundle(self) -> asyncio.Task[bytes]:
        """The chunks that every page asks for. Asked for as the server starts, it is there for the first visitor."""
        return self.of(NAME, self.whole_bundle)

    def whole_bundle(self) -> bytes:
        """The same, not compressed."""
        return bundle(self._folders)


class KeptHandler(web.RequestHandler):
    """What has its version in its address, so that it never changes."""

    def set_default_headers(self) -> None:
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def set_extra_headers(self, path: str) -> None:  # noqa: ARG002 - tornado's signature
        self.set_header("Cache-Control", f"public, max-age={_A_YEAR}, immutable")
        self.set_header("Vary", "Accept-Encoding")

    async def answer(self, content_type: str, body: asyncio.Task[bytes]) -> None:
        """Finish with a body that is compressed."""
        self.set_header("Content-Type", content_type)
        self.set_header("Content-Encoding", "gzip")
        self.set_extra_headers("")
        self.finish(await asyncio.shield(body))

    def takes_gzip(self) -> bool:
        return "gzip" in self.request.headers.get("Accept-Encoding", "")


class BundleHandler(KeptHandler):
    """The chunks that every page asks for, in one."""

    async def get(self) -> None:
        compressed: Compressed = self.settings["compressed"]
        if self.takes_gzip():
            await self.answer("text/javascript", compressed.bundle())
        else:
            self.set_header("Content-Type", "text/javascript")
            self.set_extra_headers("")
            self.finish(await asyncio.to_thread(compressed.whole_bundle))


class FileHandler(KeptHandler, web.StaticFileHandler):
    """A file of one of the folders."""

    async def get(self, path: str, include_body: bool = True) -> None:
        self.path = self.parse_url_path(path)
        found = self.validate_absolute_path(self.root, self.get_absolute_path(self.root, self.path))
        if found is None:
            return
        self.absolute_path = found
        content_type = self.get_content_type()
        if include_body and self.takes_gzip() and _COMPRESSIBLE.search(content_type):
            compressed: Compressed = self.settings["compressed"]
            await self.answer(content_type, compressed.of(found, Path(found).read_bytes))
        else:
            await super().get(path, include_body)

    @classmethod
    def get_content_version(cls, abspath: str) -> str:  # noqa: ARG003 - tornado's signature
        return ""  # an ETag of the content would be computed for files that are never asked for again

    def compute_etag(self) -> None:
        return None
