"""Rows in the order of one column, more of them than memory holds: through a database in a temporary file."""

from __future__ import annotations

import pickle
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from chimera_nb.data.records import Record
from chimera_nb.data.table.kinds import Key
from pipeline.errors import RefusedError

MOST_BYTES = 8 << 30  # of rows that are sorted, on the disk of temporary files
_AT_ONCE = 2000  # rows for one statement


def sorted_rows(rows: Iterable[tuple[Key | None, Record]], *, descending: bool) -> Iterator[Record]:
    """The rows by their keys, those without one last; equal ones as they came.

    Raises RefusedError when they take more than MOST_BYTES or the disk is full.
    """
    with tempfile.TemporaryDirectory(prefix="chimera-sort-") as folder:
        # Rows are asked for from whatever thread answers next, one at a time.
        database = sqlite3.connect(Path(folder) / "rows", isolation_level=None, check_same_thread=False)
        try:
            yield from _through(database, rows, descending=descending)
        except sqlite3.OperationalError as e:
            raise RefusedError(
                f"the rows cannot be sorted in {tempfile.gettempdir()} ({e}); free some room there, filter them, or "
                "save them unsorted"
            ) from e
        finally:
            database.close()


def _through(
    database: sqlite3.Connection, rows: Iterable[tuple[Key | None, Record]], *, descending: bool
) -> Iterator[Record]:
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "temp_store = FILE"):
        database.execute(f"PRAGMA {pragma}")
    database.execute("CREATE TABLE rows (at INTEGER PRIMARY KEY, kind, number, text, row)")
    left = MOST_BYTES
    waiting: list[tuple[object, ...]] = []
    database.execute("BEGIN")
    for key, row in rows:
        data = pickle.dumps(row, pickle.HIGHEST_PROTOCOL)
        left -= len(data)
        if left < 0:
            raise RefusedError(
                f"more than {MOST_BYTES >> 30} GiB of rows cannot be sorted here; filter them, or save them unsorted"
            )
        waiting.append((*(key or (None, None, None)), data))
        if len(waiting) == _AT_ONCE:
            database.executemany("INSERT INTO rows (kind, number, text, row) VALUES (?, ?, ?, ?)", waiting)
            waiting = []
    database.executemany("INSERT INTO rows (kind, number, text, row) VALUES (?, ?, ?, ?)", waiting)
    database.execute("COMMIT")
    down = " DESC" if descending else ""
    order = f"kind IS NULL, kind{down}, number{down}, text{down}, at"
    # The order alone is sorted, and each row fetched by its place: rows may be large.
    for (at,) in database.execute(f"SELECT at FROM rows ORDER BY {order}"):  # noqa: S608 - made of constants
        (data,) = database.execute("SELECT row FROM rows WHERE at = ?", (at,)).fetchone()
        yield pickle.loads(data)  # noqa: S301 - written above, in a folder that only this user can read
