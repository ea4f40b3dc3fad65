"""One look through records for one front end: in a thread, told of as it goes, and ended when it is wanted no more."""

from __future__ import annotations

import time
from collections import deque
from typing import Any, Literal

from chimera_nb.data.records import Record
from chimera_nb.data.table.kinds import cell
from chimera_nb.data.table.look import Look as RowsLook
from chimera_nb.data.table.source import Source
from chimera_nb.jobs.limits import storable
from chimera_nb.widgets.table.requests import Look, TableColumn, TableMessage

ROWS_AT_ONCE = 100
COLUMNS_SHOWN, COLUMNS_NAMED = 30, 500
CELL_CHARACTERS = 300
UNASKED_BYTES = 64 << 20  # of records that are looked through without a word
_EVERY = 0.5  # seconds between two answers
_State = Literal["looking", "done", "partial", "failed"]


class Looking:
    """Attributes: request; answers (the latest one, until it is posted); is_wanted."""

    def __init__(self, request: Look) -> None:
        self.request = request
        self.is_wanted = True
        self.answers: deque[TableMessage] = deque(maxlen=1)
        self._look = RowsLook(request.query())
        self._first: list[Record] = []
        self._shown: list[str] = []
        self._total: int | None = None
        self._columns: tuple[str, ...] = ()

    def run(self, source: Source) -> None:
        """Look until all is known that is asked for. Blocks. Raises RefusedError and StorageError."""
        told = time.monotonic()
        looked, self._total, self._columns = 0, source.total, source.columns
        is_whole = False
        for batch in source.batches():
            self._look.add(batch)
            looked += len(batch)
            if self._look.is_enough or not self.is_wanted or self._is_far_enough(source, looked):
                break
            if time.monotonic() - told > _EVERY:
                self.answers.append(self._answer(looked, "looking"))
                told = time.monotonic()
        else:
            is_whole = True
        done = is_whole or self._look.is_enough or looked == source.total
        self.answers.append(self._answer(looked, "done" if done else "partial", is_whole=is_whole))

    def more(self, begin: int) -> TableMessage:
        """Rows further down, as they were when it ended."""
        return self._message(begin=begin, kept=len(self._first))

    def failed(self, error: str) -> TableMessage:
        """That there are no rows, and why."""
        return self._message(state="failed", error=storable(error))

    def _is_far_enough(self, source: Source, looked: int) -> bool:
        if self.request.whole or not source.total:
            return False
        return looked < source.total and source.size * looked / source.total > UNASKED_BYTES

    def _answer(self, looked: int, state: _State, *, is_whole: bool = False) -> TableMessage:
        rows, query = self._look.rows, self._look.rows.query
        self._first = self._look.first()
        names = rows.columns() or list(self._columns)
        known = set(names)
        wanted = [name for name in query.columns if name in known] or names
        self._shown = wanted[:COLUMNS_SHOWN] if not query.columns else wanted
        shown = set(self._shown)
        order = [*self._shown, *(name for name in names if name not in shown)]
        columns = tuple(
            TableColumn(_cut(name), rows.kind(name), name in shown) for name in order[:COLUMNS_NAMED]
        )
        matched: int | None = self._look.matched
        if query.is_plain and not is_whole and state != "partial":
            matched = None if query.explode else self._total
        return self._message(
            columns=columns,
            columns_total=len(names),
            kept=len(self._first),
            matched=matched,
            looked=looked,
            lists=tuple(name for name in rows.lists if storable(name) == name)[:COLUMNS_NAMED],
            state=state,
        )

    def _message(self, *, begin: int = 0, **known: Any) -> TableMessage:
        kinds = [(name, self._look.rows.kind(name)) for name in self._shown]
        rows = self._first[begin : begin + ROWS_AT_ONCE]
        unknown: dict[str, Any] = {
            "columns": (),
            "columns_total": 0,
            "matched": None,
            "kept": 0,
            "looked": 0,
            "lists": (),
            "state": "done",
            "error": "",
        }
        return TableMessage(
            view=self.request.view,
            look=self.request.look,
            begin=begin,
            rows=tuple(tuple(_cut(cell(row.get(name), kind)) for name, kind in kinds) for row in rows),
            total=self._total,
            **(unknown | known),
        )


def _cut(text: str) -> str:
    text = storable(text)
    return text if len(text) <= CELL_CHARACTERS else f"{text[:CELL_CHARACTERS]}…"
