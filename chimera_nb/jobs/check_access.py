"""All that a job names, against the lists of what may be read and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chimera_nb.settings import Settings
from pipeline.errors import RefusedError


def check_access(
    inputs: Sequence[str], target: str, runner_options: Mapping[str, Any], settings: Settings
) -> None:
    """Hold all that a job names to the lists of `pipeline.storage.access_policy`, before the store is asked.

    Raises RefusedError.

    `inputs` may be patterns. Beam's own clients, which stage a Dataflow job, know no lists: so what they are told is
    checked here, and with lists there are no Beam options but those of the settings.
    """
    access = settings.access
    for path in inputs:
        access.check_pattern(path)
    access.check_folder(f"{target}/", "write", "the target")
    access.check_folder(f"{target}/", "read", "the target, which a job reads back")
    if temp_location := runner_options.get("temp_location"):
        access.check_folder(f"{temp_location}/", "write", "the temp_location of Dataflow")
    if access.is_limited:
        for option in runner_options.get("beam_options", ()):
            if option not in settings.dataflow.beam_options:
                raise RefusedError(
                    f"beam option {option!r}: where places are listed, only the settings give Beam's own options, "
                    "since one may name any place; add it to beam_options under [dataflow] in chimera.toml"
                )
