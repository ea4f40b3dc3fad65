"""The routes of the dashboard. There are no others."""

from __future__ import annotations

import logging
import re
from typing import Any
from urllib.parse import urlencode

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import allow_unauthenticated, authorized
from jupyter_server.auth.login import LoginFormHandler
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from jupyter_server.services.kernels.handlers import KernelHandler
from tornado import iostream, web
from tornado.websocket import WebSocketProtocol, WebSocketProtocol13
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler  # type: ignore[import-untyped]

from chimera_nb.server.assets import Assets
from chimera_nb.server.configuration import HEADERS
from chimera_nb.server.identity import network_of
from chimera_nb.server.kept_files import NAME, BundleHandler, FileHandler
from chimera_nb.server.pages import FullError

_KERNEL_ID = r"(?P<kernel_id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_WORDS = {
    403: ("You may not see this", "The dashboard does not know you, or this is another visitor's."),
    404: ("There is nothing here", "The dashboard itself is at its own address."),
    503: ("The dashboard is full", "All of its places are taken. One is free again when a visitor leaves."),
}
_OTHERWISE = ("This did not work", "The server's log says why.")

_FAILED = (
    '<p id="dash-failed" class="dash-note" role="alert">The dashboard could not start. '
    "The server's log says why.</p>"
)

_log = logging.getLogger(__name__)


def routes(base_url: str, assets: Assets) -> list[Any]:
    """All that can be asked for under a base URL."""
    base = re.escape(base_url)
    static = f"{base}static/{assets.version}/"
    files: list[Any] = [
        (f"{static}{re.escape(name)}/({only})", FileHandler, {"path": str(folder)})
        for name, only, folder in assets.folders
    ]
    files.append((f"{static}{re.escape(NAME)}", BundleHandler))
    without_slash = [(base.removesuffix("/"), SlashHandler)] if base_url != "/" else []
    return [
        (base, PageHandler),
        *without_slash,
        (f"{base}login", LoginHandler),
        (f"{base}healthz", HealthHandler),
        (f"{base}api/kernels/{_KERNEL_ID}", OneKernelHandler),
        (f"{base}api/kernels/{_KERNEL_ID}/channels", SocketHandler),
        (f"{base}voila/api/shutdown/{_KERNEL_ID}", LeaveHandler),
        *files,
    ]


class SafeHandler(JupyterHandler):
    """The headers on every answer, errors that say nothing of the inside, and no other origin let in."""

    def set_default_headers(self) -> None:
        for name, value in HEADERS.items():
            self.set_header(name, value)
        self.set_header("Server", "chimera")

    def set_cors_headers(self) -> None:
        """None: a token in a URL is a reason to let a visitor in, and none to let another site's scripts in."""

    def write_error(self, status_code: int, **_: Any) -> None:
        title, text = _WORDS.get(status_code, _OTHERWISE)
        if status_code == 503:
            self.set_header("Retry-After", "30")
        page = self.settings["jinja2_env"].get_template("error.html")
        self.finish(
            page.render(title=title, text=text, status=status_code, **self.settings["template_words"])
        )


class SlashHandler(SafeHandler):
    """The base URL as people type it, without its last slash; the page itself asks who they are."""

    @allow_unauthenticated
    def get(self) -> None:
        query = f"?{self.request.query}" if self.request.query else ""
        self.redirect(f"{self.request.path}/{query}")


class PageHandler(SafeHandler):
    """The dashboard: a page that waits for its visitor, or one that is rendered as they watch."""

    @web.authenticated
    async def get(self) -> None:
        if self.get_query_arguments("token"):
            self.redirect(self._address_without_token())
            return
        if self.request.headers.get("Sec-Fetch-Dest", "document") != "document":
            raise web.HTTPError(403)  # a picture or a frame of another site, and a kernel for each of them
        try:
            page = self.settings["pages"].take(self.current_user.username, self._network())
        except FullError:
            _log.warning("Refused a visitor: there are as many kernels as there may be")
            raise web.HTTPError(503) from None
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        _ = self.xsrf_token  # sets the cookie that the page's leaving is signed with
        try:
            async for piece in page.pieces():
                self.write(piece)
                await self.flush()
        except iostream.StreamClosedError:
            return
        if page.failed:
            self.write(_FAILED)

    def _network(self) -> str | None:
        """Whence the visitor comes; None where a proxy says who it is."""
        return None if self.identity_provider.user_header else network_of(self.request.remote_ip)

    def _address_without_token(self) -> str:
        """A token is kept in a cookie from here on: an address that is sent to a colleague carries none."""
        rest = [
            (name, value)
            for name in self.request.query_arguments
            if name != "token"
            for value in self.get_query_arguments(name)
        ]
        return self.settings["base_url"] + (f"?{urlencode(rest)}" if rest else "")


class LoginHandler(SafeHandler, LoginFormHandler):
    """Where a token is typed in. Where there is none to type, there is no such page."""

    def _render(self, message: Any = None) -> None:
        page = self.settings["jinja2_env"].get_template("login.html")
        self.finish(
            page.render(
                wrong=message is not None,
                xsrf=self.xsrf_form_html(),
                next=self.get_argument("next", self.settings["base_url"]),
                **self.settings["template_words"],
            )
        )

    @allow_unauthenticated
    def get(self) -> None:
        if not self.identity_provider.token:
            raise web.HTTPError(404)
        super().get()  # type: ignore[no-untyped-call]

    @allow_unauthenticated
    def post(self) -> None:
        if not self.identity_provider.token:
            raise web.HTTPError(404)
        super().post()  # type: ignore[no-untyped-call]


class HealthHandler(web.RequestHandler):
    """Whether it serves: for who watches the server, and for a page that has lost it. Says nothing else."""

    def get(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.write({"serves": True})


class OneKernelHandler(KernelHandler):
    """Asked by the front end as it connects, and by a page that has lost its kernel."""

    SUPPORTED_METHODS = ("GET",)

    def set_cors_headers(self) -> None:
        pass


class SocketHandler(VoilaKernelWebsocketHandler):
    """The front end's connection to its kernel; `sockets.WidgetsOnly` says what passes.

    A page that does not answer pings any more is taken for gone: see `ws_ping_interval`, which jupyter_server's mixin
    reads as milliseconds.
    """

    def get_websocket_protocol(self) -> WebSocketProtocol | None:
        protocol = super().get_websocket_protocol()
        if isinstance(protocol, WebSocketProtocol13):
            # tornado has pings of its own, and would take the same numbers for seconds: these are off.
            protocol.params.ping_interval = protocol.params.ping_timeout = 0
        return protocol

    async def open(self, kernel_id: str) -> None:
        self.kernel_manager.connected(kernel_id, self)
        await super().open(kernel_id)

    def on_message(self, ws_message: Any) -> None:
        if self.connection is not None:
            self.kernel_manager.heard(self.kernel_id)
            super().on_message(ws_message)

    def on_close(self) -> None:
        self.kernel_manager.disconnected(self.kernel_id, self)
        super().on_close()


class LeaveHandler(APIHandler):
    """A page that is closed gives its kernel back."""

    auth_resource = "kernels"

    def set_cors_headers(self) -> None:
        pass

    @web.authenticated
    @authorized
    async def post(self, kernel_id: str) -> None:
        await ensure_async(self.kernel_manager.shutdown_kernel(kernel_id, now=True))  # type: ignore[no-untyped-call]
        self.set_status(204)
        self.finish()


class NothingHereHandler(SafeHandler):
    """Every other address."""

    @allow_unauthenticated
    async def prepare(self) -> None:  # type: ignore[override]
        raise web.HTTPError(404)
