"""Rows of prices, gathered in flat arrays and made into Arrow batches without an object a value."""

from __future__ import annotations

from array import array

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.sources.betfair.books import MarketState, Runner
from pipeline.sources.betfair.columns import TIME, column, day, milliseconds

BATCH_ROWS = 65_536
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

    def __len__(self) -> int:
        return len(self._runners)

    def begin(self, seq: int, pt: int, state: MarketState) -> None:
        self._seq.append(seq)
        self._pt.append(pt)
        self._state.append(self._states.setdefault(state, len(self._states)))

    def add(self, runner: Runner) -> None:
        """A row of what the runner now is."""
        self._values.extend((runner.ltp, runner.volume, *runner.back.best, *runner.lay.best))
        self._runners.append(runner.place)
        self._groups.append(len(self._seq) - 1)

    def batch(self) -> pa.RecordBatch:
        """All rows since the last batch."""
        runners, groups = _integers(self._runners, pa.int32()), _integers(self._groups, pa.int32())
        market_ids, selections, handicaps = zip(*self._keys, strict=True) if self._keys else ((), (), ())
        states = _integers(self._state, pa.int32()).take(groups)
        told = list(self._states)
        columns = [
            pa.array(market_ids, pa.string()).take(runners),
            pa.array(selections, pa.int64()).take(runners),
            pa.array(handicaps, pa.float64()).take(runners),
            _integers(self._seq, pa.int32()).take(groups),
            _integers(self._pt, pa.int64()).take(groups).cast(TIME),
            pa.array([state.status for state in told], pa.string()).take(states),
            pa.array([state.inplay for state in told], pa.bool_()).take(states),
            *(_numbers(self._values[place::_VALUES]) for place in range(_VALUES)),
            pa.array([state.event_type_id for state in told], pa.string()).take(states),
            pa.array([day(milliseconds(state.market_time)) for state in told], pa.date32()).take(states),
        ]
        self._clear()
        return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _integers(values: array[int], kind: pa.DataType) -> pa.Array:
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])


def _numbers(values: array[float]) -> pa.Array:
    """NaN is null."""
    numbers = pa.Array.from_buffers(pa.float64(), len(values), [None, pa.py_buffer(values)])
    return pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.float64()), numbers)
