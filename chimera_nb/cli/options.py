"""Options that many commands have: which stack and job log, and how to print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="The folder of the local stack and of the job log. Left out: the running stack's, else ./.chimera.",
        show_default=False,
    ),
]
UserProject = Annotated[
    str | None,
    typer.Option(
        "--user-project",
        metavar="PROJECT",
        help="The project to be billed where a bucket's requesters pay. Left out: CHIMERA_USER_PROJECT.",
        show_default=False,
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout, and nothing else there.")
]
