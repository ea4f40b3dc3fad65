"""Betfair's views against betfairlightweight, at every publish time, and against their definitions in plainest form.

`python -m tests.markets` compares many more made-up markets.
"""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, example, given, settings

from pipeline.sources.betfair.catalogue import Catalogue
from pipeline.sources.betfair.plan import Plan
from pipeline.sources.betfair.prices import Prices
from pipeline.sources.betfair.runners import Runners
from tests.markets import files, oracle
from tests.markets.compare import differences
from tests.markets.streams import streams

REAL = [path for path in files.real_files() if path.stat().st_size < 10_000]  # the others in tests.markets
_hasty = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_a_real_file_is_what_betfairlightweight_makes_of_it(path):
    check(files.read(path), oracle.books)


@pytest.mark.parametrize("raw", [pytest.param(raw, id=name) for name, raw in files.made_up(4)])
def test_a_made_up_market_is_what_betfairlightweight_makes_of_it(raw):
    check(raw, oracle.books)


@_hasty
@given(streams)
def test_a_stream_of_any_shape_is_what_the_definitions_say(raw):
    check(raw, lambda data: oracle.Naive().books(data))


@_hasty
@given(streams)
@example(b'{"op":"mcm","pt":1,"mc":[{"id":"1.1","rc":[{"id":1,"%s":[]}]}]}\n' * 2 % (b"atb", b"batb"))
def test_what_a_view_gives_does_not_depend_on_the_blocks(raw):
    for view in (Catalogue(), Catalogue(total=False), Runners(), Prices(), Prices("500ms")):
        whole = files.rows(view, raw, size=1 << 20)
        assert files.rows(view, raw, size=1) == whole
        assert files.rows(view, raw, size=300) == whole


@_hasty
@given(streams)
def test_a_catalogue_without_totals_is_the_same_otherwise(raw):
    # Runners that are in no definition are known from their changes alone.
    left_out = {"total_matched", "n_runners"}
    full, skimmed = files.rows(Catalogue(), raw), files.rows(Catalogue(total=False), raw)
    assert [{k: v for k, v in row.items() if k not in left_out} for row in skimmed] == [
        {k: v for k, v in row.items() if k not in left_out} for row in full
    ]


def check(raw, books):
    plan = Plan()
    plan.add(raw)
    found = [text for _, texts in differences(raw, books, basic=not plan.has_ladders) for text in texts]
    assert found == []


@_hasty
@given(streams)
def test_runners_without_offers_are_the_same_otherwise(raw):
    compact = b"".join(
        json.dumps(json.loads(line), separators=(",", ":")).encode() + b"\n" for line in raw.splitlines()
    )
    left_out = {"best_back_at_off", "best_lay_at_off"}
    for data in (raw, compact):
        fewer = {key(row): row for row in files.rows(Runners(offers=False), data)}
        for row in files.rows(Runners(), data):
            if found := fewer.pop(key(row), None):
                assert {k: v for k, v in found.items() if k not in left_out} == {
                    k: v for k, v in row.items() if k not in left_out
                }
            else:  # known from its books alone
                assert row["result"] is row["ltp_at_off"] is row["pp_ltp"] is row["ip_ltp"] is None
                assert not row["pp_traded"]
        assert not fewer


def key(row):
    return row["market_id"], row["selection_id"], row["handicap"]
