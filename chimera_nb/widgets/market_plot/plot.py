"""`ch.plot_market`: a market as a picture, or as a widget to explore."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, overload

from chimera_nb.data.market_history import market_history

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from chimera_nb.widgets.market_plot.widget import MarketPlot


@overload
def plot_market(
    frame: pd.DataFrame,
    market_id: str | None = None,
    *,
    names: Mapping[int, str] | None = None,
    interactive: Literal[False] = False,
) -> Figure: ...
@overload
def plot_market(
    frame: pd.DataFrame,
    market_id: str | None = None,
    *,
    names: Mapping[int, str] | None = None,
    interactive: Literal[True],
) -> MarketPlot: ...
def plot_market(
    frame: pd.DataFrame,
    market_id: str | None = None,
    *,
    names: Mapping[int, str] | None = None,
    interactive: bool = False,
) -> Figure | MarketPlot:
    """Draw one market of a frame of the view `prices`, which a notebook shows.

    A matplotlib Figure; with `interactive=True` a widget in which one zooms, reads values off, and takes runners away
    and back. It asks nothing of the kernel or of any server.

    `market_id` may be left out where the frame has one market. `names` are the runners' by selection id, such as
    `dict(zip(runners.selection_id, runners.selection_name))`; without them their ids are shown. What comes after the
    market was last OPEN is left out: the settlement takes prices and volumes away. Raises RefusedError for a frame
    without what is to be drawn.
    """
    history = market_history(frame, market_id, names=names)
    if interactive:
        from chimera_nb.widgets.market_plot.widget import MarketPlot

        return MarketPlot(history)
    from chimera_nb.data.market_plot import market_figure

    return market_figure(history)
