"""A market drawn: the prices of its runners over time, what was traded below, and when it was in play or suspended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipeline.errors import RefusedError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEEDED = ("market_id", "selection_id", "handicap", "pt", "status", "inplay", "ltp", "tv")
_BARS = 120
_OTHERS = ("in play", "suspended", "the off")  # in the legend, beside runners
_LEGEND_LINE = 0.22  # inches
_NAMED = 12  # runners in the legend, those of the lowest prices
_IN_PLAY, _SUSPENDED = "#2a9d8f", "#adb5bd"


def plot_market(
    frame: pd.DataFrame, market_id: str | None = None, *, names: Mapping[int, str] | None = None
) -> Figure:
    """Draw one market of a frame of the view `prices`: a matplotlib Figure, which a notebook shows.

    `market_id` may be left out where the frame has one market. `names` are the runners' by selection id, such as
    `dict(zip(runners.selection_id, runners.selection_name))`; without them their ids are shown. What comes after the
    market was last OPEN is left out: the settlement takes prices and volumes away. Raises RefusedError for a frame
    without what is to be drawn.
    """
    from matplotlib import pyplot as plt

    figure = plt.figure(figsize=(10, 6), layout="constrained")
    plt.close(figure)  # or a notebook shows it twice
    draw_market(figure, frame, market_id, names=names)
    return figure


def draw_market(
    figure: Figure,
    frame: pd.DataFrame,
    market_id: str | None = None,
    *,
    names: Mapping[int, str] | None = None,
) -> None:
    """The same on an empty figure, such as one that pyplot does not know of: pyplot is for one thread."""
    market, rows = _rows_of(frame, market_id)
    rows, off = _until_last_open(rows)
    prices, volume = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    _draw_prices(prices, rows, names or {})
    _draw_volume(volume, rows)
    _mark_states((prices, volume), rows, off)
    _write_times(volume, figure.get_figwidth())
    prices.set_title(f"Market {market}")
    handles, labels = prices.get_legend_handles_labels()
    fits = max(1, round(figure.get_figheight() / _LEGEND_LINE) - len(_OTHERS))
    named = [pair for pair in zip(handles, labels, strict=True) if pair[1] not in _OTHERS][:fits]
    named += [pair for pair in zip(handles, labels, strict=True) if pair[1] in _OTHERS]
    figure.legend(*zip(*named, strict=True), loc="outside right upper", fontsize="small", frameon=False)


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


def _draw_prices(axes: Axes, rows: pd.DataFrame, names: Mapping[int, str]) -> None:
    """A line a runner, the lowest last price first; a price holds until the next."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    runners = list(rows.groupby(["selection_id", "handicap"], sort=False))
    runners.sort(key=lambda runner: _last_price(runner[1]))
    for place, ((selection, handicap), changes) in enumerate(runners):
        label = names.get(int(selection)) or str(selection)
        label += f" {handicap:+g}" if handicap else ""
        axes.step(
            changes["time"],
            changes["ltp"],
            where="post",
            linewidth=1,
            label=label if place < _NAMED else None,
        )
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda price, _: f"{price:g}"))
    if _is_wide(rows):
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.yaxis.set_minor_formatter(FuncFormatter(lambda price, _: f"{price:g}"))
    axes.set_ylabel("last traded price")
    axes.grid(visible=True, alpha=0.3)


def _last_price(changes: pd.DataFrame) -> float:
    told = changes["ltp"].dropna()
    return float(told.iloc[-1]) if len(told) else float("inf")


def _is_wide(rows: pd.DataFrame) -> bool:
    told = rows["ltp"].dropna()
    return bool(len(told)) and told.max() > 4 * told.min()


def _draw_volume(axes: Axes, rows: pd.DataFrame) -> None:
    """What was traded on all runners together, in bars of equal time; what an image takes away is not drawn."""
    import numpy as np

    added = rows.groupby(["selection_id", "handicap"])["tv"].transform(
        lambda volume: volume.ffill().fillna(0.0).diff().fillna(volume.fillna(0.0)).clip(lower=0.0)
    )
    axes.set_ylabel("GBP traded")
    axes.set_xlabel("UTC", loc="left")
    if not added.sum() > 0:
        axes.text(0.5, 0.5, "no volumes in these rows", transform=axes.transAxes, ha="center", va="center")
        return
    times = rows["time"].astype("int64").to_numpy()
    sizes, edges = np.histogram(times, bins=_BARS, weights=added.to_numpy())
    edges = edges.astype("datetime64[ms]")
    axes.bar(edges[:-1], sizes, width=np.diff(edges), align="edge", color="#577590")
    axes.grid(visible=True, alpha=0.3)


def _write_times(axes: Axes, inches: float) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    marks = AutoDateLocator(minticks=2, maxticks=max(3, round(inches)))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(marks)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(marks))  # type: ignore[no-untyped-call]


def _mark_states(both: tuple[Axes, Axes], rows: pd.DataFrame, off: Any) -> None:
    """In play and suspensions as bands, from the row that says so to the next that does not; the off as a line."""
    states = (
        ("in play", rows["inplay"], _IN_PLAY, 0.12),
        ("suspended", rows["status"] == "SUSPENDED", _SUSPENDED, 0.5),
    )
    for axes in both:
        for label, inside, color, alpha in states:
            for place, (begin, end) in enumerate(_bands(rows, inside)):
                named = label if place == 0 and axes is both[0] else None
                axes.axvspan(begin, end, color=color, alpha=alpha, label=named, zorder=0)
        if off is not None:
            named = "the off" if axes is both[0] else None
            axes.axvline(off, color="black", linestyle="--", linewidth=1, label=named)


def _bands(rows: pd.DataFrame, inside: pd.Series) -> list[tuple[Any, Any]]:
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
