"""What a job's result tab draws of the rows of a view that says it is a picture."""

from __future__ import annotations

import base64
import struct

import pytest

from chimera_nb.data.pictures import PICTURES, draw_output, picture_of
from chimera_nb.local.demo.market import make_market
from chimera_nb.widgets.job_monitor import picture
from chimera_nb.widgets.job_monitor.messages import Draw
from pipeline.read.view_rows import LookedAt
from pipeline.sources import get_source
from pipeline.sources.views import make_view


class Rows:
    """The rows of two markets, as the output of a job has them."""

    def __init__(self, markets=2):
        view = make_view(get_source("betfair"), "prices")
        self._batches = [
            batch for seed in range(markets) for batch in view.rows([make_market(seed, 40)], LookedAt("a"))
        ]
        self.rows = sum(batch.num_rows for batch in self._batches)

    def batches(self, columns):
        return (batch.select(list(columns)) for batch in self._batches)


def size_of(png):
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", png[16:24])


def test_the_first_market_is_drawn_and_the_one_that_is_chosen():
    rows = Rows()
    how = {"pixels": (400, 300), "ratio": 2.0, "dark": False}
    first = draw_output(PICTURES["market"], rows, "", **how)
    assert first.name == first.names[0]
    assert (len(first.names), first.whole, first.rows) == (2, True, rows.rows)
    assert size_of(first.png) == (800, 600)
    other = draw_output(PICTURES["market"], rows, first.names[1], **how)
    assert other.name == first.names[1]
    assert other.png != first.png
    assert draw_output(PICTURES["market"], rows, "1.0", **how).name == first.name
    assert draw_output(PICTURES["market"], rows, "", **how | {"dark": True}).png != first.png
    assert draw_output(PICTURES["market"], Rows(0), "", **how) is None


@pytest.mark.parametrize(
    ("source", "view", "kind", "word"),
    [
        ("betfair", "prices", "parquet", "market"),
        ("betfair", "prices", "xlsx", None),
        ("betfair", "runners", "parquet", None),
        ("betfair", None, None, None),
        ("of a package that is gone", "prices", "parquet", None),
    ],
)
def test_a_view_says_whether_its_rows_can_be_drawn(source, view, kind, word):
    found = picture_of(source, view, kind)
    assert (found.word if found else None) == word


def test_a_picture_is_drawn_within_bounds_whatever_a_page_asks_for(monkeypatch):
    summary = {"source": "betfair", "view": "prices", "format": "parquet"}
    monkeypatch.setattr(picture, "check_still_of", lambda *_: None)
    monkeypatch.setattr(picture, "read_summary", lambda *_: summary)
    monkeypatch.setattr("chimera_nb.data.row_output.RowOutput", lambda *_: Rows(1))
    told = picture.draw(None, "t", Draw("j", "v", "", 10**9, -5, 1.0, dark=False))
    assert size_of(base64.b64decode(told.png)) == (picture.SIDE[1], picture.SIDE[0])
    assert told.told == "1 market"
