"""Look through records for the first rows of a query: of whatever size they are, in memory that does not grow.

Sorted, the first rows of all are known once all were looked at; unsorted, as soon as there are enough.
"""

from __future__ import annotations

from collections.abc import Sequence

from chimera_nb.data.records import Record, Row
from chimera_nb.data.table.kinds import Key
from chimera_nb.data.table.query import Rows, TableQuery

KEPT = 1000  # rows, of all that match


class Look:
    """The first rows of a query, of the records that were looked at so far.

    Attributes: rows (a `Rows`), matched (how many rows there are of it so far).
    """

    def __init__(self, query: TableQuery, most: int = KEPT) -> None:
        self.rows = Rows(query)
        self.matched = 0
        self._most = most
        self._kept: list[tuple[Key, Record]] = []
        self._last: list[Record] = []  # those that have nothing in the column that is sorted by

    @property
    def is_enough(self) -> bool:
        """Whether records behind these change nothing of what is kept."""
        return self.rows.query.is_plain and self.matched >= self._most

    def add(self, records: Sequence[Row]) -> None:
        """Look at records that come behind those of before."""
        sorts = bool(self.rows.query.sort)
        for row in self.rows.take(records):
            self.matched += 1
            key = self.rows.key(row) if sorts else None
            if key is not None:
                self._kept.append((key, row))
                if len(self._kept) >= 2 * self._most:
                    self._cut()
            elif len(self._last) < self._most:
                self._last.append(row)

    def first(self) -> list[Record]:
        """The rows, in order."""
        self._cut()
        return [*(row for _, row in self._kept), *self._last][: self._most]

    def _cut(self) -> None:
        self._kept.sort(key=lambda kept: kept[0], reverse=self.rows.query.descending)  # which is stable
        del self._kept[self._most :]
