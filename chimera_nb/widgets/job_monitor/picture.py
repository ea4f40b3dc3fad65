"""A picture of a job's output, where its view has one: what the page is sent."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from chimera_nb.jobs.limits import storable
from chimera_nb.units import plural
from chimera_nb.widgets.job_monitor.messages import Draw, PictureMessage
from pipeline.errors import ChimeraError
from pipeline.storage import Store
from pipeline.target.lifecycle import read_summary
from pipeline.target.results import check_still_of

if TYPE_CHECKING:
    from chimera_nb.data.pictures import Picture

Number = TypeVar("Number", int, float)
SIDE, RATIO = (200, 2000), (1.0, 3.0)  # within which a picture is drawn, whatever is asked for


def picture_word(summary: Mapping[str, Any]) -> str:
    """Of what a picture can be drawn, such as "market"; "" where there is none."""
    found = _picture(summary)
    return found.word if found else ""


def draw(store: Store, target: str, request: Draw) -> PictureMessage:
    """The picture that is asked for, or why there is none."""
    try:
        return _draw(store, target, request)
    except ChimeraError as e:
        return PictureMessage(request.job, request.view, request.name, (), "", storable(str(e)))


def _draw(store: Store, target: str, request: Draw) -> PictureMessage:
    from chimera_nb.data.pictures import draw_output
    from chimera_nb.data.row_output import RowOutput

    check_still_of(store, target, request.job)
    summary = read_summary(store, target) or {}
    picture = _picture(summary)
    drawn = None
    if picture is not None:
        pixels = (_within(request.width, SIDE), _within(request.height, SIDE))
        ratio = _within(request.ratio, RATIO)
        output = RowOutput(store, target, summary)
        drawn = draw_output(picture, output, request.name, pixels=pixels, ratio=ratio, dark=request.dark)
    if picture is None or drawn is None:
        return PictureMessage(request.job, request.view, "", (), "", "There is nothing to draw.")
    told = plural(len(drawn.names), picture.word)
    told += "" if drawn.whole else f" in the first {plural(drawn.rows, 'row')}"
    png = base64.b64encode(drawn.png).decode()
    return PictureMessage(
        request.job,
        request.view,
        storable(drawn.name),
        tuple(map(storable, drawn.names)),
        png,
        told,
    )


def _picture(summary: Mapping[str, Any]) -> Picture | None:
    if summary.get("view") is None:
        return None
    from chimera_nb.data.pictures import picture_of

    return picture_of(str(summary.get("source")), summary["view"], summary.get("format"))


def _within(value: Number, bounds: tuple[Number, Number]) -> Number:
    return min(max(value, bounds[0]), bounds[1])
