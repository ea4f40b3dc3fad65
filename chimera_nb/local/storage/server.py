"""The storage stand-in: buckets and objects as files in <data_dir>/storage, behind one port.

All that is known of an object (generation, crc32c, content type and encoding, metadata) outlives the service; nothing
has to be registered again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from chimera_nb.local.ports import listen
from chimera_nb.local.storage.faults import Faults

_OBJECT = re.compile(r"(?:^|[^!])(?:!!)*!(?:\.metadata)?$")  # a file's name by names.py

_log = logging.getLogger(__name__)


@asynccontextmanager
async def running_storage(data_dir: Path, faults: Faults | None = None) -> AsyncIterator[str]:
    """The service on this data, for the life of the block; its address (http://localhost:PORT)."""
    from chimera_nb.local.storage.object_files import ObjectFiles
    from chimera_nb.local.storage.proxy import running_proxy

    root = data_dir / "storage"
    files = ObjectFiles(root, data_dir / "incoming")
    set_aside_unreadable(root, data_dir / "set-aside")
    async with contextlib.AsyncExitStack() as closing:
        listening = closing.enter_context(listen(data_dir / "storage.port"))
        await closing.enter_async_context(running_proxy(listening, files, faults or Faults()))
        yield f"http://localhost:{listening.getsockname()[1]}"


def set_aside_unreadable(root: Path, aside: Path) -> list[Path]:
    """Move files that are no objects out of the buckets, and say where they are now: laid there by hand, for one."""
    from chimera_nb.local.storage.known import is_described

    target = aside / datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    moved = []
    for bucket in (entry for entry in root.iterdir() if entry.is_dir()):
        for folder, _, names in os.walk(bucket):
            for name in names:
                path = Path(folder, name)
                if _OBJECT.search(name) and is_described(path):
                    continue
                destination = target / path.relative_to(root)
                destination.parent.mkdir(parents=True, exist_ok=True)
                moved.append(path.replace(destination))
    if moved:
        _log.warning(
            "%d files in %s are no objects (put there by hand, or an upload that was cut off); they are in %s",
            *(len(moved), root, target),
        )
    return moved


def tail(log: Path, lines: int = 5) -> str:
    """The last lines of a log, in one; empty where there is none."""
    try:
        text = log.read_bytes()[-10_000:].decode(errors="replace")
    except OSError:
        return ""
    return " | ".join(text.strip().splitlines()[-lines:])
