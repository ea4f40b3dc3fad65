"""What betfairlightweight says of the same files: its market books after each line."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import betfairlightweight

Books = list[dict]


def books(raw: bytes) -> Iterator[Books]:
    """Every market's book after each line; what one line gives is never changed by the next."""
    listener = betfairlightweight.StreamListener(
        max_latency=None, lightweight=True, cumulative_runner_tv=True
    )
    listener.register_stream(0, "marketSubscription")
    with _quiet():
        for line in raw.splitlines():
            listener.on_data(line.decode())
            yield listener.snap()


@contextmanager
def _quiet() -> Iterator[None]:
    """It warns of each message that was conflated, which all in Betfair's own files are."""
    logger = logging.getLogger("betfairlightweight")
    before = logger.disabled, [(child, child.disabled) for child in _children()]
    for child in _children():
        child.disabled = True
    try:
        yield
    finally:
        for child, disabled in before[1]:
            child.disabled = disabled


def _children() -> list[logging.Logger]:
    return [
        logging.getLogger(name)
        for name in logging.root.manager.loggerDict
        if name.startswith("betfairlightweight")
    ]


class Naive:
    """The same books by the definitions alone, every rule in its plainest form, for streams that nobody sells."""

    def __init__(self) -> None:
        self.markets: dict[str, dict] = {}

    def books(self, raw: bytes) -> Iterator[Books]:
        for line in raw.splitlines():
            message = json.loads(line)
            for change in message["mc"]:
                self._apply(change, message["pt"])
            yield [self._book(market_id, market) for market_id, market in self.markets.items()]

    def _apply(self, change: dict, pt: int) -> None:
        market = self.markets.setdefault(change["id"], {"definition": {}, "defined": {}, "state": {}})
        market["pt"] = pt
        if change.get("img"):
            market["state"] = {key: {} for key in market["state"]}
        if "marketDefinition" in change:
            market["definition"] = change["marketDefinition"]
            for runner in change["marketDefinition"]["runners"]:
                market["defined"][runner["id"], runner.get("hc", 0)] = runner
        for runner in change.get("rc", ()):
            state = market["state"].setdefault((runner["id"], runner.get("hc", 0)), {})
            for name, value in runner.items():
                _update(state, name, value)

    @staticmethod
    def _book(market_id: str, market: dict) -> dict:
        runners = []
        for selection, handicap in [*market["defined"], *(market["state"].keys() - market["defined"].keys())]:
            state = market["state"].get((selection, handicap), {})
            defined = market["defined"].get((selection, handicap), {})

            def ladder(*names: str, reverse: bool = False, state: dict = state) -> list[dict]:
                for number, name in enumerate(names):
                    if state.get(name):
                        keys = sorted(state[name], reverse=reverse and number == 0)
                        return [{"price": state[name][k][0], "size": state[name][k][1]} for k in keys]
                return []

            traded = ladder("trd")
            runners.append(
                {
                    "selectionId": selection,
                    "handicap": handicap,
                    "status": defined.get("status"),
                    "lastPriceTraded": state.get("ltp"),
                    "totalMatched": round(sum(level["size"] for level in traded), 2)
                    if "trd" in state
                    else state.get("tv"),
                    "ex": {
                        "tradedVolume": traded,
                        "availableToBack": ladder("atb", "bdatb", "batb", reverse=True),
                        "availableToLay": ladder("atl", "bdatl", "batl"),
                    },
                    "sp": {
                        "backStakeTaken": ladder("spl"),
                        "layLiabilityTaken": ladder("spb", reverse=True),
                        "actualSP": defined.get("bsp"),
                    },
                }
            )
        return {
            "marketId": market_id,
            "publishTime": market["pt"],
            "status": market["definition"].get("status"),
            "inplay": market["definition"].get("inPlay"),
            "marketDefinition": market["definition"],
            "definitions": market["defined"],
            "runners": runners,
        }


def _update(state: dict, name: str, value: object) -> None:
    if name in {"ltp", "tv"}:
        state[name] = value
    elif name == "trd" and not value:
        state[name] = {}
    elif isinstance(value, list):
        ladder = state.setdefault(name, {})
        for *key, size in value:
            ladder[key[0]] = (key[-1], size)
            if not size:
                del ladder[key[0]]
