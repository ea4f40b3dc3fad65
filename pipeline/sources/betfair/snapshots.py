"""A market's states that the view `runners` is made of: before the off, at the off, and at its end.

Times at which a state is kept are changes of a definition. A whole message is one step: what is before it is the
state after the message before, and what is after it has all of its changes, also where it names a market twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pipeline.sources.betfair.definitions import Definitions, leaves_open, turns
from pipeline.sources.betfair.messages import (
    MarketChanges,
    MarketDefinition,
    Number,
    RunnerKey,
    WholeMarket,
    WholeRunner,
    is_selection,
)
from pipeline.sources.betfair.selections import Selection, Sizes


class Matched(NamedTuple):
    """What was matched on a runner up to some moment."""

    ltp: float | None = None
    traded: Sizes = {}  # noqa: RUF012  never changed: the state is a copy
    stake: float = 0.0  # at SP, as the first of each ladder says
    liability: float = 0.0


class AtTheOff(NamedTuple):
    """What could be had of a runner when the market was last open before the off."""

    ltp: float | None = None
    best_back: float | None = None
    best_lay: float | None = None


class End(NamedTuple):
    """A market when it last left OPEN, the message that says so included."""

    definition: MarketDefinition
    matched: dict[RunnerKey, Matched]
    bsp: dict[RunnerKey, Number]


class Snapshots:
    """One market.

    pre  before inPlay changed: for the first time to true, or for the last time; None where it has not
    off  see AtTheOff; empty where there was no off
    end  see End; None where the market has not left OPEN
    has_starting_prices  whether any change told what is taken at SP
    """

    def __init__(self, first: WholeMarket, *, recorded: bool, at_last: bool) -> None:
        """`at_last`: the off is the last change of inPlay, in either direction, and not the first to true."""
        self._market_id = first.id
        self.definitions = Definitions(first, recorded=recorded)
        self.selections: dict[RunnerKey, Selection] = {}
        self._plain: dict[int, Selection] = {}  # those without a handicap, by selection id: found sooner
        self.pre: dict[RunnerKey, Matched] | None = None
        self.off: dict[RunnerKey, AtTheOff] = {}
        self.end: End | None = None
        self.has_starting_prices = False
        self._at_last = at_last
        self._last_open: dict[RunnerKey, AtTheOff] = {}
        self._taken: list[Selection] = []  # of which the message has changed what is taken at SP

    @property
    def needs_offers(self) -> bool:
        """Whether what is on offer may still matter."""
        return self._at_last or self.pre is None

    def before(self, after: MarketDefinition) -> None:
        """Call before a message is applied after which `after` is the definition."""
        last = self.definitions.last
        turned = turns(last, after)
        if last.status == "OPEN" and (turned or after.status != "OPEN") and self.needs_offers:
            self._last_open = {
                key: AtTheOff(selection.ltp, selection.best_back, selection.best_lay)
                for key, selection in self.selections.items()
            }
        if turned and (self._at_last or (self.pre is None and after.inPlay)):
            self.pre, self.off = self._matched(), self._last_open
        elif self.pre is None and leaves_open(last, after):
            self.off = self._last_open

    def after(self, before: MarketDefinition) -> None:
        """Call once such a message has been applied; `before` is the definition from before it."""
        definitions = self.definitions
        if leaves_open(before, definitions.last):
            bsp = {key: runner.bsp for key, runner in definitions.runners.items()}
            self.end = End(definitions.last, self._matched(), bsp)
        if definitions.last.bspReconciled and not before.bspReconciled:
            for selection in self.selections.values():
                selection.keep_sp()

    def ended(self) -> End:
        """The end; of a market that has not left OPEN its last state."""
        if self.end is not None:
            return self.end
        bsp = {key: runner.bsp for key, runner in self.definitions.runners.items()}
        return End(self.definitions.last, self._matched(), bsp)

    def apply(self, change: WholeMarket, pt: int, *, offers: bool) -> None:
        """`offers` says whether the message was decoded with what is on offer."""
        if change.img:
            for selection in self.selections.values():
                selection.clear()
        if change.marketDefinition is not None:
            self.definitions.take(change.marketDefinition, pt)
        if change.rc:
            runners = MarketChanges("mcm", pt, [WholeMarket(self._market_id, rc=change.rc)])
            self.apply_plain([runners], offers=offers, finish=False)

    def apply_plain(  # noqa: C901, PLR0912  the loop that all the time goes to: few calls
        self,
        messages: Iterable[MarketChanges[WholeMarket]],
        *,
        offers: bool,
        levels: bool = True,
        finish: bool = True,
    ) -> int:
        """Apply messages while they are of this market alone, without a definition or an image.

        Returns how many were. `levels`: whether they may have best prices by position; `finish`: they are whole, and
        each is finished.
        """
        market_id, plain, taken = self._market_id, self._plain, self._taken
        count = 0
        for message in messages:
            market = message.mc[0]
            if (
                market.marketDefinition is not None
                or market.img
                or market.id != market_id
                or len(message.mc) > 1
            ):
                break
            count += 1
            for change in market.rc or ():
                selection = self._of(change) if change.hc else plain.get(change.id)
                if selection is None and (selection := self._of(change)) is None:
                    continue
                # Lists of one or two: a loop takes less time than a call of dict or set.
                if offers:
                    if (sizes := change.atb) is not None:
                        prices = selection.back
                        for price, size in sizes:
                            if size:
                                prices.add(price)
                            else:
                                prices.discard(price)
                    if (sizes := change.atl) is not None:
                        prices = selection.lay
                        for price, size in sizes:
                            if size:
                                prices.add(price)
                            else:
                                prices.discard(price)
                    if levels and (change.batb or change.batl or change.bdatb or change.bdatl):
                        selection.offer_levels(change)
                if (sizes := change.trd) is not None:
                    ladder = selection.traded
                    if not sizes:
                        ladder.clear()
                    for price, size in sizes:
                        ladder[price] = size
                if (ltp := change.ltp) is not None and ltp != selection.ltp:
                    selection.match(ltp, message.pt)
                if (sizes := change.spb) is not None:
                    selection.sp_back.update(sizes)
                    taken.append(selection)
                if (sizes := change.spl) is not None:
                    selection.sp_lay.update(sizes)
                    taken.append(selection)
            if taken and finish:
                self.finish()
        return count

    def _of(self, change: WholeRunner) -> Selection | None:
        """The runner that a change is of, a new one where there is none; None where its id is no runner's."""
        if not is_selection(change.id):
            return None
        key = (change.id, change.hc or 0.0)
        selection = self.selections.get(key)
        if selection is None:
            selection = self.selections[key] = Selection()
            if not change.hc:
                self._plain[change.id] = selection
        return selection

    def finish(self) -> None:
        """Call once a message has been applied."""
        if self._taken:
            self.has_starting_prices = True
            if self.definitions.last.bspReconciled:
                for selection in self._taken:
                    selection.keep_sp()
            self._taken.clear()

    def _matched(self) -> dict[RunnerKey, Matched]:
        return {
            key: Matched(
                selection.ltp,
                dict(selection.traded),
                selection.stake,
                selection.liability,
            )
            for key, selection in self.selections.items()
        }
