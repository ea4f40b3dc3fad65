"""up, down, env."""

from __future__ import annotations

import shlex
import sys
from typing import Annotated

import typer

from chimera_nb.cli import display
from chimera_nb.cli.options import AsJson, DataDir
from chimera_nb.local import stack
from chimera_nb.local.stack import Stack
from chimera_nb.settings import load_settings
from pipeline.errors import StackError


def register(app: typer.Typer) -> None:
    app.command()(up)
    app.command()(down)
    app.command()(env)


def up(
    *,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Leave it running and give the prompt back.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Start the local stack: buckets with their data on disk, and a Dataflow. Prints the exports that lead to it."""
    folder = load_settings(data_dir).folder
    if detach:
        _print(stack.start(folder), as_json=as_json)
        return
    stack.serve(folder, on_ready=lambda running: _print_running(running, as_json=as_json))


def down(*, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Stop the local stack; its data stays."""
    found = stack.find(load_settings(data_dir).data_dir)
    stopped = found is not None and stack.stop(found.data_dir)
    if as_json:
        display.print_json({"stopped": stopped, "dataDir": str(found.data_dir) if found else None})
    else:
        display.out.print(
            display.text(f"stopped; the data stays in {found.data_dir}" if found else "no local stack runs")
        )


def env(*, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Print the exports of the running stack: eval "$(chimera env)" leads any program to it."""
    settings = load_settings(data_dir)
    found = stack.find(settings.data_dir)
    if found is None:
        where = f" in {settings.data_dir}" if settings.data_dir else ""
        raise StackError(f"no local stack runs{where}; start one with `chimera up --detach`")
    _print(found, as_json=as_json)


def _print(running: Stack, *, as_json: bool) -> None:
    exports = running.exports()
    if as_json:
        display.print_json(exports)
    else:
        for name, value in exports.items():
            sys.stdout.write(f"export {name}={shlex.quote(value)}\n")  # for a shell, to the letter
    sys.stdout.flush()  # whoever reads from a pipe waits for them, while the stack runs on


def _print_running(running: Stack, *, as_json: bool) -> None:
    _print(running, as_json=as_json)
    display.err.print(
        display.text(f"the local stack runs, with its data in {running.data_dir}; Ctrl-C stops it")
    )
