"""The commands; each is a thin face over what the notebooks call as well.

stack_commands.py  up, down, env
store_commands.py  ls, put
job_commands.py    submit, sources, jobs list, jobs show
view_commands.py   peek, views
catalogue_command.py  catalogue
proof_commands.py  verify, extract
job_actions.py     jobs cancel, retry, clone, sync
demo_command.py    demo
dash_command.py    dash
doctor_command.py  doctor
options.py         options that many commands have
display.py         records and progress for a person's eyes
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import typer
import typer.main

from chimera_nb.cli import (
    catalogue_command,
    dash_command,
    demo_command,
    doctor_command,
    job_actions,
    job_commands,
    proof_commands,
    stack_commands,
    store_commands,
    view_commands,
)

app = typer.Typer(
    name="chimera",
    help="Compressed files in Google Cloud Storage to sharded NDJSON, with every job on record.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for commands in (
    job_commands,
    catalogue_command,
    proof_commands,
    store_commands,
    view_commands,
    stack_commands,
    demo_command,
    dash_command,
    doctor_command,
):
    commands.register(app)
__all__ = [
    "app",
    "job_actions",
    "run",
]  # of the second the commands are on `job_commands.jobs` once it is imported


def run(arguments: Sequence[str]) -> None:
    """Run the command that the arguments begin with, as `app` does; raises SystemExit with its code."""
    typer.main.get_group(_asked(app, arguments))(arguments, prog_name="chimera")


def _asked(commands: typer.Typer, words: Sequence[str]) -> typer.Typer:
    """With that command alone which the words begin with; all of them where they begin with none.

    typer makes the parser of every command it has before it looks for the one: two thirds of what a small one takes.
    """
    first = words[0] if words else ""
    alone = copy.copy(commands)
    alone.registered_commands = [each for each in commands.registered_commands if _name_of(each) == first]
    alone.registered_groups = [copy.copy(each) for each in commands.registered_groups if each.name == first]
    for group in alone.registered_groups:
        if group.typer_instance is not None:
            group.typer_instance = _asked(group.typer_instance, words[1:])
    return alone if alone.registered_commands or alone.registered_groups else commands


def _name_of(command: typer.models.CommandInfo) -> str | None:
    return command.name or getattr(command.callback, "__name__", None)
