"""Which stack, which job log: what every command needs to know first."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from chimera_nb.settings import Settings, load_settings
from pipeline.errors import StackError

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="The folder of the local stack and of the job log. Left out: the running stack's, else ./.chimera.",
        show_default=False,
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout, and nothing else there.")
]

# A person waits; a job's own process keeps the longer patience of `pipeline.storage`.
_PATIENCE_SECONDS = "20"


def connect(data_dir: Path | None, uris: Iterable[str] = ()) -> Settings:
    """The settings in force, with this process led to the local stack when it is one that is wanted.

    `uris` are those that the command will ask for: gs:// ones need a store that answers. Raises StackError
    when that is a local stack and none runs.
    """
    settings = load_settings(data_dir)
    os.environ.setdefault("CHIMERA_RETRY_SECONDS", _PATIENCE_SECONDS)
    if settings.place == "cloud":
        return settings
    from chimera_nb.local import stack

    found = stack.find(settings.data_dir)
    chosen = os.environ.get("STORAGE_EMULATOR_HOST")  # what the user has set stands
    if found:
        os.environ.update(found.exports())
        if chosen:
            os.environ["STORAGE_EMULATOR_HOST"] = chosen
        return load_settings(data_dir or found.data_dir)
    asked = [uri for uri in uris if uri.startswith("gs://")]
    if asked and not chosen:
        where = f" in {settings.data_dir}" if settings.data_dir else ""
        raise StackError(
            f"{asked[0]}: no local stack runs{where}; start one with `chimera up --detach`, "
            "or set CHIMERA_PLACE=cloud to use Google Cloud"
        )
    return settings
