"""The project that is billed for what is asked of buckets whose owners have requesters pay.

https://cloud.google.com/storage/docs/requester-pays
"""

from __future__ import annotations

import re

from pipeline.errors import SettingsError

USER_PROJECT = "CHIMERA_USER_PROJECT"  # `chimera_nb.settings` has the same name
_PROJECT = re.compile(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]|\d{5,20}")


def check_user_project(project: str | None) -> None:
    """Raise SettingsError for what is neither a project's id nor its number; None is none."""
    if project is not None and not _PROJECT.fullmatch(project):
        shown = project if len(project) <= 40 else f"{project[:39]}…"
        raise SettingsError(
            f"user project {shown!r} is no project's id; write one as `gcloud projects list` shows it (my-team-1234)"
        )
