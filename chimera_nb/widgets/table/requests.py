"""What a widget with a table and its front end say to each other of it; each such widget imports these into its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from chimera_nb.data.table.query import TableQuery
from chimera_nb.widgets.base.messages import Message, Request

# What the page asks for


@dataclass(frozen=True, kw_only=True)
class TableRequest(Request):
    """The rows of a query, of what is shown: `subject` is the job or the file that was on screen when it was asked.

    view         the front end that asks
    shows        what of the subject, where there are several tables: "" or "SOURCE/VIEW"
    conditions   column, operator and text of each, as `chimera_nb.data.table.query.Condition` has them
    """

    view: str
    subject: str
    shows: str = ""
    explode: str = ""
    conditions: tuple[tuple[str, ...], ...] = ()
    sort: str = ""
    descending: bool = False
    columns: tuple[str, ...] = ()
    dates: bool = True

    def query(self) -> TableQuery:
        """Raises RefusedError for what makes no sense."""
        return TableQuery.of(
            self.conditions,
            explode=self.explode,
            sort=self.sort,
            descending=self.descending,
            columns=self.columns,
            dates=self.dates,
        )


@dataclass(frozen=True, kw_only=True)
class Look(TableRequest):
    """Look for the first rows; answers carry the number `look`. `whole`: however long it takes."""

    look: int
    whole: bool = False


@dataclass(frozen=True)
class MoreRows(Request):
    """Rows of the last look from the index `begin` on."""

    view: str
    begin: int


@dataclass(frozen=True)
class StopLook(Request):
    """Look no further; what was found stays."""

    view: str


@dataclass(frozen=True, kw_only=True)
class SaveTable(TableRequest):
    """All rows of the query as a file; answers carry the number `saving`."""

    saving: int
    format: Literal["csv", "xlsx"]


@dataclass(frozen=True)
class NextChunk(Request):
    """The next piece of the file that is being saved."""

    view: str
    saving: int


@dataclass(frozen=True)
class StopSaving(Request):
    """The file is wanted no more."""

    view: str


# What the page is told


class TableColumn(NamedTuple):
    """A column: its kind as `chimera_nb.data.table.kinds` has it, and whether rows come with a cell for it."""

    name: str
    kind: str
    shown: bool


@dataclass(frozen=True)
class TableMessage(Message):
    """Rows from the index `begin` on, of those that match in what was looked at so far; cells of shown columns only.

    columns        the first of `columns_total`; none where rows go on
    matched        rows that match; None while that is not known
    kept           rows that can be asked for
    looked, total  records that were looked at, of how many; None where nobody knows
    lists          columns of which each item can be a row
    state          looking, done, partial (it stopped before the end), failed (`error` says why)
    """

    view: str
    look: int
    begin: int
    columns: tuple[TableColumn, ...]
    columns_total: int
    rows: tuple[tuple[str, ...], ...]
    matched: int | None
    kept: int
    looked: int
    total: int | None
    lists: tuple[str, ...]
    state: Literal["looking", "done", "partial", "failed"]
    error: str


@dataclass(frozen=True)
class ChunkMessage(Message):
    """A piece of a file (base64); an empty one is its end. `note` is what to say of the whole."""

    view: str
    saving: int
    name: str
    data: str
    note: str


@dataclass(frozen=True)
class SavingMessage(Message):
    """How far a file is that takes its time, or why there will be none."""

    view: str
    saving: int
    told: str
    error: str
