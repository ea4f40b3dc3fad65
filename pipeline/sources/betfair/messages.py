"""A line of a stream file, decoded to no more than a view needs: msgspec passes over all other fields unread.

Of each view's lines there are two decoders. The first takes what nearly all lines are, a change of markets with its
time, so that nobody need look at that again; what it refuses the second one takes, or it is no message.

The names are those of Betfair's Exchange Stream API (MarketChangeMessage, MarketChange, RunnerChange,
MarketDefinition). None of these structs can be part of a reference cycle, so the garbage collector need not
know of them (gc=False): it saves 4 to 12 % of the time.
"""

# ruff: noqa: N815  the fields have the stream's names

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Generic, Literal, TypeAlias, TypeVar

from msgspec import Meta, Struct
from msgspec.json import Decoder

_LAST_MS = 253_402_300_799_999  # the end of the year 9999, the last that dates know

NO_ID = 1 << 63  # too large for any runner's
Int64 = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
Milliseconds = Annotated[int, Meta(ge=0, le=_LAST_MS)]
Number: TypeAlias = float | str | None  # "NaN" and "Infinity" come as strings
Ladder: TypeAlias = list[tuple[float, float]] | None  # price, size
RunnerKey: TypeAlias = tuple[int, float]  # selection id, handicap
Levels: TypeAlias = list[tuple[float, float, float]] | None  # position, price, size


class RunnerDefinition(Struct, gc=False):
    id: Int64
    hc: float | None = None
    name: str | None = None
    status: str | None = None
    sortPriority: Int64 | None = None
    bsp: Number = None
    adjustmentFactor: Number = None
    removalDate: str | None = None


class MarketDefinition(Struct, gc=False):
    eventId: str | None = None
    eventTypeId: str | None = None
    eventName: str | None = None
    name: str | None = None
    marketType: str | None = None
    bettingType: str | None = None
    countryCode: str | None = None
    venue: str | None = None
    timezone: str | None = None
    marketTime: str | None = None
    openDate: str | None = None
    settledTime: str | None = None
    status: str | None = None
    inPlay: bool | None = None
    bspMarket: bool | None = None
    bspReconciled: bool | None = None
    runners: list[RunnerDefinition] | None = None


class DefinedMarket(Struct, gc=False):
    """A market change of which only the definition is wanted."""

    id: str = ""
    img: bool | None = None
    marketDefinition: MarketDefinition | None = None


class Origin(Struct, gc=False):
    """What tells a stream that somebody recorded from one that Betfair sells; it may be anything."""

    id: Any = None
    ct: Any = None
    clk: Any = None
    initialClk: Any = None


# Fields in the order in which Betfair writes them: the next one is looked for first.


class TradedRunner(Struct, gc=False):
    """A runner change of which only what was traded is wanted."""

    trd: Ladder = None
    tv: Number = None
    id: int = NO_ID  # checked where a runner is new: a bound here costs 4 % of the time
    hc: float | None = None


class TradedMarket(DefinedMarket, gc=False):
    rc: list[TradedRunner] | None = None


class StartingPriceRunner(Struct, gc=False):
    """A runner change without the books, and without `tv`."""

    trd: Ladder = None
    ltp: Number = None
    spb: Ladder = None
    spl: Ladder = None
    id: int = NO_ID
    hc: float | None = None


class StartingPriceMarket(DefinedMarket, gc=False):
    rc: list[StartingPriceRunner] | None = None


class PricedRunner(Struct, gc=False):
    """A runner change with the books: whole, of the best prices as displayed, and of the best prices."""

    atb: Ladder = None
    atl: Ladder = None
    trd: Ladder = None
    ltp: Number = None
    tv: Number = None
    bdatb: Levels = None
    bdatl: Levels = None
    batb: Levels = None
    batl: Levels = None
    id: int = NO_ID
    hc: float | None = None


class State(Struct, gc=False):
    """What every row of prices has of a definition."""

    status: str | None = None
    inPlay: bool | None = None
    eventTypeId: str | None = None
    marketTime: str | None = None


