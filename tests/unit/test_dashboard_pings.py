"""A page that does not answer pings any more loses its connection, and one that answers keeps it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from jupyter_server.auth.authorizer import AllowAllAuthorizer
from jupyter_server.auth.identity import IdentityProvider
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application
from websockets.asyncio.client import connect

from chimera_nb.server.configuration import tornado_settings
from chimera_nb.server.handlers import SocketHandler
from chimera_nb.server.options import DashboardOptions

PATIENCE_SECONDS = 90
INTERVAL_MS = 20
HANDSHAKE = (
    b"GET /k?session_id=s&token=t HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Kernels:
    """As much of the dashboard's kernels as a connection asks of them."""

    def __init__(self) -> None:
        self.gone, self.answered = asyncio.Event(), asyncio.Event()
        self.pongs = 0

    def get_kernel(self, _: str) -> None:
        return None

    def connected(self, *_: object) -> None:
        pass

    def disconnected(self, *_: object) -> None:
        self.gone.set()


class CountedSocket(SocketHandler):
    def on_pong(self, data: bytes) -> None:
        super().on_pong(data)
        self.kernel_manager.pongs += 1
        if self.kernel_manager.pongs == 10:
            self.kernel_manager.answered.set()


class Connection:
    """To a kernel that has nothing to say."""

    kernel_ws_protocol = None

    def __init__(self, **_: object) -> None:
        self.session = self

    async def connect(self) -> None:
        pass

    def disconnect(self) -> None:
        pass


@asynccontextmanager
async def served(kernels: Kernels, timeout_ms: int) -> AsyncIterator[int]:
    """The port where connections to kernels are served with the dashboard's settings, but with quick pings."""
    identity = IdentityProvider(token="t")
    pings = {"ws_ping_interval": INTERVAL_MS, "ws_ping_timeout": timeout_ms}
    application = Application(
        [(r"/(?P<kernel_id>\w+)", CountedSocket)],
        identity_provider=identity,
        authorizer=AllowAllAuthorizer(identity_provider=identity),
        kernel_manager=kernels,
        kernel_websocket_connection_class=Connection,
        **{**tornado_settings(DashboardOptions()), **pings},
    )
    server = HTTPServer(application)
    listening, port = bind_unused_port()
    server.add_socket(listening)
    try:
        yield port
    finally:
        server.stop()
        await server.close_all_connections()


def test_a_page_that_does_not_answer_pings_is_let_go():
    async def visit() -> None:
        kernels = Kernels()
        async with served(kernels, timeout_ms=3 * INTERVAL_MS) as port:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HANDSHAKE)  # and then nothing, as one that lost its network
            async with asyncio.timeout(PATIENCE_SECONDS):
                await kernels.gone.wait()
            writer.close()
            await writer.wait_closed()

    asyncio.run(visit())


def test_a_page_that_answers_stays_and_no_complaint_is_logged(caplog):
    async def visit() -> None:
        kernels = Kernels()
        async with (
            served(kernels, timeout_ms=PATIENCE_SECONDS * 1000) as port,
            connect(f"ws://127.0.0.1:{port}/k?session_id=s&token=t"),
        ):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await kernels.answered.wait()
            assert not kernels.gone.is_set()

    with caplog.at_level(logging.WARNING):
        asyncio.run(visit())
    assert caplog.messages == []
