"""A market drawn by matplotlib: prices over time, what was traded below, and when it was in play or suspended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chimera_nb.data.market_history import MarketHistory, RunnerHistory, market_history

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BARS = 120
_OTHERS = ("in play", "suspended", "the off")  # in the legend, beside runners
_LEGEND_LINE = 0.22  # inches
_NAMED = 12  # runners in the legend, those of the lowest prices
_IN_PLAY, _SUSPENDED = "#2a9d8f", "#adb5bd"


def market_figure(history: MarketHistory) -> Figure:
    """A matplotlib Figure, which a notebook shows."""
    from matplotlib import pyplot as plt

    figure = plt.figure(figsize=(10, 6), layout="constrained")
    plt.close(figure)  # or a notebook shows it twice
    _draw(figure, history)
    return figure


def draw_market(figure: Figure, frame: pd.DataFrame, market_id: str | None = None) -> None:
    """The same on an empty figure, such as one that pyplot does not know of: pyplot is for one thread."""
    _draw(figure, market_history(frame, market_id))


def _draw(figure: Figure, history: MarketHistory) -> None:
    prices, volume = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    _draw_prices(prices, history.runners)
    _draw_volume(volume, history.runners)
    _mark_states((prices, volume), history)
    _write_times(volume, figure.get_figwidth())
    prices.set_title(f"Market {history.market_id}")
    handles, labels = prices.get_legend_handles_labels()
    fits = max(1, round(figure.get_figheight() / _LEGEND_LINE) - len(_OTHERS))
    named = [pair for pair in zip(handles, labels, strict=True) if pair[1] not in _OTHERS][:fits]
    named += [pair for pair in zip(handles, labels, strict=True) if pair[1] in _OTHERS]
    figure.legend(*zip(*named, strict=True), loc="outside right upper", fontsize="small", frameon=False)


def _draw_prices(axes: Axes, runners: list[RunnerHistory]) -> None:
    """A line a runner; a price holds until the next."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for place, runner in enumerate(runners):
        axes.step(
            runner.times,
            runner.prices,
            where="post",
            linewidth=1,
            label=runner.label if place < _NAMED else None,
        )
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda price, _: f"{price:g}"))
    if _is_wide(runners):
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.yaxis.set_minor_formatter(FuncFormatter(lambda price, _: f"{price:g}"))
    axes.set_ylabel("last traded price")
    axes.grid(visible=True, alpha=0.3)


def _is_wide(runners: list[RunnerHistory]) -> bool:
    told = [price for runner in runners for price in runner.prices if price == price]  # noqa: PLR0124  no NaN
    return bool(told) and max(told) > 4 * min(told)


def _draw_volume(axes: Axes, runners: list[RunnerHistory]) -> None:
    """What was traded on all runners together, in bars of equal time."""
    import numpy as np

    added = np.concatenate([runner.added for runner in runners])
    axes.set_ylabel("GBP traded")
    axes.set_xlabel("UTC", loc="left")
    if not added.sum() > 0:
        axes.text(0.5, 0.5, "no volumes in these rows", transform=axes.transAxes, ha="center", va="center")
        return
    times = np.concatenate([runner.times for runner in runners]).astype("int64")
    sizes, edges = np.histogram(times, bins=_BARS, weights=added)
    edges = edges.astype("datetime64[ms]")
    axes.bar(edges[:-1], sizes, width=np.diff(edges), align="edge", color="#577590")
    axes.grid(visible=True, alpha=0.3)


def _write_times(axes: Axes, inches: float) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    marks = AutoDateLocator(minticks=2, maxticks=max(3, round(inches)))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(marks)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(marks))  # type: ignore[no-untyped-call]


def _mark_states(both: tuple[Axes, Axes], history: MarketHistory) -> None:
    """In play and suspensions as bands, the off as a line."""
    states: tuple[tuple[str, Any, str, float], ...] = (
        ("in play", history.in_play, _IN_PLAY, 0.12),
        ("suspended", history.suspended, _SUSPENDED, 0.5),
    )
    for axes in both:
        for label, bands, color, alpha in states:
            for place, (begin, end) in enumerate(bands):
                named = label if place == 0 and axes is both[0] else None
                axes.axvspan(begin, end, color=color, alpha=alpha, label=named, zorder=0)
        if history.off is not None:
            named = "the off" if axes is both[0] else None
            axes.axvline(history.off, color="black", linestyle="--", linewidth=1, label=named)
