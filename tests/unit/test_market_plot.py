"""A market drawn: which lines, bars and marks there are. Nobody looks at colours here."""

from __future__ import annotations

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.dates import date2num

import chimera_nb as ch
from chimera_nb.local.demo.market import make_market
from pipeline.errors import RefusedError
from pipeline.sources.betfair.prices import Prices
from tests.markets.files import table

mpl.use("agg")
NEEDED = ["market_id", "selection_id", "handicap", "pt", "status", "inplay", "ltp", "tv"]
T0 = pd.Timestamp("2020-01-01 12:00", tz="UTC")


def frame(*rows, market_id="1.1"):
    found = pd.DataFrame(rows, columns=["second", "selection_id", "status", "inplay", "ltp", "tv"])
    found["pt"] = T0 + pd.to_timedelta(found["second"], unit="s")
    return found.assign(market_id=market_id, handicap=0.0)


RACE = frame(
    (0, 1, "OPEN", False, 3.0, 10.0),
    (0, 2, "OPEN", False, 2.0, 5.0),
    (60, 1, "SUSPENDED", False, 4.0, 10.0),
    (70, 1, "OPEN", True, 5.0, 30.0),
    (80, 2, "OPEN", True, 1.01, 25.0),
    (90, 2, "CLOSED", True, None, 0.0),
)


def second(number):
    return pytest.approx(date2num((T0 + pd.Timedelta(seconds=number)).tz_localize(None)))


def test_prices_are_a_line_a_runner_and_volume_is_below():
    prices, volume = ch.plot_market(RACE, names={1: "Echo"}).axes
    lines = {line.get_label(): list(line.get_ydata()) for line in prices.lines if len(line.get_xdata()) > 1}
    assert lines == {"2": [2.0, 1.01], "Echo": [3.0, 4.0, 5.0], "the off": [0, 1]}
    assert [text.get_text() for text in prices.figure.legends[0].get_texts()][:2] == ["2", "Echo"]
    assert sum(bar.get_height() for bar in volume.patches if bar.get_width() < 1 / 86400) == pytest.approx(55)
    assert prices.get_title() == "Market 1.1"
    assert prices.get_yscale() == "log"


def test_the_off_in_play_and_suspensions_are_marked():
    for axes in ch.plot_market(RACE).axes:
        (off,) = [line for line in axes.lines if len({*line.get_xdata()}) == 1]
        assert date2num(off.get_xdata()[0]) == second(70)
    bands = {
        band.get_label(): (band.get_x(), band.get_x() + band.get_width())
        for band in ch.plot_market(RACE).axes[0].patches
    }
    assert bands == {"in play": (second(70), second(80)), "suspended": (second(60), second(70))}


def test_a_market_that_is_never_in_play_goes_off_when_it_is_last_open():
    race = RACE.assign(inplay=False)
    off = [line for line in ch.plot_market(race).axes[0].lines if line.get_label() == "the off"]
    assert date2num(off[0].get_xdata()[0]) == second(80)
    still_open = race[race["status"] == "OPEN"]
    assert "the off" not in [line.get_label() for line in ch.plot_market(still_open).axes[0].lines]


def test_volumes_that_a_plan_does_not_have_are_said_to_be_missing():
    _, volume = ch.plot_market(RACE.assign(tv=None)).axes
    assert [text.get_text() for text in volume.texts] == ["no volumes in these rows"]


def test_a_frame_that_has_each_runner_by_itself_is_the_same_market():
    by_runner = RACE.sort_values(["selection_id", "second"])
    for one, other in zip(ch.plot_market(RACE).axes, ch.plot_market(by_runner).axes, strict=True):
        assert [list(line.get_ydata()) for line in one.lines] == [
            list(line.get_ydata()) for line in other.lines
        ]
        assert [band.get_x() for band in one.patches] == [band.get_x() for band in other.patches]


@pytest.mark.parametrize("kinds", [None, pd.ArrowDtype])
def test_a_frame_of_the_view_is_drawn_whatever_its_types(kinds, tmp_path):
    rows = table(Prices(), make_market(3, 300, plan="PRO")).to_pandas(types_mapper=kinds)
    figure = ch.plot_market(rows)
    figure.savefig(tmp_path / "market.png")
    assert (tmp_path / "market.png").stat().st_size > 10_000
    assert len(figure.axes[0].lines) == rows["selection_id"].nunique() + 1


@pytest.mark.parametrize(
    ("rows", "market_id", "told"),
    [
        (RACE.drop(columns=["tv", "pt"]), None, "the frame has no pt, tv; .* view prices"),
        (RACE, "1.2", "no market '1.2'; it has 1.1"),
        (pd.concat([RACE, RACE.assign(market_id="1.2")]), None, "has 2 markets; say which: 1.1, 1.2"),
        (RACE[:0], None, "has 0 markets"),
    ],
)
def test_a_frame_that_cannot_be_drawn_is_refused_with_why(rows, market_id, told):
    with pytest.raises(RefusedError, match=told):
        ch.plot_market(rows, market_id)


def floats(data):
    return list(memoryview(data).cast("d"))


def test_the_interactive_one_has_the_same_market_in_the_page():
    plot = ch.plot_market(RACE, names={1: "Echo"}, interactive=True)
    start = int(T0.timestamp() * 1000)
    assert plot.drawn["market"] == "1.1"
    two, echo = plot.drawn["runners"]
    assert [two["label"], echo["label"]] == ["2", "Echo"]
    assert floats(echo["times"]) == [start, start + 60_000, start + 70_000]
    assert floats(echo["prices"]) == [3.0, 4.0, 5.0]
    assert (floats(echo["added"]), floats(two["added"])) == ([10.0, 0.0, 20.0], [5.0, 20.0])
    assert plot.drawn["suspended"] == [(start + 60_000, start + 70_000)]
    assert plot.drawn["inPlay"] == [(start + 70_000, start + 80_000)]
    assert plot.drawn["off"] == start + 70_000


def test_the_interactive_one_is_of_a_market_that_has_not_been_off_too():
    still_open = RACE[RACE["status"] == "OPEN"].assign(inplay=False)
    plot = ch.plot_market(still_open, interactive=True)
    assert (plot.drawn["off"], plot.drawn["inPlay"]) == (None, [])
    with pytest.raises(RefusedError, match="plot_market draws one of the view prices"):
        ch.plot_market(RACE.drop(columns="tv"), interactive=True)
