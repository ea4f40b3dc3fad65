"""The dashboard's server: put together, serve, stop."""

from __future__ import annotations

import asyncio
import logging
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import jinja2
from jupyter_server.services.config.manager import ConfigManager
from jupyter_server.services.contents.largefilemanager import LargeFileManager
from tornado.httpserver import HTTPServer
from tornado.web import Application
from traitlets.log import get_logger
from voila.configuration import VoilaConfiguration  # type: ignore[import-untyped]
from voila.notebook_renderer import NotebookRenderer  # type: ignore[import-untyped]

from chimera_nb.server.assets import find_assets, page_config
from chimera_nb.server.configuration import configuration, tornado_settings
from chimera_nb.server.handlers import NothingHereHandler, routes
from chimera_nb.server.identity import OwnKernel, VisitorIdentity
from chimera_nb.server.kept_files import Compressed
from chimera_nb.server.kernels import DashboardKernels, OneKernelSpec
from chimera_nb.server.listening import OwnersServer, listen
from chimera_nb.server.options import DashboardOptions
from chimera_nb.server.pages import Pages
from chimera_nb.server.resources import NOTEBOOK, dashboards_folder, template_folder
from chimera_nb.server.sockets import WidgetsOnly

_LARGEST_REQUEST = 1024 * 1024

_log = logging.getLogger(__name__)


def serve(
    options: DashboardOptions, on_ready: Callable[[str], None], *, notebook: Path | None = None
) -> None:
    """Serve until SIGINT or SIGTERM; `on_ready` is called once with the URL, when it answers.

    `notebook` is another one than dashboards/chimera.ipynb. Call it from the main thread. Raises SettingsError
    where the port cannot be had.
    """
    sockets = listen(options.host, options.port)
    folder = Path(tempfile.mkdtemp(prefix="chimera-dashboard-"))  # mode 700
    try:
        asyncio.run(_serve(options.with_token(), sockets, folder, on_ready, notebook))
    finally:
        for each in sockets:
            each.close()
        shutil.rmtree(folder, ignore_errors=True)


async def _serve(
    options: DashboardOptions,
    sockets: list[socket.socket],
    folder: Path,
    on_ready: Callable[[str], None],
    notebook: Path | None,
) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    kernels, pages, application = _application(options, folder, notebook)
    if kernels.fork_server is not None:
        kernels.fork_server.begin()
    application.settings["compressed"].bundle()
    # What a proxy says of the visitor's address and scheme is believed where its word on the user is.
    make = HTTPServer if options.guarded else OwnersServer
    server = make(application, xheaders=options.user_header is not None, max_body_size=_LARGEST_REQUEST)
    server.add_sockets(sockets)
    try:
        on_ready(options.url(sockets[0].getsockname()[1]))
        await stopped.wait()
    finally:
        get_logger().setLevel(logging.CRITICAL)  # of Voilà: a page that is broken off now is no error
        # Connections before kernels: a page whose kernel ends asks at once for another, on a connection it has.
        server.stop()
        await server.close_all_connections()
        await pages.close()
        await kernels.end_all()


def _application(
    options: DashboardOptions, folder: Path, notebook: Path | None
) -> tuple[DashboardKernels, Pages, Application]:
    dashboards = dashboards_folder()
    theme = template_folder(dashboards)
    assets = find_assets(theme / "static")
    config = configuration(options)
    for name in ("kernels", "visitors"):
        (folder / name).mkdir(mode=0o700)
    specs = OneKernelSpec(config=config)
    data_dir = {"CHIMERA_DATA_DIR": str(options.data_dir)} if options.data_dir else {}
    kernels = DashboardKernels(
        config=config,
        connection_dir=str(folder / "kernels"),
        kernel_spec_manager=specs,
        root_dir=str(dashboards),
        visitors=folder / "visitors",
        vouched=options.user_header is not None,
        extra_environment={**options.environment, **data_dir},
        fork=options.fork,
    )
    render = _renderer(
        config, notebook or dashboards / NOTEBOOK, theme, specs, page_config(options.base_url, assets)
    )
    pages = Pages(kernels, render, warm=options.warm, limit=options.kernels)
    identity = VisitorIdentity(config=config)
    application = Application(
        routes(options.base_url, assets),
        default_handler_class=NothingHereHandler,
        log_function=_log_request,
        config=config,
        compressed=Compressed(assets),
        pages=pages,
        kernel_manager=kernels,
        kernel_spec_manager=specs,
        identity_provider=identity,
        authorizer=OwnKernel(config=config, identity_provider=identity),
        kernel_websocket_connection_class=WidgetsOnly,
        jinja2_env=jinja2.Environment(loader=jinja2.FileSystemLoader(theme), autoescape=True),
        template_words={
            "theme_url": f"{options.base_url}static/{assets.version}/theme",
            "base_url": options.base_url,
        },
        **tornado_settings(options),
    )
    return kernels, pages, application


def _renderer(
    config: Any, notebook: Path, theme: Path, specs: OneKernelSpec, page: dict[str, Any]
) -> Callable[[str, Any], AsyncIterator[str]]:
    contents = _Notebooks(root_dir=str(notebook.parent), config=config)
    voila = VoilaConfiguration(config=config)

    async def render(kernel_id: str, manager: Any) -> AsyncIterator[str]:
        renderer = NotebookRenderer(
            voila_configuration=voila,
            traitlet_config=config,
            notebook_path=notebook.name,
            template_paths=[str(theme)],
            config_manager=ConfigManager(read_config_path=[]),
            contents_manager=contents,
            base_url=page["baseUrl"],
            kernel_spec_manager=specs,
            page_config={**page, "kernelId": kernel_id},
        )
        await renderer.initialize()
        async for piece, _ in renderer.generate_content_generator(kernel_id, manager):
            yield piece

    return render


class _Notebooks(LargeFileManager):
    """Reads our own notebook: whether its outputs may be trusted is no question, for it has none."""

    def mark_trusted_cells(self, nb: Any, path: str = "") -> None:
        pass


def _log_request(handler: Any) -> None:
    """What was refused and what broke. No query strings: a token may be in one."""
    status, request = handler.get_status(), handler.request
    if status >= 400:
        say = _log.error if status >= 500 else _log.warning
        say("%d %s %r from %s", status, request.method, request.path, request.remote_ip)
