"""What is drawn of a market: runners' prices over time, what was traded, when it was in play or suspended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from pipeline.errors import RefusedError

if TYPE_CHECKING:
    import pandas as pd

NEEDED = ("market_id", "selection_id", "handicap", "pt", "status", "inplay", "ltp", "tv")
Bands: TypeAlias = list[tuple[Any, Any]]  # from, to


@dataclass(frozen=True)
class RunnerHistory:
    """One runner, in arrays of a value for each of its rows.

    times   datetime64[ms], in UTC
    prices  the last traded one from then on; NaN for none
    added   GBP that were traded since the row before
    """

    label: str
    times: Any
    prices: Any
    added: Any


@dataclass(frozen=True)
class MarketHistory:
    """A market up to when it was last OPEN; runners of the lowest last price first. Times as those of a runner."""

    market_id: str
    runners: list[RunnerHistory]
    in_play: Bands
    suspended: Bands
    off: Any  # None where it has not been


def market_history(
    frame: pd.DataFrame, market_id: str | None = None, *, names: Mapping[int, str] | None = None
) -> MarketHistory:
    """Of a frame of the view `prices`. Raises RefusedError for a frame without what is to be drawn.

    `market_id` may be left out where the frame has one market; `names` are the runners' by selection id.
    """
    market, rows = _rows_of(frame, market_id)
    rows, off = _until_last_open(rows)
    in_play, suspended = _bands(rows, rows["inplay"]), _bands(rows, rows["status"] == "SUSPENDED")
    return MarketHistory(market, _runners(rows, names or {}), in_play, suspended, off)


def _rows_of(frame: pd.DataFrame, market_id: str | None) -> tuple[str, pd.DataFrame]:
    """The market's id, and its rows in columns of plain numpy types, in the order of the file."""
    import pandas as pd

    missing = [name for name in NEEDED if name not in frame.columns]
    if missing:
        raise RefusedError(
            f"the frame has no {', '.join(missing)}; plot_market draws one of the view prices, as "
            f'ch.view(paths, "prices") or the output of a job with that view gives it'
        )
    markets = list(frame["market_id"].dropna().unique())
    if market_id is None and len(markets) != 1:
        raise RefusedError(f"the frame has {len(markets)} markets; say which: {_some(markets)}")
    market = str(markets[0] if market_id is None else market_id)
    order = [
        name for name in ("seq", "pt") if name in frame.columns
    ]  # a frame may have each runner by itself
    rows = frame.loc[(frame["market_id"] == market).fillna(False).to_numpy(dtype=bool)]
    rows = rows.sort_values(order, kind="stable")[list(NEEDED)]
    if rows.empty:
        raise RefusedError(f"the frame has no market {market!r}; it has {_some(markets)}")
    plain = pd.DataFrame(
        {
            "time": _times(rows["pt"]),
            "selection_id": rows["selection_id"].to_numpy("int64"),
            "handicap": rows["handicap"].to_numpy("float64", na_value=0.0),
            "status": rows["status"].astype(object).where(rows["status"].notna(), None),
            "inplay": rows["inplay"].fillna(False).to_numpy(dtype=bool),
            "ltp": rows["ltp"].to_numpy("float64", na_value=float("nan")),
            "tv": rows["tv"].to_numpy("float64", na_value=float("nan")),
        },
    ).reset_index(drop=True)
    return market, plain


def _times(published: pd.Series) -> Any:
    """Milliseconds without a zone, which is UTC, whatever kind of times or texts a frame has."""
    import pandas as pd

    if str(published.dtype).startswith("timestamp"):  # Arrow's
        published = published.astype("datetime64[ms, UTC]")
    return pd.to_datetime(published, utc=True).dt.tz_localize(None).to_numpy("datetime64[ms]")


def _until_last_open(rows: pd.DataFrame) -> tuple[pd.DataFrame, Any]:
    """The rows up to the last OPEN one, and when the market went off: in play, or else suspended for good."""
    off = rows.loc[rows["inplay"], "time"]
    is_open = (rows["status"] == "OPEN").to_numpy().nonzero()[0]
    if not len(is_open):
        return rows, off.iloc[0] if len(off) else None
    last = int(is_open[-1])
    if len(off):
        return rows.iloc[: last + 1], off.iloc[0]
    return rows.iloc[: last + 1], rows["time"].iloc[last] if last + 1 < len(rows) else None


def _some(markets: list[Any]) -> str:
    return ", ".join(map(str, markets[:5])) + (" ..." if len(markets) > 5 else "")


def _runners(rows: pd.DataFrame, names: Mapping[int, str]) -> list[RunnerHistory]:
    runners = list(rows.groupby(["selection_id", "handicap"], sort=False))
    runners.sort(key=lambda runner: _last_price(runner[1]))
    found = []
    for (selection, handicap), changes in runners:
        label = names.get(int(selection)) or str(selection)
        label += f" {handicap:+g}" if handicap else ""
        volume = changes["tv"].ffill().fillna(0.0)
        added = volume.diff().fillna(volume).clip(lower=0.0)  # what an image takes away is not drawn
        arrays = (changes["time"].to_numpy(), changes["ltp"].to_numpy(), added.to_numpy())
        found.append(RunnerHistory(label, *arrays))
    return found


def _last_price(changes: pd.DataFrame) -> float:
    told = changes["ltp"].dropna()
    return float(told.iloc[-1]) if len(told) else float("inf")


def _bands(rows: pd.DataFrame, inside: pd.Series) -> Bands:
    """Where a condition holds, from the first row of each run to the row after it."""
    bands, times, begin = [], rows["time"].to_numpy(), None
    for time, holds in zip(times, inside.to_numpy(), strict=True):
        if holds and begin is None:
            begin = time
        elif not holds and begin is not None:
            bands.append((begin, time))
            begin = None
    if begin is not None:
        bands.append((begin, times[-1]))
    return bands
