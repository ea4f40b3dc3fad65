"""MarketPlot: a market to explore, all of it in the page. Nothing is asked of the kernel, so it outlives it."""

from __future__ import annotations

from typing import Any, TypedDict

import anywidget
import traitlets

from chimera_nb.data.market_history import Bands, MarketHistory, RunnerHistory
from chimera_nb.widgets.base import assets


class DrawnRunner(TypedDict):
    """What the page has of a runner: arrays of float64 as bytes; times are milliseconds since 1970."""

    label: str
    times: bytes
    prices: bytes
    added: bytes


class DrawnMarket(TypedDict):
    market: str
    runners: list[DrawnRunner]
    inPlay: list[tuple[int, int]]
    suspended: list[tuple[int, int]]
    off: int | None


class MarketPlot(anywidget.AnyWidget):
    """Prices by runner over time, volume below; the off, in-play and suspensions marked.

    Wheel or + and - zoom, drag or the arrow keys move, a double click or 0 shows all. Runners are switched on and off.
    """

    _esm = assets.script("market_plot/view")
    _css = assets.style("market_plot/style")

    drawn = traitlets.Dict(help="What is drawn; see DrawnMarket.").tag(sync=True)
    height = traitlets.Int(440, min=200, max=2000, help="Of the plot, in pixels.").tag(sync=True)

    def __init__(self, history: MarketHistory, **traits: Any) -> None:
        super().__init__(drawn=_drawn(history), **traits)


def _drawn(history: MarketHistory) -> DrawnMarket:
    return {
        "market": history.market_id,
        "runners": [_runner(runner) for runner in history.runners],
        "inPlay": _milliseconds(history.in_play),
        "suspended": _milliseconds(history.suspended),
        "off": None if history.off is None else _millisecond(history.off),
    }


def _runner(runner: RunnerHistory) -> DrawnRunner:
    return {
        "label": runner.label,
        "times": runner.times.astype("int64").astype("<f8").tobytes(),
        "prices": runner.prices.astype("<f8").tobytes(),
        "added": runner.added.astype("<f8").tobytes(),
    }


def _milliseconds(bands: Bands) -> list[tuple[int, int]]:
    return [(_millisecond(begin), _millisecond(end)) for begin, end in bands]


def _millisecond(time: Any) -> int:
    import numpy as np

    return int(np.datetime64(time, "ms").astype("int64"))
