"""The 19 columns of Betfair's tutorial by its own rules, from market books: an oracle of the view `runners`.

It takes the *last* change of inPlay, and the end is the book at the last change from OPEN to anything else. Where the
definitions differ on purpose that is an argument, or is told at the place.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.markets.oracle import Books

COLUMNS = (
    *(
        "market_id",
        "event_date",
        "country",
        "track",
        "market_name",
        "selection_id",
        "selection_name",
        "result",
    ),
    *("bsp", "pp_min", "pp_max", "pp_wap", "pp_ltp", "pp_volume"),
    *("ip_min", "ip_max", "ip_wap", "ip_ltp", "ip_volume"),
)
Row = dict[str, Any]


def tutorial_rows(steps: Iterable[Books], *, off: str, basic: bool) -> dict[tuple[str, int, float], Row]:
    """By market, selection and handicap. `basic` files have neither ladders nor volumes: null, and not 0.00."""
    before: dict[str, dict] = {}
    pre: dict[str, dict] = {}
    end: dict[str, dict] = {}
    for books in steps:
        for book in books:
            market_id = book["marketId"]
            prev = before.get(market_id)
            if prev is not None and prev["marketDefinition"]:
                turned = bool(prev["inplay"]) != bool(book["inplay"])
                if turned and (off == "last" or (market_id not in pre and book["inplay"])):
                    pre[market_id] = prev
                if prev["status"] == "OPEN" and book["status"] != "OPEN":
                    end[market_id] = book
            before[market_id] = book
    rows = {}
    for market_id, final in before.items():
        # The tutorial drops a market that never leaves OPEN.
        for row in _market(pre.get(market_id), end.get(market_id, final), final):
            rows[market_id, row["selection_id"], row.pop("handicap")] = (
                {name: None if _needs_ladders(name) else value for name, value in row.items()}
                if basic
                else row
            )
    return rows


def _needs_ladders(name: str) -> bool:
    return name[:3] in {"pp_", "ip_"} and not name.endswith("_ltp")


def _market(pre: dict | None, end: dict, final: dict) -> Iterable[Row]:
    definition = end["marketDefinition"]
    defined = final.get("definitions") or {
        (runner["id"], runner.get("hc", 0)): runner for runner in final["marketDefinition"].get("runners", ())
    }
    for runner in final["runners"]:
        key = runner["selectionId"], runner["handicap"]
        at_end = _find(end, key)
        before = None if pre is None else _find(pre, key)
        bsp = runner["sp"]["actualSP"]
        row: Row = {
            "market_id": final["marketId"],
            "event_date": definition.get("marketTime"),
            "country": definition.get("countryCode"),
            "track": definition.get("venue"),
            "market_name": definition.get("name"),
            "selection_id": runner["selectionId"],
            "handicap": runner["handicap"],
            "selection_name": defined.get(key, {}).get("name"),
            "result": runner["status"],
            "bsp": bsp if isinstance(bsp, float | int) else None,
        }
        volume_at_sp = _sp_volume(at_end)
        traded = at_end["ex"]["tradedVolume"]
        if pre is None:
            wap, matched, low, high = _parse(traded)
            row |= {"pp_min": low, "pp_max": high, "pp_wap": wap, "pp_ltp": _last(at_end)}
            row |= dict.fromkeys(("ip_min", "ip_max", "ip_wap", "ip_ltp", "ip_volume"))
        else:
            wap, matched, low, high = _parse(before["ex"]["tradedVolume"])
            row |= {"pp_min": low, "pp_max": high, "pp_wap": wap, "pp_ltp": _last(before)}
            sizes = {level["price"]: level["size"] for level in before["ex"]["tradedVolume"]}
            added = [
                {"price": level["price"], "size": level["size"] - sizes.get(level["price"], 0)}
                for level in traded
            ]
            wap, ip_matched, low, high = _parse([level for level in added if level["size"] > 0])
            row |= {"ip_min": low, "ip_max": high, "ip_wap": wap, "ip_ltp": _last(at_end)}
            row["ip_volume"] = ip_matched
        row["pp_volume"] = (matched or 0) + (volume_at_sp or 0)
        yield row


_NOBODY = {
    "lastPriceTraded": None,
    "ex": {"tradedVolume": []},
    "sp": {"backStakeTaken": [], "layLiabilityTaken": [], "actualSP": None},
}


def _find(book: dict, key: tuple[int, float]) -> dict:
    found = (r for r in book["runners"] if (r["selectionId"], r["handicap"]) == key)
    return next(found, _NOBODY)


def _last(runner: dict) -> float | None:
    price = runner["lastPriceTraded"]
    return None if isinstance(price, str) else price


def _parse(traded: list[dict]) -> tuple[float | None, float | None, float | None, float | None]:
    matched = sum(level["size"] for level in traded)
    if not traded or matched <= 0:
        return None, None, None, None
    wap = sum(level["price"] * level["size"] for level in traded) / matched
    prices = [level["price"] for level in traded]
    return wap, matched, min(prices), max(prices)


def _sp_volume(runner: dict) -> float:
    sp = runner["sp"]
    if sp["actualSP"] is None:
        return 0
    bsp = sp["actualSP"] if isinstance(sp["actualSP"], float | int) else 0
    stake = next((level["size"] for level in sp["backStakeTaken"] if level["size"] > 0), 0)
    liability = next((level["size"] for level in sp["layLiabilityTaken"] if level["size"] > 0), 0)
    lay = liability / (bsp - 1) if bsp != 1 else 0
    if stake <= 0:
        return lay
    return stake if lay <= 0 else min(stake, lay)
