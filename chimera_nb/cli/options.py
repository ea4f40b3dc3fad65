"""Options that many commands have: which stack and job log, and how to print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chimera_nb.cli.option_parameters import parameter_of
from pipeline.job_options import JobOptions
from pipeline.options import table

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="The folder of the local stack and of the job log. Left out: the running stack's, else ./.chimera.",
        show_default=False,
    ),
]
_JOB = {option.name: option for option in table(JobOptions)}
UserProject = Annotated[str | None, parameter_of(_JOB["user_project"])]
Overwrite = Annotated[bool, parameter_of(_JOB["overwrite"])]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout, and nothing else there.")
]
