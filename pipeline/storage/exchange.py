"""Replace a small object if it still holds what was seen there: of several that try, one succeeds."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from pipeline.errors import ObjectExistsError
from pipeline.storage import gcs, local
from pipeline.storage.entries import ReadStream

_READ_BYTES = 1 << 20


def exchange(uri: str, old: bytes, new: bytes) -> None:
    """Write `new` where `old` stands.

    Raises ObjectExistsError when something else stands there by then, ObjectNotFoundError when nothing does.
    A bucket compares the generation; local files are guarded by a lock on their folder, among processes of one
    machine.
    """
    if uri.startswith("gs://"):
        with gcs.open_read(uri) as stream:
            _compare(stream, old)
            gcs.write_bytes(uri, new, create_only=False, generation=stream.generation)
        return
    with local.mapped(uri):
        folder = os.open(Path(uri).parent, os.O_RDONLY)
    try:
        with local.mapped(uri):
            fcntl.flock(folder, fcntl.LOCK_EX)
        with local.open_read(uri) as stream:
            _compare(stream, old)
        local.write_bytes(uri, new, create_only=False)
    finally:
        os.close(folder)  # and the lock goes with it


def _compare(stream: ReadStream, old: bytes) -> None:
    if b"".join(iter(lambda: stream.read(_READ_BYTES), b"")) != old:
        raise ObjectExistsError(stream.uri, "has changed meanwhile")
