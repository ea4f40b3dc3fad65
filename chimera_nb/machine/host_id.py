"""Which host this is: a random id that is made once for a user, kept in a file, and read by every process after.

Names of hosts repeat: instances of one image, pods, containers and laptops are called the same.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import secrets
from pathlib import Path

from pipeline.errors import SettingsError
from pipeline.folders import home_expanded

_ID = re.compile(r"[0-9a-f]{32}")
_NAME = "host-id"
_OF_THIS_PROCESS = secrets.token_hex(16)


@functools.cache
def host_id(data_dir: Path) -> str:
    """The id from the user's state folder; from the data folder where that one cannot be written.

    Where neither can, the id is this process's own: then it knows no other's processes, and no other knows its.
    """
    for folder in (_state_folder(), data_dir):
        found = folder and _kept(folder / _NAME)
        if found:
            return found
    return _OF_THIS_PROCESS


def _state_folder() -> Path | None:
    """<state folder>/chimera-nb (specifications.freedesktop.org/basedir-spec); None for a user without a home."""
    with contextlib.suppress(SettingsError):
        return Path(os.environ.get("XDG_STATE_HOME") or home_expanded("~/.local/state")) / "chimera-nb"
    return None


def _kept(path: Path) -> str | None:
    """The id in the file, which is made if need be: whole or not at all, and by one of those who make it at once."""
    found = _read(path)
    if found:
        return found
    new = path.with_name(f".{_NAME}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(16) + "\n")
        try:
            os.link(new, path)
        except FileExistsError:
            if _read(path) is None:  # cut off by a full disk: what cannot be read is nobody's id
                new.replace(path)
    except OSError:
        return _read(path)
    finally:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
    return _read(path)


def _read(path: Path) -> str | None:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        text = path.read_text("ascii").strip()
        return text if _ID.fullmatch(text) else None
    return None