class PricedMarket(Struct, gc=False):
    id: str = ""
    img: bool | None = None
    marketDefinition: State | None = None
    rc: list[PricedRunner] | None = None


class WholeRunner(Struct, gc=False):
    """A runner change with the books and what is taken at SP, without `tv`."""

    atb: Ladder = None
    atl: Ladder = None
    trd: Ladder = None
    ltp: Number = None
    spb: Ladder = None
    spl: Ladder = None
    bdatb: Levels = None
    bdatl: Levels = None
    batb: Levels = None
    batl: Levels = None
    id: int = NO_ID
    hc: float | None = None


class WholeMarket(DefinedMarket, gc=False):
    rc: list[WholeRunner] | None = None


class LadderRunner(Struct, gc=False):
    """What most files of Betfair's have of `WholeRunner`: whole ladders alone, of runners without a handicap."""

    atb: Ladder = None
    atl: Ladder = None
    trd: Ladder = None
    ltp: Number = None
    spb: Ladder = None
    spl: Ladder = None
    id: int = NO_ID
    hc: None = None
    bdatb: None = None
    bdatl: None = None
    batb: None = None
    batl: None = None


class LadderMarket(DefinedMarket, gc=False):
    rc: list[LadderRunner] | None = None


M = TypeVar("M")


class MarketChanges(Struct, Generic[M], gc=False):
    """A message that changes markets."""

    op: Literal["mcm"]
    pt: Milliseconds
    mc: Annotated[list[M], Meta(min_length=1)]


class Message(Struct, Generic[M], gc=False):
    """Any other, or one that says no time."""

    op: str | None = None
    pt: Milliseconds | None = None
    mc: list[M] | None = None


class ChangesWithOrigin(Origin, Generic[M], kw_only=True, gc=False):
    op: Literal["mcm"]
    pt: Milliseconds
    mc: Annotated[list[M], Meta(min_length=1)]


class MessageWithOrigin(Origin, Generic[M], gc=False):
    op: str | None = None
    pt: Milliseconds | None = None
    mc: list[M] | None = None


C = TypeVar("C")


class LineDecoder(Generic[C]):
    """How lines are decoded.

    line   as a message that changes markets
    lines  whole lines as such messages; one of them may be spread over several lines, or share one
    other  a line that is none as any message
    wider  what takes lines that this one refuses since they have more in them; None where nothing does
    """

    def __init__(self, changes: type[C], other: type[Any], wider: LineDecoder[Any] | None = None) -> None:
        decoder = Decoder(changes)
        self.wider = wider
        self.line: Callable[[bytes], C] = decoder.decode
        self.lines: Callable[[bytes], list[C]] = decoder.decode_lines
        self.other: Callable[[bytes], Any] = Decoder(other).decode


decode_origin = Decoder(Origin).decode
decode_defined = Decoder(MessageWithOrigin[DefinedMarket]).decode
DEFINED = LineDecoder(ChangesWithOrigin[DefinedMarket], MessageWithOrigin[DefinedMarket])
TRADED = LineDecoder(ChangesWithOrigin[TradedMarket], MessageWithOrigin[TradedMarket])
STARTING_PRICES = LineDecoder(MarketChanges[StartingPriceMarket], Message[StartingPriceMarket])
PRICED = LineDecoder(MarketChanges[PricedMarket], Message[PricedMarket])
WHOLE = LineDecoder(MarketChanges[WholeMarket], Message[WholeMarket])
LADDERS = LineDecoder(MarketChanges[LadderMarket], Message[LadderMarket], wider=WHOLE)


def is_selection(selection_id: int) -> bool:
    """Whether a runner's change has an id, and one that Betfair could have given; others are passed over."""
    return -(1 << 63) <= selection_id < 1 << 63


def number(value: Number) -> float | None:
    """None for a text: "NaN" and "Infinity"."""
    return None if isinstance(value, str) else value


def is_recorded(message: Origin) -> bool:
    """Whether the message is of a stream that somebody recorded: one of Betfair's files has a clk of digits alone."""
    clk = message.clk
    return (
        message.id is not None
        or message.ct is not None
        or message.initialClk is not None
        or (isinstance(clk, str) and not clk.isdigit())
    )
