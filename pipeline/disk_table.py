"""Tables on the temporary disk, for as many rows as memory would not hold."""

from __future__ import annotations

import sqlite3
import tempfile

from pipeline.closes import Closes


class DiskTable(Closes):
    """A temporary SQLite file, used from one thread; `_db` is open in a transaction."""

    def __init__(self, name: str, tables: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix=f"chimera-{name}-")
        self._db = sqlite3.connect(f"{self._folder.name}/{name}.sqlite", isolation_level=None)
        # It is thrown away after a crash: nothing needs to be safe on the disk.
        self._db.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; {tables} BEGIN;")

    def close(self) -> None:
        self._db.close()
        self._folder.cleanup()
