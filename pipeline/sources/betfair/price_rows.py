"""Rows of prices, gathered in flat arrays and made into Arrow batches without an object a value."""

from __future__ import annotations

from array import array
from struct import Struct

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.sources.betfair.books import MarketState, Numbers
from pipeline.sources.betfair.columns import TIME, array_of, column, day, milliseconds

BATCH_ROWS = 8_192  # a large market in a bounded place: rows are held twice while they become a batch
_SIDES = ("back", "lay")
_WORDS = {"back": "available to back", "lay": "available to lay"}
_RANKS = {1: "best", 2: "second best", 3: "third best"}

SCHEMA = pa.schema(
    [
        column("market_id", pa.string(), "The market, such as 1.195532863"),
        column("selection_id", pa.int64(), "The runner"),
        column("handicap", pa.float64(), "Of the runner; 0 where there is none"),
        column(
            "seq",
            pa.int32(),
            "The line in the file, from 1: it orders rows whose times are equal, or go back",
        ),
        column("pt", TIME, "Publish time; on a grid the instant of the grid"),
        column(
            "status", pa.string(), "The market's: use rows that are OPEN, since the settlement changes prices"
        ),
        column("inplay", pa.bool_(), "Whether the market is in play"),
        column("ltp", pa.float64(), "Last traded price"),
        column("tv", pa.float64(), "GBP traded on the runner; null for BASIC"),
        *(
            column(
                f"{side}_{what}_{rank}",
                pa.float64(),
                f"{_RANKS[rank].capitalize()} price {_WORDS[side]}: {what}",
            )
            for side in _SIDES
            for rank in _RANKS
            for what in ("price", "size")
        ),
        column("event_type_id", pa.string(), "The sport: 1 soccer, 2 tennis, 7 horses, 4339 greyhounds ..."),
        column("date", pa.date32(), "The day of the market's scheduled off, as it was then, in UTC"),
    ]
)
_VALUES = 14
_pack = Struct(f"{_VALUES}d").pack


class PriceRows:
    """Rows until they are a batch. Rows that share line, time and state are told of in one `begin`."""

    def __init__(self, keys: list[tuple[str, int, float]]) -> None:
        """`keys` are market id, selection id and handicap of the runners by their place; more may be added."""
        self._keys = keys
        self._clear()

    def _clear(self) -> None:
        self._values, self._runners, self._groups = array("d"), array("i"), array("i")
        self._seq, self._pt, self._state = array("i"), array("q"), array("i")
        self._states: dict[MarketState, int] = {}
        self._told: MarketState | None = None  # the state of the last group, and its place
        self._place = 0
        self._group = -1  # the last that was begun

    def __len__(self) -> int:
        return len(self._runners)

    def begin(self, seq: int, pt: int, state: MarketState) -> None:
        self._group += 1
        self._seq.append(seq)
        self._pt.append(pt)
        if state is not self._told:  # to find an equal one takes longer
            self._told, self._place = state, self._states.setdefault(state, len(self._states))
        self._state.append(self._place)

    def add(self, place: int, numbers: Numbers) -> None:
        """A row of the runner of that place."""
        ltp, volume, back, lay = numbers
        self._values.frombytes(_pack(ltp, volume, *back, *lay))
        self._runners.append(place)
        self._groups.append(self._group)

    def batch(self) -> pa.RecordBatch:
        """All rows since the last batch."""
        runners, groups = _integers(self._runners, pa.int32()), _integers(self._groups, pa.int32())
        market_ids, selections, handicaps = zip(*self._keys, strict=True) if self._keys else ((), (), ())
        states = _integers(self._state, pa.int32()).take(groups)
        told = list(self._states)
        columns = [
            array_of(market_ids, pa.string()).take(runners),
            array_of(selections, pa.int64()).take(runners),
            array_of(handicaps, pa.float64()).take(runners),
            _integers(self._seq, pa.int32()).take(groups),
            _integers(self._pt, pa.int64()).take(groups).cast(TIME),
            array_of([state.status for state in told], pa.string()).take(states),
            array_of([state.inplay for state in told], pa.bool_()).take(states),
            *(_numbers(self._values[place::_VALUES]) for place in range(_VALUES)),
            array_of([state.event_type_id for state in told], pa.string()).take(states),
            array_of([day(milliseconds(state.market_time)) for state in told], pa.date32()).take(states),
        ]
        self._clear()
        return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _integers(values: array[int], kind: pa.DataType) -> pa.Array:
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])


def _numbers(values: array[float]) -> pa.Array:
    """NaN is null."""
    numbers = pa.Array.from_buffers(pa.float64(), len(values), [None, pa.py_buffer(values)])
    valid = pc.invert(pc.is_nan(numbers)).buffers()[1]
    return pa.Array.from_buffers(pa.float64(), len(values), [valid, pa.py_buffer(values)])
