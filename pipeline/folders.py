"""The folders that a path may begin in: the current one, and a user's home. Neither need be there."""

from __future__ import annotations

import os

from pipeline.errors import SettingsError


def current_folder() -> str:
    """The current folder. Raises SettingsError where it was removed, or stands in one that may not be read."""
    try:
        return os.getcwd()  # noqa: PTH109 - a Path drops a last "/", and paths here are texts
    except OSError as e:
        raise SettingsError(
            f"the current folder is not there any more, or may not be read ({e.strerror}); go to another one with cd"
        ) from e


def home_expanded(path: str) -> str:
    """The path with a home folder in place of its `~`; as it is where `~name` is nobody's, as shells have it.

    Raises SettingsError where the user's own home is meant, and none is known.
    """
    expanded = os.path.expanduser(path)  # noqa: PTH111 - a Path drops a last "/"
    if expanded == path and path.split("/", maxsplit=1)[0] == "~":
        raise SettingsError(f"{path}: this user has no home folder; set HOME, or write the path from / on")
    return expanded


def absolute(path: str) -> str:
    """The path from `/` on, with its `~` replaced. Raises SettingsError as the two above do."""
    path = home_expanded(path)
    return path if os.path.isabs(path) else f"{current_folder()}/{path}"  # noqa: PTH117
