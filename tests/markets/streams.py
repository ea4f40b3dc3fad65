"""Streams that nobody sells: images, deletions, duplicates, handicaps, several markets, times that go back."""

from __future__ import annotations

import json

from hypothesis import strategies as st

_PRICES = st.sampled_from([1.01, 2.0, 2.5, 3.0, 3.05, 1000.0])
_SIZES = st.sampled_from([0, 0, 1.1, 2.25, 10.0, 0.01])
_NUMBERS = st.one_of(_PRICES, st.sampled_from(["NaN", "Infinity"]))
_LADDERS = st.lists(st.tuples(_PRICES, _SIZES), max_size=4)
_LEVELS = st.lists(st.tuples(st.integers(0, 4), _PRICES, _SIZES), max_size=4)
_KEYS = st.sampled_from([(1, None), (2, None), (2, -0.5), (2, 0.5), (3, 0)])
_MARKETS = st.sampled_from(["1.1", "1.10", "1.2"])


def _runner(key: tuple[int, float | None], **fields: object) -> dict[str, object]:
    selection, handicap = key
    return {"id": selection, **({} if handicap is None else {"hc": handicap}), **fields}


_changes = st.builds(
    lambda key, fields: _runner(key, **fields),
    _KEYS,
    st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(("ltp", "tv"), _NUMBERS),
            **dict.fromkeys(("trd", "atb", "atl", "spb", "spl"), _LADDERS),
            **dict.fromkeys(("batb", "batl", "bdatb", "bdatl"), _LEVELS),
            "spn": _NUMBERS,
            "future": st.just({"x": [1]}),
        },
    ),
)
_defined = st.builds(
    lambda key, fields: _runner(key, **fields),
    _KEYS,
    st.fixed_dictionaries(
        {"status": st.sampled_from(["ACTIVE", "WINNER", "LOSER", "REMOVED"])},
        optional={"bsp": _NUMBERS, "name": st.sampled_from(["A", "B"]), "sortPriority": st.integers(1, 3)},
    ),
)
_definitions = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["OPEN", "SUSPENDED", "CLOSED"]),
        "inPlay": st.booleans(),
        "bspReconciled": st.booleans(),
        "runners": st.lists(
            _defined, max_size=3, unique_by=lambda runner: (runner["id"], runner.get("hc", 0))
        ),
    },
    optional={
        "marketTime": st.sampled_from(["2020-01-01T12:00:00.000Z", "2020-01-01T12:05:00.000Z"]),
        "venue": st.sampled_from(["Ascot", "Bath"]),
        "name": st.sampled_from(["5f", "6f"]),
        "countryCode": st.just("GB"),
    },
)
_market_changes = st.fixed_dictionaries(
    {"id": _MARKETS},
    optional={
        "img": st.sampled_from([False, False, True]),
        "marketDefinition": _definitions,
        "rc": st.lists(_changes, max_size=4),
        "tv": st.just(1.5),
        "con": st.booleans(),
    },
)
_messages = st.fixed_dictionaries(
    {
        "op": st.just("mcm"),
        "pt": st.integers(1_577_880_000_000, 1_577_880_004_000),
        "mc": st.lists(_market_changes, min_size=1, max_size=3),
    },
    optional={"clk": st.sampled_from([None, "123", "AAA"]), "id": st.just(1), "ct": st.just("UPDATE")},
)

streams = st.lists(_messages, min_size=1, max_size=25).map(
    lambda messages: "".join(json.dumps(message) + "\n" for message in messages).encode()
)
