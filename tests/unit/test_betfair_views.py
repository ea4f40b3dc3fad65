"""Betfair's views by their definitions, rule by rule, and what they do with bad input."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from chimera_nb.local.demo.market import make_market
from pipeline.errors import BadFileError, RefusedError
from pipeline.sources.betfair import BetfairSource, snapshots
from pipeline.sources.betfair.catalogue import Catalogue
from pipeline.sources.betfair.prices import Prices
from pipeline.sources.betfair.runners import Runners
from tests.markets.files import Viewed, rows

T0 = 1_577_880_000_000  # 2020-01-01 12:00
VIEWS = [Catalogue(), Catalogue(total=False), Runners(), Prices(), Prices("1s")]
KEYS = ("selection_id", "handicap")


def line(*changes, pt=T0, **fields):
    return json.dumps({"op": "mcm", "pt": pt, "mc": list(changes), **fields}).encode() + b"\n"


def market(*runners, definition=None, market_id="1.1", **fields):
    said = {"marketDefinition": definition} if definition else {}
    return {"id": market_id, **said, "rc": list(runners), **fields}


def defined(status="OPEN", *, in_play=False, runners=(), **fields):
    return {"status": status, "inPlay": in_play, "runners": list(runners), **fields}


def moment(ms):
    return datetime.fromtimestamp(ms / 1000, UTC)


def named(found, *names):
    return [tuple(row[name] for name in names) for row in found]


# What there is


def test_the_source_offers_the_views_and_each_column_says_what_it_means():
    views = BetfairSource().views()
    assert [view.name for view in views] == ["catalogue", "runners", "prices"]
    for view in views:
        assert view.description.startswith("one row")
        assert {*view.sorted_by, *view.partitions} <= {*view.schema.names}
        for field in view.schema:
            assert field.metadata[b"description"].strip(), field


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Runners(off="middle"), 'takes off="first" or off="last", not \'middle\''),
        (lambda: Prices(frequency="1 second"), 'such as frequency="1s"'),
        (lambda: Prices(frequency="0s"), "not '0s'"),
        (lambda: Prices(frequency="25h"), "not '25h'"),
        (lambda: Prices(frequency=1), "not 1"),
        (lambda: Catalogue(total="yes"), "total=True or total=False, not 'yes'"),
    ],
)
def test_an_option_that_cannot_be_is_refused_with_what_can(make, told):
    with pytest.raises(RefusedError, match="the view") as raised:
        make()
    assert told in str(raised.value)


# Bad input


@pytest.mark.parametrize("view", VIEWS, ids=repr)
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n\n",
        b'{"a":1}\n',
        b"a,b\n1,2\n",
        b'{"op":"connection"}\n{"op":"mcm","pt":1}\n{"op":"mcm","pt":1,"mc":[]}\n',
        b"<html>\n" * 2000,
        b"[1,2]\n",
    ],
)
def test_a_file_that_is_no_stream_holds_no_market_changes(view, raw):
    file = Viewed()
    with pytest.raises(BadFileError, match="holds no market changes"):
        rows(view, raw, file)
    assert file.bad == []  # that says it all


@pytest.mark.parametrize("view", VIEWS, ids=repr)
def test_a_line_that_does_not_decode_is_told_with_its_number(view):
    good = line(market({"id": 1, "ltp": 2.0}, definition=defined()))
    raw = b"\n" + b"{]\n" + good + b"\n" + good[:-9] + b"\n" + line(market(), pt=None) + good
    file = Viewed(allowed=9)
    rows(view, raw, file)
    assert [number for number, _ in file.bad] == [2, 5, 6]
    assert "does not decode" in file.bad[1][1]
    assert "publish time" in file.bad[2][1]
    with pytest.raises(BadFileError, match="line 2"):
        rows(view, raw, Viewed())


@pytest.mark.parametrize("view", VIEWS, ids=repr)
def test_what_is_not_asked_for_may_be_anything(view):
    raw = line(
        {
            "id": "1.1",
            "con": 5,
            "tv": "x",
            "rc": [{"id": 1, "ltp": 3, "spn": "NaN", "new": [{}]}, {"ltp": 1}],
        },
        {"rc": [{"id": 7, "ltp": 2}]},
        clk=None,
        id=3,
        ct=4,
        _stream_id=[1],
    )
    found = rows(view, raw)
    assert [row["market_id"] for row in found] == ["1.1"]


@pytest.mark.parametrize(
    ("first", "last", "partial"),
    [
        ({"definition": defined()}, "CLOSED", False),
        ({"definition": defined()}, "SUSPENDED", True),
        ({"definition": defined(in_play=True)}, "CLOSED", True),
        ({"definition": defined(in_play=True), "img": True}, "CLOSED", False),
        ({}, "CLOSED", True),
    ],
)
def test_a_market_without_its_beginning_or_its_end_is_partial(first, last, partial):
    raw = line(market({"id": 1, "ltp": 2}, **first)) + line(market(definition=defined(last)))
    for view in VIEWS:
        file = Viewed()
        found = rows(view, raw, file)
        assert all(row["partial"] is partial for row in found if "partial" in row)
        assert bool(file.notes) is partial


def test_a_recording_that_starts_without_an_image_is_partial():
    for fields in ({"id": 1}, {"ct": "UPDATE"}, {"clk": "AAA"}, {"initialClk": "x"}):
        raw = line(market(definition=defined()), **fields) + line(market(definition=defined("CLOSED")))
        assert named(rows(Catalogue(), raw), "partial", "plan") == [(True, "RECORDED")]


# Prices


def prices(*lines, view=None, **kwargs):
    return rows(view or Prices(), b"".join(lines), **kwargs)


def test_a_message_is_one_step_and_a_row_comes_only_where_numbers_change():
    found = prices(
        line(market({"id": 1, "ltp": 2.0}, {"id": 1, "ltp": 3.0}), market({"id": 1, "ltp": 4.0}), pt=T0),
        line(market({"id": 1, "ltp": 4.0}), pt=T0 + 1),
        line(market(definition=defined()), pt=T0 + 2),
        line(market({"id": 1, "ltp": 5.0}), pt=T0 - 7),
    )
    assert named(found, "seq", "pt", "status", "ltp") == [
        (1, moment(T0), None, 4.0),
        (4, moment(T0 - 7), "OPEN", 5.0),
    ]


def test_an_image_clears_and_what_is_lost_has_a_row_of_nulls():
    found = prices(
        line(market({"id": 1, "ltp": 2.0}, {"id": 2, "ltp": 3.0, "trd": [[2, 5]]})),
        line(market({"id": 1, "ltp": 2.0}, img=True)),
        line(market({"id": 2, "tv": 7})),
    )
    assert named(found, "seq", "selection_id", "ltp", "tv") == [
        (1, 1, 2.0, None),
        (1, 2, 3.0, 5.0),
        (2, 2, None, None),
        (3, 2, None, 7.0),
    ]


def test_the_volume_is_the_ladders_sum_once_there_was_one_and_exact():
    updates = [
        ({"tv": 9}, 9.0),
        ({"trd": [[2, 0.1]]}, 0.1),
        ({"trd": [[3, 0.2]], "tv": 99}, 0.3),
        ({"tv": 50}, None),
        ({"trd": [[2, 0]]}, 0.2),
        ({"trd": []}, 0.0),
        ({"trd": [[3, 4]]}, 4.0),
        ({"trd": [[3, 0], [5, 0]]}, 0.0),
    ]
    found = prices(*(line(market({"id": 1, **said})) for said, _ in updates))
    assert [row["tv"] for row in found] == [volume for _, volume in updates if volume is not None]


def test_numbers_in_words_are_null():
    found = prices(line(market({"id": 1, "ltp": 2})), line(market({"id": 1, "ltp": "NaN"})))
    assert named(found, "seq", "ltp") == [(1, 2.0), (2, None)]


def test_the_first_book_that_is_not_empty_is_shown():
    found = prices(
        line(market({"id": 1, "batb": [[0, 2, 1], [1, 1.9, 5]]})),
        line(market({"id": 1, "bdatb": [[0, 3, 1]]})),
        line(market({"id": 1, "atb": [[4, 1], [5, 2], [4.5, 3], [1.01, 9]]})),
        line(market({"id": 1, "atb": [[5, 0], [7, 0]]})),
        line(market({"id": 1, "atb": [[4, 0], [4.5, 0], [1.01, 0]]})),
        line(market({"id": 1, "bdatb": [[0, 3, 0]]})),
        line(market({"id": 1, "batb": [[0, 2, 0]]})),
    )
    names = ("back_price_1", "back_size_1", "back_price_2", "back_price_3")
    assert named(found, *names) == [
        (2, 1, 1.9, None),
        (3, 1, None, None),
        (5, 2, 4.5, 4),
        (4.5, 3, 4, 1.01),
        (3, 1, None, None),
        (2, 1, 1.9, None),
        (1.9, 5, None, None),
    ]


def test_handicaps_and_markets_are_kept_apart():
    found = prices(
        line(
            market({"id": 1, "ltp": 2}, {"id": 1, "hc": -0.5, "ltp": 3}, {"id": 1, "hc": None, "ltp": 4}),
            market({"id": 1, "ltp": 5}, market_id="1.10", definition=defined("SUSPENDED", eventTypeId="7")),
        )
    )
    assert named(found, "market_id", *KEYS, "ltp", "status", "event_type_id") == [
        ("1.1", 1, 0.0, 4.0, None, None),
        ("1.1", 1, -0.5, 3.0, None, None),
        ("1.10", 1, 0.0, 5.0, "SUSPENDED", "7"),
    ]


def test_a_grid_has_every_runner_at_every_instant():
    found = prices(
        line(market({"id": 1, "ltp": 2}, {"id": 2, "ltp": 9}, definition=defined()), pt=T0 + 300),
        line(market({"id": 1, "ltp": 3}), pt=T0 + 1000),
        line(market({"id": 1, "ltp": 4}), pt=T0 + 3200),
        line(market(definition=defined("CLOSED")), pt=T0 + 3300),
        line(market({"id": 5, "ltp": 1.5}, market_id="1.2"), pt=T0 + 60_500),
        view=Prices("1s"),
    )
    seconds = [
        ((row["pt"] - moment(T0)).total_seconds(), *named([row], "selection_id", "ltp", "seq")[0])
        for row in found
    ]
    assert seconds == [
        *[(1.0, 1, 3.0, 2), (1.0, 2, 9.0, 2), (2.0, 1, 3.0, 2), (2.0, 2, 9.0, 2), (3.0, 1, 3.0, 2)],
        *[(3.0, 2, 9.0, 2), (4.0, 1, 4.0, 4), (4.0, 2, 9.0, 4), (61.0, 5, 1.5, 5)],
    ]


def test_a_time_that_jumps_by_more_than_a_month_makes_no_rows_between():
    found = prices(
        line(market({"id": 1, "ltp": 2}), pt=0), line(market({"id": 1, "ltp": 3}), pt=T0), view=Prices("1ms")
    )
    assert named(found, "pt", "ltp") == [(moment(0), 2.0), (moment(T0), 3.0)]


def test_batches_are_bounded_and_in_the_files_order():
    raw = b"".join(line(market({"id": n % 7, "ltp": 1 + n})) for n in range(20_000))
    from tests.markets.files import blocks

    batches = list(Prices().rows(blocks(raw, 1 << 20), Viewed()))
    assert [len(batch) for batch in batches] == [8_192] * 2 + [20_000 - 2 * 8_192]
    assert pa.Table.from_batches(batches)["seq"].to_pylist() == list(range(1, 20_001))


# Runners


def race(*, in_play=True):
    """A race from its opening to its settlement: a BSP of 3, traded before, at and after the off."""
    runner = {"id": 1, "sortPriority": 2, "adjustmentFactor": 12.5, "name": "Echo"}
    runners = [
        {**runner, "status": "ACTIVE"},
        {"id": 2, "status": "REMOVED", "removalDate": "2020-01-01T11:00:00.000Z"},
    ]
    base = {"marketTime": "2020-01-01T12:00:00.000Z", "venue": "Bath", "countryCode": "GB", "name": "5f"}
    running = {"in_play": in_play, "bspReconciled": True}

    def say(status, bsp=None, result="ACTIVE", **fields):
        extra = {} if bsp is None else {"bsp": bsp}
        return defined(
            status, runners=[{**runners[0], **extra, "status": result}, runners[1]], **base, **fields
        )

    return [
        line(market(definition=say("OPEN"), img=True), pt=T0 - 7_200_000),
        line(market({"id": 1, "ltp": 20, "trd": [[20, 10]]}), pt=T0 - 3_600_000),
        line(market({"id": 1, "ltp": 22, "trd": [[20, 12], [22, 8]]}), pt=T0 - 3_599_999),
        line(market({"id": 1, "atb": [[21, 2], [20, 2]], "atl": [[23, 5], [24, 1]]}), pt=T0 - 700_000),
        line(market({"id": 1, "spl": [[1.01, 40]], "spb": [[1000, 30]]}), pt=T0 - 600_000),
        line(market(definition=say("SUSPENDED")), pt=T0),
        line(market({"id": 1, "ltp": 10, "atb": [[21, 0]]}), pt=T0 + 1),  # the reconciliation's own
        line(market(definition=say("SUSPENDED", 3, bspReconciled=True)), pt=T0 + 2),
        line(market({"id": 1, "spl": [[1.01, 0], [3, 40]], "spb": [[1000, 0], [3, 60]]}), pt=T0 + 3),
        *([line(market(definition=say("OPEN", 3, **running)), pt=T0 + 4)] if in_play else []),
        *([line(market({"id": 1, "ltp": 1.5, "trd": [[20, 11], [1.5, 100]]}), pt=T0 + 5)] if in_play else []),
        *([line(market(definition=say("SUSPENDED", 3, **running)), pt=T0 + 6)] if in_play else []),
        line(market({"id": 1, "spl": [[3, 0]]}), market({"id": 1, "spb": [[3, 0]], "trd": []}), pt=T0 + 7),
        line(market(definition=say("CLOSED", 3, "WINNER", **running)), pt=T0 + 8),
    ]


def test_a_race_has_what_was_traded_before_the_off_and_in_play():
    one, other = rows(Runners(), b"".join(race()))
    assert {name: one[name] for name in one if name[:3] in {"pp_", "ip_"}} == {
        "pp_min": 20,
        "pp_max": 22,
        "pp_wap": 20.8,
        "pp_ltp": 10,
        "pp_volume": 50.0,
        "pp_traded": 20,
        "ip_min": 1.5,
        "ip_max": 1.5,
        "ip_wap": 1.5,
        "ip_ltp": 1.5,
        "ip_volume": 100,
    }
    assert named(
        [one], "result", "bsp", "track", "country", "market_name", "sort_priority", "adjustment_factor"
    ) == [("WINNER", 3, "Bath", "GB", "5f", 2, 12.5)]
    assert (one["event_date"], one["date"]) == (moment(T0), date(2020, 1, 1))
    assert named([other], "result", "removal_date", "pp_volume", "pp_ltp") == [
        ("REMOVED", moment(T0 - 3_600_000), 0.0, None)
    ]


def test_the_volume_at_sp_is_that_after_the_reconciliation():
    """The tutorial reads it when the market is suspended: where there is no in-play, before there is a BSP."""
    one, _ = rows(Runners(), b"".join(race(in_play=False)))
    assert (one["pp_volume"] - one["pp_traded"], one["sp_volume"]) == (0.0, 30.0)
    one, _ = rows(Runners(), b"".join(race()))
    assert (one["pp_volume"] - one["pp_traded"], one["sp_volume"]) == (30.0, 30.0)


@pytest.mark.parametrize("in_play", [True, False])
def test_prices_at_the_off_are_those_of_the_last_open_state(in_play):
    one, other = rows(Runners(), b"".join(race(in_play=in_play)))
    assert named([one], "ltp_at_off", "best_back_at_off", "best_lay_at_off") == [(22, 21, 23)]
    assert one["pp_ltp"] == (10 if in_play else 22)  # the reconciliation's own, where that is before in-play
    assert named([other], "ltp_at_off", "best_back_at_off", "best_lay_at_off") == [(None, None, None)]


@pytest.mark.parametrize("more", [{"hc": -1}, {"bdatb": [[0, 9, 1]]}, {"batb": [[0, 9, 1]]}])
def test_runners_with_more_than_whole_ladders_may_come_anywhere_in_a_file(more):
    ladder = line(market({"id": 1, "atb": [[2, 1], [3, 1]]}, {"id": 2, "atb": [[4, 1]], "hc": None}))
    raw = (
        line(market({"id": 1, "atb": [[5, 1]]}, definition=defined()))
        + ladder
        + b"{]\n"
        + line(
            market({"id": 1, "atb": [[5, 0]]}, {"id": 2, "atb": [[4, 0]]}, {"id": 2, "atb": [[9, 1]], **more})
        )
        + line(market({"id": 2, "atb": [[9, 0]], **more}))
        + line(market(definition=defined(in_play=True)))
        + line(market(definition=defined("CLOSED", in_play=True)))
    )
    file = Viewed(allowed=1)
    found = named(rows(Runners(), raw, file), *KEYS, "best_back_at_off")
    assert [number for number, _ in file.bad] == [3]
    assert found == ([(1, 0, 3), (2, -1, None), (2, 0, None)] if "hc" in more else [(1, 0, 3), (2, 0, 9)])


def test_last_prices_are_those_at_or_before_the_minute():
    one, _ = rows(Runners(), b"".join(race()))
    assert named([one], "ltp_m60", "ltp_m30", "ltp_m10") == [(20, 22, 22)]


def golf():
    """In play, out and in again, as a tournament of days is."""
    states = [(False, 2), (True, 3), (False, 4), (True, 5)]
    turns = [
        line(
            market({"id": 1, "ltp": ltp, "trd": [[ltp, 10]]}, definition=defined(in_play=in_play)),
            pt=T0 + ltp,
        )
        for in_play, ltp in states
    ]
    return b"".join([*turns, line(market(definition=defined("CLOSED", in_play=True)), pt=T0 + 9)])


def test_the_off_is_the_first_turn_or_the_last():
    assert named(rows(Runners(), golf()), "pp_ltp", "ip_ltp", "pp_traded", "ip_volume") == [(2, 5, 10, 30)]
    assert named(rows(Runners(off="last"), golf()), "pp_ltp", "pp_traded", "ip_volume") == [(4, 30, 10)]
    assert named(rows(Catalogue(), golf()), "inplay_time") == [(moment(T0 + 3),)]


def test_a_market_that_never_leaves_open_has_rows_of_its_last_state():
    raw = b"".join(race()[:5])
    one, _ = rows(Runners(), raw)
    assert named([one], "pp_ltp", "pp_traded", "ltp_at_off", "ip_volume", "sp_volume", "partial") == [
        (22, 20, None, None, None, True)
    ]


def test_a_basic_file_has_last_prices_and_no_volumes():
    raw = (
        line(market({"id": 1, "ltp": 2}, definition=defined(runners=[{"id": 1, "bsp": "NaN"}])))
        + line(market(definition=defined(in_play=True)))
        + line(market({"id": 1, "ltp": 3}, definition=defined("CLOSED", in_play=True)))
    )
    (one,) = rows(Runners(), raw)
    assert named([one], "pp_ltp", "ip_ltp", "bsp", "ltp_at_off") == [(2, 3, None, 2)]
    filled = {"pp_ltp", "ip_ltp", "ip_wap"}
    assert {one[name] for name in one if name[:3] in {"pp_", "ip_", "sp_"} and name not in filled} == {None}
    assert named(rows(Catalogue(), raw), "plan", "total_matched") == [("BASIC", None)]
    assert [row["tv"] for row in prices(raw)] == [None, None]


def test_runners_are_paired_by_key_and_are_those_of_all_definitions_and_changes():
    raw = (
        line(market(definition=defined(runners=[{"id": 2, "name": "B"}, {"id": 1, "hc": -1, "name": "A"}])))
        + line(
            market(
                {"id": 1, "hc": -1, "ltp": 2}, {"id": 9, "ltp": 7}, definition=defined(runners=[{"id": 3}])
            )
        )
        + line(market({"id": 4, "ltp": 8}, market_id="1.0"))
    )
    assert named(rows(Runners(), raw), "market_id", *KEYS, "selection_name", "pp_ltp") == [
        ("1.0", 4, 0.0, None, 8.0),
        ("1.1", 1, -1.0, "A", 2.0),
        ("1.1", 2, 0.0, "B", None),
        ("1.1", 3, 0.0, None, None),
        ("1.1", 9, 0.0, None, 7.0),
    ]
    assert named(rows(Catalogue(), raw), "market_id", "n_runners") == [("1.0", 1), ("1.1", 4)]


# The catalogue


def test_a_market_is_one_row_of_its_last_definition():
    raw = b"".join(race())
    for view in (Catalogue(), Catalogue(total=False)):
        (one,) = rows(view, raw)
        wanted = {
            "market_id": "1.1",
            "venue": "Bath",
            "market_time": moment(T0),
            "inplay_time": moment(T0 + 4),
            "status": "CLOSED",
            "bsp_reconciled": True,
            "n_runners": 2,
            "n_active": 0,
            "n_removed": 1,
            "n_winners": 1,
            "winner_ids": [1],
            "total_matched": 119.0 if view.total else None,
            "plan": "PRO",
            "first_pt": moment(T0 - 7_200_000),
            "last_pt": moment(T0 + 8),
            "updates": 15,
            "file": "gs://b/1.1.bz2",
            "partial": False,
            "date": date(2020, 1, 1),
        }
        assert {name: one[name] for name in wanted} == wanted


def test_names_and_venue_are_the_last_that_are_not_null():
    raw = line(market(definition=defined(name="5f", venue="Bath", eventName="E"))) + line(
        market(definition=defined())
    )
    assert named(rows(Catalogue(), raw), "market_name", "venue", "event_name", "winner_ids") == [
        ("5f", "Bath", "E", [])
    ]


@pytest.mark.parametrize(
    ("fields", "plan"),
    [
        ({"ltp": 2}, "BASIC"),
        ({"ltp": 2, "batb": [[0, 2, 1]], "trd": [[2, 1]]}, "ADVANCED"),
        ({"bdatl": []}, "ADVANCED"),
        ({"trd": [[2, 1]], "ltp": 2}, "PRO"),
        ({"atb": []}, "PRO"),
        ({"spn": 2}, "PRO"),
        (None, None),
    ],
)
def test_the_plan_is_told_by_what_the_changes_carry(fields, plan):
    change = [] if fields is None else [{"id": 1, **fields}]
    raw = line(market(*change, definition=defined(name='"batb" "atb"')), clk="123")
    for view in (Catalogue(), Catalogue(total=False)):
        assert [row["plan"] for row in rows(view, raw)] == [plan]


@pytest.mark.parametrize("plan", ["ADVANCED", "BASIC"])
def test_rows_are_the_same_however_often_what_was_said_is_packed(plan, monkeypatch):
    first = defined(runners=[{"id": 1}])
    displayed = [line(market({"id": 1, "bdatb": [[1, 3, 1], [0, 4, size]]}), pt=T0 - size) for size in (1, 0)]
    two = line(market(definition=first)) + b"".join(displayed)
    for raw in (
        make_market(5, 60, plan=plan),
        two + line(market(definition=defined("SUSPENDED", in_play=True))),
    ):
        monkeypatch.undo()
        seldom = rows(Runners(), raw)
        monkeypatch.setattr(snapshots, "_PACKED", 0)
        assert rows(Runners(), raw, size=500) == seldom
        assert seldom[0]["ltp_at_off"] or seldom[0]["best_back_at_off"] == 3
