"""The rows of the view `runners`: one market's snapshots in columns."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from pipeline.sources.betfair.columns import TIME, column, day, milliseconds
from pipeline.sources.betfair.messages import Number, RunnerDefinition, RunnerKey, number
from pipeline.sources.betfair.plan import Plan
from pipeline.sources.betfair.selections import Selection
from pipeline.sources.betfair.snapshots import AtTheOff, Matched, Snapshots
from pipeline.sources.betfair.traded import since, summed

_MINUTES = (60, 30, 10)
_NULL = "; null where the market was never in play"

SCHEMA = pa.schema(
    [
        column("market_id", pa.string(), "The market, such as 1.195532863"),
        column("event_date", TIME, "The market's scheduled off, as its definition had it at the end"),
        column("country", pa.string(), "Country code, ISO 3166 of two letters"),
        column("track", pa.string(), "The venue"),
        column("market_name", pa.string(), "Such as 480m A5, To Be Placed, Match Odds"),
        column("selection_id", pa.int64(), "The runner"),
        column("selection_name", pa.string(), "Its name; recorded streams have none"),
        column(
            "result", pa.string(), "Its last status: WINNER, LOSER, PLACED, REMOVED; ACTIVE if never settled"
        ),
        column("bsp", pa.float64(), "Betfair starting price; null for a runner without one"),
        column("pp_min", pa.float64(), "Lowest price traded before in-play"),
        column("pp_max", pa.float64(), "Highest price traded before in-play"),
        column("pp_wap", pa.float64(), "Average price traded before in-play, weighted by size"),
        column(
            "pp_ltp", pa.float64(), "Last price traded before in-play; it may be the reconciliation's own"
        ),
        column(
            "pp_volume", pa.float64(), "GBP traded before in-play and SP volume, as Betfair's tutorial has it"
        ),
        column("ip_min", pa.float64(), f"Lowest price traded in-play{_NULL}"),
        column("ip_max", pa.float64(), f"Highest price traded in-play{_NULL}"),
        column("ip_wap", pa.float64(), f"Average price traded in-play, weighted by size{_NULL}"),
        column("ip_ltp", pa.float64(), f"Last price traded when the market last left OPEN{_NULL}"),
        column("ip_volume", pa.float64(), f"GBP traded in-play{_NULL}"),
        column("handicap", pa.float64(), "Of the runner; 0 where there is none"),
        column("sort_priority", pa.int32(), "The runner's place on Betfair's site"),
        column(
            "adjustment_factor", pa.float64(), "Per cent by which others' odds fall if the runner is removed"
        ),
        column("removal_date", TIME, "When the runner was removed"),
        column("sp_volume", pa.float64(), "GBP matched at the starting price, after its reconciliation"),
        column("pp_traded", pa.float64(), "GBP traded before in-play, without SP"),
        column("ltp_at_off", pa.float64(), "Last price traded when the market was last open before the off"),
        column("best_back_at_off", pa.float64(), "Best price available to back at that time"),
        column("best_lay_at_off", pa.float64(), "Best price available to lay at that time"),
        *(
            column(
                f"ltp_m{minutes}",
                pa.float64(),
                f"Last price traded up to {minutes} minutes before market_time",
            )
            for minutes in _MINUTES
        ),
        column("partial", pa.bool_(), "Whether the file lacks the market's beginning or its end"),
        column("event_type_id", pa.string(), "The sport: 1 soccer, 2 tennis, 7 horses, 4339 greyhounds ..."),
        column("date", pa.date32(), "The day of event_date, in UTC"),
    ]
)
_NO_DEFINITION = RunnerDefinition(id=0)
_NOTHING = Matched()
_NO_OFF = AtTheOff()


def runner_rows(market_id: str, market: Snapshots, plan: Plan) -> list[dict[str, Any]]:
    """By selection and handicap: all runners of any definition, and those that have none."""
    definitions, end = market.definitions, market.ended()
    event_date = milliseconds(end.definition.marketTime)
    of_market = {
        "market_id": market_id,
        "event_date": event_date,
        "country": end.definition.countryCode,
        "track": end.definition.venue,
        "market_name": end.definition.name,
        "partial": definitions.partial,
        "event_type_id": end.definition.eventTypeId,
        "date": day(event_date),
    }
    market_time = definitions.market_time
    rows = []
    for key in sorted(definitions.runners.keys() | market.selections.keys()):
        definition = definitions.runners.get(key, _NO_DEFINITION)
        rows.append(
            {
                **of_market,
                "selection_id": key[0],
                "handicap": key[1],
                "selection_name": definition.name,
                "result": definition.status,
                "bsp": number(definition.bsp),
                "sort_priority": definition.sortPriority,
                "adjustment_factor": number(definition.adjustmentFactor),
                "removal_date": milliseconds(definition.removalDate),
                **_matched(key, market, plan),
                **_at_times(market.selections.get(key), market_time),
            }
        )
    return rows


def _matched(key: RunnerKey, market: Snapshots, plan: Plan) -> dict[str, Any]:
    """What was traded before the off, and from there to the end; of a BASIC file the last prices alone."""
    end = market.ended()
    at_end = end.matched.get(key, _NOTHING)
    pre = at_end if market.pre is None else market.pre.get(key, _NOTHING)
    off = market.off.get(key, _NO_OFF)
    row: dict[str, Any] = {
        "pp_ltp": pre.ltp,
        "ip_ltp": None if market.pre is None else at_end.ltp,
        "ltp_at_off": off.ltp,
        "best_back_at_off": off.best_back,
        "best_lay_at_off": off.best_lay,
    }
    if not plan.has_ladders:
        return row
    before = summed(pre.traded)
    row |= {
        "pp_min": before.low,
        "pp_max": before.high,
        "pp_wap": before.average,
        "pp_traded": before.volume or 0.0,
        "pp_volume": (before.volume or 0.0) + _tutorials_sp_volume(at_end, end.bsp.get(key)),
        "sp_volume": _sp_volume(key, market, plan),
    }
    if market.pre is not None:
        in_play = summed(since(pre.traded, at_end.traded))
        row |= {
            "ip_min": in_play.low,
            "ip_max": in_play.high,
            "ip_wap": in_play.average,
            "ip_volume": in_play.volume,
        }
    return row


def _tutorials_sp_volume(at_end: Matched, bsp: Number) -> float:
    """The smaller of the two sides that is over 0, before the reconciliation where there was no in-play."""
    if bsp is None:
        return 0.0
    odds = (number(bsp) or 0.0) - 1
    lay = at_end.liability / odds if odds else 0.0
    if at_end.stake <= 0:
        return lay
    return at_end.stake if lay <= 0 else min(at_end.stake, lay)


def _sp_volume(key: RunnerKey, market: Snapshots, plan: Plan) -> float | None:
    """Null before the reconciliation, of a runner without SP, and where the plan does not tell."""
    definition = market.definitions.runners.get(key)
    selection = market.selections.get(key)
    if (
        not (plan.has_starting_prices or market.has_starting_prices)
        or not market.definitions.last.bspReconciled
    ):
        return None
    if definition is None or definition.bsp is None:
        return None
    odds = (number(definition.bsp) or 0.0) - 1
    if selection is None or odds <= 0:
        return 0.0
    stake, liability = selection.last_sp
    return round(min(stake, liability / odds), 2)


def _at_times(selection: Selection | None, market_time: int | None) -> dict[str, Any]:
    if selection is None or market_time is None:
        return {}
    return {f"ltp_m{minutes}": selection.ltp_at(market_time - minutes * 60_000) for minutes in _MINUTES}
