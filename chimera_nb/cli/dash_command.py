"""dash: the dashboard, for one person on this machine or for many behind a proxy."""

from __future__ import annotations

import logging
import os
import webbrowser
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chimera_nb.cli import display
from chimera_nb.cli.options import AsJson, DataDir
from chimera_nb.server.importing import import_server
from chimera_nb.settings import load_settings
from pipeline.errors import SettingsError, StackError
from pipeline.folders import home_expanded
from pipeline.printable import guard_terminal

if TYPE_CHECKING:
    from chimera_nb.server.options import DashboardOptions

TOKEN_VARIABLE = "CHIMERA_DASH_TOKEN"  # noqa: S105 - the name of a variable, not a token


def register(app: typer.Typer) -> None:
    app.command()(dash)


def dash(
    *,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Left out: 8866, or the next that is free. 0: any.", show_default=False
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(help="The address to listen on. Other than this machine's own, visitors need a token."),
    ] = "localhost",
    base_url: Annotated[str, typer.Option(help="The path it is found under, behind a proxy.")] = "/",
    token: Annotated[
        str | None,
        typer.Option(
            envvar=TOKEN_VARIABLE,
            help="What visitors must show. Left out: made where one is needed, and printed with the address.",
            show_default=False,
            show_envvar=True,
        ),
    ] = None,
    user_header: Annotated[
        str | None,
        typer.Option(
            help="The request header in which an identity-aware proxy names the user, who is then recorded as the "
            "maker of a job. Requests without it are refused. Only for a server that nothing but that proxy can reach.",
            show_default=False,
        ),
    ] = None,
    kernels: Annotated[
        int,
        typer.Option(
            min=1,
            help="The most pages there may be at once; where no proxy names users, half for an address.",
        ),
    ] = 32,
    no_fork: Annotated[
        bool,
        typer.Option(
            "--no-fork",
            help="Start each page's kernel as a process from its beginning, not as a copy of one that has imported "
            "what it needs.",
        ),
    ] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Serve the dashboard until Ctrl-C."""
    from chimera_nb.server.options import DashboardOptions

    check_home()
    folder = load_settings(data_dir).data_dir if data_dir else None
    options = DashboardOptions(
        host=host,
        port=port,
        base_url=base_url,
        token=token or None,
        user_header=user_header,
        data_dir=folder,
        kernels=kernels,
        fork=not no_fork,
    )
    if missing := _no_stack(data_dir):
        display.err.print(display.text(missing))
    serve_dashboard(options, browser=not (no_browser or as_json), as_json=as_json)


def check_home() -> None:
    """Raises SettingsError where Jupyter, which the dashboard is made of, would find no home folder."""
    try:
        home_expanded("~")
    except SettingsError as e:
        raise SettingsError(
            "the dashboard keeps files of Jupyter in a home folder, and this user has none; set HOME to a folder "
            "that can be written"
        ) from e


def serve_dashboard(options: DashboardOptions, *, browser: bool, as_json: bool = False) -> None:
    """Serve until Ctrl-C, and say where. Raises SettingsError where the port cannot be had."""
    import_server()
    from chimera_nb.server.server import serve

    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    guard_terminal()

    def on_ready(url: str) -> None:
        if as_json:
            display.print_json({"url": url, "pid": os.getpid()})
        else:
            display.out.print(display.text(f"dashboard     {url}     Ctrl-C stops it"))
        if browser:
            webbrowser.open_new_tab(url)

    serve(replace(options), on_ready)


def _no_stack(data_dir: Path | None) -> str | None:
    """What to do where no local stack runs, in one line. The dashboard comes up all the same: one may come later."""
    from chimera_nb.local import stack

    settings = load_settings(data_dir)
    if settings.store.cloud.is_there:
        return None
    try:
        found = stack.find(settings.data_dir)
    except StackError as e:
        return str(e)
    return (
        None
        if found
        else "no local stack runs, so no bucket can be read; start one with: chimera up --detach"
    )
