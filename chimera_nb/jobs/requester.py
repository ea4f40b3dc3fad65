"""How a kernel learns whom it serves.

A kernel is started before its visitor is known, so its environment cannot name one. When the server hands a kernel
to a request, it writes the user that the trusted header names into a file of mode 600, named by the kernel's id, in
a folder that only this system's user can enter; the kernel reads it when a job is submitted. What comes from the
browser has no part in it.
"""

from __future__ import annotations

import getpass
import os
import re
from pathlib import Path

FOLDER_VARIABLE = "CHIMERA_DASHBOARD_VISITORS"
UNKNOWN = "unknown"
_GOOGLE = (
    "accounts.google.com:"  # as an identity-aware proxy writes it: accounts.google.com:alice@example.com
)
_KERNEL_ID = re.compile(r"kernel-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.json")
_LONGEST = 254  # an e-mail address


def current_requester() -> str | None:
    """Whom this kernel serves, as a trusted proxy named them.

    None in a notebook, and on a dashboard without such a proxy: the local user is meant. "unknown" where a proxy
    is trusted and the kernel has been handed to nobody.
    """
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        return None
    kernel_id = _own_kernel_id()
    try:
        return (Path(folder) / kernel_id).read_text("utf-8") if kernel_id else UNKNOWN
    except OSError:
        return UNKNOWN


def current_user() -> str:
    """Whom this kernel serves; else the user of this process."""
    return current_requester() or local_user()


def local_user() -> str:
    """The user of this process. A container may run under a number that has no name."""
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        return "unknown"


def record_requester(folder: Path, kernel_id: str, user: str) -> None:
    """Write down for a kernel whom it serves."""
    descriptor = os.open(folder / kernel_id, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(user)


def forget_requester(folder: Path, kernel_id: str) -> None:
    (folder / kernel_id).unlink(missing_ok=True)


def user_from_header(values: list[str]) -> str | None:
    """The user that a request's header lines name: one line with one name in it, or nobody."""
    if len(values) != 1:
        return None
    name = values[0].strip().removeprefix(_GOOGLE)
    good = 0 < len(name) <= _LONGEST and name.isprintable() and not re.search(r"[\s,;\"'<>\\]", name)
    return name if good else None


def _own_kernel_id() -> str | None:
    from ipykernel.connect import get_connection_file

    try:
        found = _KERNEL_ID.fullmatch(Path(get_connection_file()).name)
    except RuntimeError:  # no kernel
        return None
    return found[1] if found else None
