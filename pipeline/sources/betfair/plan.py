"""Under which plan a file was bought: what its runner changes carry tells, and is found without decoding them."""

from __future__ import annotations

_LEVELS = (b'"batb"', b'"batl"', b'"bdatb"', b'"bdatl"')
_WHOLE = (b'"atb"', b'"atl"')
_OFFERS = (b'atb"', b'atl"')  # how all of these end
_STARTING_PRICES = (b'"spb"', b'"spl"', b'"spn"', b'"spf"')
_SP = b'"sp'  # and how these begin
_TRADED = (b'"trd"', b'"tv"')
_LAST = b'"ltp"'
# Each of these keys but `trd` has one of these letters, lines of last prices have none, and one byte is found soonest.
_LETTERS = (b"a", b"s", b"v")
_WINDOW = 8 << 10  # bytes: the first ones that have ladders tell what kind they are


class Plan:
    """What a file is made of, from its blocks in order.

    A key in quotes is found where it is a key: within a text JSON has a backslash before the second quote.
    """

    def __init__(self) -> None:
        self.recorded = False
        self._kind: str | None = None
        self._traded = False

    def add(self, block: bytes) -> None:
        for begin in range(0, len(block), _WINDOW):
            if self._kind in {"ADVANCED", "PRO"}:
                return
            # A key that lies across the end of a window is not the only one of its kind.
            self._look(block[begin : begin + _WINDOW])

    def _look(self, window: bytes) -> None:
        if self._kind == "BASIC" and not any(letter in window for letter in _LETTERS):
            self._traded = self._traded or _TRADED[0] in window
            return
        offers = any(end in window for end in _OFFERS)
        if offers and any(key in window for key in _LEVELS):
            self._kind = "ADVANCED"
        elif (offers and any(key in window for key in _WHOLE)) or (
            _SP in window and any(key in window for key in _STARTING_PRICES)
        ):
            self._kind = "PRO"
        else:
            self._traded = self._traded or any(key in window for key in _TRADED)
            if self._kind is None and _LAST in window:
                self._kind = "BASIC"

    @property
    def name(self) -> str | None:
        """RECORDED, ADVANCED, PRO or BASIC; None where no runner has changed."""
        if self.recorded:
            return "RECORDED"
        return "PRO" if self._traded and self._kind == "BASIC" else self._kind

    @property
    def has_ladders(self) -> bool:
        """Whether the file says what was traded and offered, and not only the last price."""
        return self._traded or self._kind in {"ADVANCED", "PRO"}

    @property
    def has_starting_prices(self) -> bool:
        """Whether the file would say what is taken at the starting price; a recording may have it or not."""
        return self._kind == "PRO" and not self.recorded
