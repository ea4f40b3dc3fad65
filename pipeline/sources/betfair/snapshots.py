"""A market's states that the view `runners` is made of: before the off, at the off, and at its end.

Times at which a state is kept are changes of a definition. A whole message is one step: what is before it is the
state after the message before, and what is after it has all of its changes, also where it names a market twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pipeline.sources.betfair.definitions import Definitions, leaves_open, turns
from pipeline.sources.betfair.ladder_lines import LadderLines
from pipeline.sources.betfair.messages import (
    MarketChanges,
    MarketDefinition,
    Number,
    RunnerKey,
    WholeMarket,
    is_selection,
)
from pipeline.sources.betfair.offer_table import OfferTable, first_cell
from pipeline.sources.betfair.selections import Selection, Sizes

_PACKED = 2000  # messages, after which what they have said is packed: memory does not grow with the file


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
        self._unpacked = 0  # messages since the selections were packed
        self._lines = LadderLines(first.id)
        self._offers: OfferTable | None = (
            None  # in place of the selections' back and lay, while lines are taken so
        )

    @property
    def needs_offers(self) -> bool:
        """Whether what is on offer may still matter."""
        return self._at_last or self.pre is None

    def before(self, after: MarketDefinition) -> None:
        """Call before a message is applied after which `after` is the definition."""
        last = self.definitions.last
        turned = turns(last, after)
        if last.status == "OPEN" and (turned or after.status != "OPEN") and self.needs_offers:
            self._put_back()
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
            self._put_back()
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
        if offers:
            self._put_back()
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
            pt = message.pt
            for change in market.rc or ():
                selection = self._of(change.id, change.hc) if change.hc else plain.get(change.id)
                if selection is None and (selection := self._of(change.id, change.hc)) is None:
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
                    if levels:
                        if (best := change.batb) is not None:
                            selection.back_levels += best
                        if (best := change.batl) is not None:
                            selection.lay_levels += best
                        if change.bdatb or change.bdatl:
                            selection.display(change)
                if change.trd is not None or change.spb is not None or change.spl is not None:
                    if selection.take(change, pt):
                        taken.append(selection)
                elif (ltp := change.ltp) is not None and ltp != selection.ltp:
                    if isinstance(ltp, float):  # as `match`, without a call
                        selection.ltp = ltp
                        selection.ticks.append((pt, ltp))
                    else:
                        selection.match(ltp, pt)
            if taken and finish:
                self.finish()
        self._pack(count)
        return count

    def apply_lines(self, lines: bytes) -> int:
        """Apply whole lines that are of this market alone, without a definition or an image, undecoded.

        Returns how many they are; 0 where they have a form that takes decoding, and nothing was applied.
        """
        if not self._lines.ids:
            for selection_id, _ in self.definitions.runners:
                self._lines.learn(selection_id)
        found = self._lines.read(lines)
        if found is None or (offers := self._take_offers()) is None:
            return 0
        for selection_id in found.ids:
            self._of(selection_id)
        offers.reserve(len(self._lines.ids))
        offers.update(found.cells, found.on_offer)
        before = -1
        for change, pt, line in zip(found.changes, found.times, found.places, strict=True):
            if self._taken and line != before:
                self.finish()
            before = line
            selection = self._plain[change.id]
            if selection.take(change, pt):
                self._taken.append(selection)
        self.finish()
        self._pack(found.lines)
        return found.lines

    def _pack(self, applied: int) -> None:
        """Call once so many messages have been applied."""
        self._unpacked += applied
        if self._unpacked > _PACKED:
            self._unpacked = 0
            for selection in self.selections.values():
                selection.pack()

    def _take_offers(self) -> OfferTable | None:
        """Have what is on offer as a table. None where there is a price or an id that it cannot have."""
        if self._offers is not None:
            return self._offers
        if any(self._lines.learn(selection_id) is None for selection_id in self._plain):
            return None
        table = OfferTable()
        table.reserve(len(self._lines.ids))
        for number, selection_id in enumerate(self._lines.ids):
            if (selection := self._plain.get(selection_id)) is not None and not (
                table.load(first_cell(number, 0), selection.back)
                and table.load(first_cell(number, 1), selection.lay)
            ):
                return None
        self._offers = table
        return table

    def _put_back(self) -> None:
        """Have what is on offer in the selections again."""
        if self._offers is not None:
            for number, selection_id in enumerate(self._lines.ids):
                if (selection := self._plain.get(selection_id)) is not None:
                    selection.back = self._offers.prices(first_cell(number, 0))
                    selection.lay = self._offers.prices(first_cell(number, 1))
            self._offers = None

    def _of(self, selection_id: int, handicap: float | None = None) -> Selection | None:
        """The runner that a change is of, a new one where there is none; None where its id is no runner's."""
        if not is_selection(selection_id):
            return None
        key = (selection_id, handicap or 0.0)
        selection = self.selections.get(key)
        if selection is None:
            selection = self.selections[key] = Selection()
            if not handicap:
                self._plain[selection_id] = selection
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
