"""Pictures of a view's rows, by the name that the view gives (`View.picture`): what a page draws of a job's output."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from chimera_nb.data.arrow_frames import frame_of_rows
from chimera_nb.data.market_history import NEEDED
from chimera_nb.data.market_plot import draw_market
from chimera_nb.data.row_output import RowOutput

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

ROWS_READ = 500_000
NAMES_SHOWN = 500
_DPI = 100


@dataclass(frozen=True)
class Picture:
    """One picture of the rows that have one value of the column `by`. `draw` draws that on an empty figure."""

    by: str
    word: str  # what a value of `by` is, to a person
    columns: tuple[str, ...]
    draw: Callable[[Figure, pd.DataFrame, str], None]


PICTURES = {"market": Picture("market_id", "market", NEEDED, draw_market)}


@dataclass(frozen=True)
class Drawn:
    """A picture as PNG, and of what; `names` are what else there is, and `whole` whether all rows were looked at."""

    name: str
    names: tuple[str, ...]
    whole: bool
    rows: int
    png: bytes


def draw_output(
    picture: Picture, output: RowOutput, name: str, *, pixels: tuple[int, int], ratio: float, dark: bool
) -> Drawn | None:
    """The picture of that name, or of the first one for "" and for one that is not there; None of no rows.

    Reads the first ROWS_READ rows, of these the columns that it needs. Raises RefusedError and StorageError.
    """
    read: list[pa.RecordBatch] = []
    for batch in output.batches(picture.columns):
        read.append(batch)
        if sum(one.num_rows for one in read) >= ROWS_READ:
            break
    table = pa.Table.from_batches(read)[:ROWS_READ] if read else None
    names = pc.unique(table.column(picture.by)).drop_null().to_pylist() if table is not None else []
    if table is None or not names:
        return None
    chosen = name if name in names else names[0]
    frame = frame_of_rows(table.filter(pc.equal(table.column(picture.by), chosen)))
    png = _png(lambda figure: picture.draw(figure, frame, chosen), pixels, ratio, dark=dark)
    return Drawn(chosen, tuple(names[:NAMES_SHOWN]), table.num_rows >= output.rows, table.num_rows, png)


def _png(draw: Callable[[Figure], None], pixels: tuple[int, int], ratio: float, *, dark: bool) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(pixels[0] / _DPI, pixels[1] / _DPI), dpi=_DPI * ratio, layout="constrained")
    draw(figure)
    figure.patch.set_alpha(0)
    for axes in figure.axes:
        axes.patch.set_alpha(0)
        axes.set_title("")  # the page names what it shows
        axes.set_title(axes.get_ylabel(), loc="left", fontsize="small")  # a word on its side needs the height
        axes.set_ylabel("")
        axes.xaxis.label.set_fontsize("small")
        axes.xaxis.get_offset_text().set_fontsize("small")
        axes.tick_params(labelsize="small")
    if dark:
        _lighten(figure)
    made = io.BytesIO()
    figure.savefig(made, format="png")
    return made.getvalue()


def _lighten(figure: Figure, ink: str = "#d4d4d8") -> None:
    """Whatever is black becomes light."""
    from matplotlib.colors import to_hex
    from matplotlib.lines import Line2D
    from matplotlib.text import Text

    for axes in figure.axes:
        axes.tick_params(which="both", color=ink, labelcolor=ink)
        axes.spines[:].set_edgecolor(ink)
    for one in (*figure.findobj(Text), *figure.findobj(Line2D)):
        if isinstance(one, Text | Line2D) and to_hex(one.get_color()) == "#000000":
            one.set_color(ink)


def picture_of(source: str, view: str | None, output_format: str | None) -> Picture | None:
    """How the rows of a view can be drawn, if they can. A source or a view that is gone has none."""
    from pipeline.errors import ChimeraError
    from pipeline.sources import get_source
    from pipeline.sources.views import views_of

    if view is None or output_format == "xlsx":
        return None
    try:
        made = views_of(get_source(source)).get(view)
    except ChimeraError:
        return None
    return PICTURES.get(made.picture) if made else None
