"""Whether a file that was found, and not named by the user, may steer what this process does.

What is looked for upward from the current folder may have been put there by somebody else: /tmp/chimera.toml is found
by whoever works below /tmp. So, as git asks of a repository and ssh of its keys: the file belongs to this user or to
root and nobody else may write it, and nobody else may put another in its place, in any folder above it. A folder that
many may write, such as /tmp, is good enough where it is sticky: there nobody moves what is another's.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import UntrustedError


def check_trusted(path: Path, way_out: str) -> None:
    """Raises UntrustedError for a file or folder that others can write or exchange; `way_out` is how to do without.

    One that is not there is fine.
    """
    for component in dict.fromkeys((*_chain(Path(os.path.abspath(path))), *_chain(path.resolve()))):  # noqa: PTH100
        try:
            found = component.lstat()
        except FileNotFoundError:
            return
        why = _objection(found, is_parent=component not in {path.absolute(), path.resolve()})
        if why:
            because = "" if component == path else f" (for {component})"
            raise UntrustedError(f"{path} is not used{because}: it {why}; {way_out}")


def owner_of(uid: int) -> str:
    """A user's name, or their number where they have none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _chain(path: Path) -> Iterator[Path]:
    yield from (*reversed(path.parents), path)


def _objection(found: os.stat_result, *, is_parent: bool) -> str | None:
    if found.st_uid not in {0, os.geteuid()}:
        return f"belongs to {owner_of(found.st_uid)}, not to you"
    if stat.S_ISLNK(found.st_mode) or (is_parent and found.st_mode & stat.S_ISVTX):
        return None
    if found.st_mode & stat.S_IWOTH:
        return f"belongs to {owner_of(found.st_uid)}, but everybody may write it (chmod o-w)"
    if found.st_mode & stat.S_IWGRP and not _is_private_group(found.st_gid, found.st_uid):
        return f"belongs to {owner_of(found.st_uid)}, but its group may write it (chmod g-w)"
    return None


def _is_private_group(gid: int, uid: int) -> bool:
    """Whether a group is a user's own, with nobody else in it: many systems give each user one, and umask 002."""
    try:
        user, group = pwd.getpwuid(uid), grp.getgrgid(gid)
    except KeyError:
        return False
    return user.pw_gid == gid and group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name}
