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

import typer

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
__all__ = ["app", "job_actions"]  # the latter's commands are on `job_commands.jobs` once it is imported
