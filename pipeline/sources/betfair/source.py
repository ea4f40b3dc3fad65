"""Betfair's historical data: one .bz2 file a market, in folders by plan, year, month, day and event.

    ADVANCED/2020/Jan/1/29614797/1.167210123.bz2        a market, and the same under BASIC and PRO
    ADVANCED/2020/Jan/1/29614797/29614797.bz2           all markets of the event

https://historicdata.betfair.com: what its download gives, unpacked into a bucket as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.sources.base import SourcePlugin, files_in_folder
from pipeline.sources.holds import Holds
from pipeline.uri import escape, has_glob, join_uri

if TYPE_CHECKING:
    from pipeline.sources.view import View

_SUFFIX = ".bz2"
_PLANS = {"BASIC": 1, "ADVANCED": 2, "PRO": 3}  # each has all of the one before, more often and in more depth
_STORED = r"(?:\.(?:bz2|gz|zst|xz|zip))?"
_MARKET = re.compile(rf"(1\.[0-9]+){_STORED}")
_EVENT = re.compile(rf"([0-9]+){_STORED}")


class BetfairSource(SourcePlugin):
    """A path is a folder unless it is a glob or ends in .bz2; a path that ends in "/" always means folders.

    "" is the whole bucket.
    """

    name = "betfair"
    description = "Betfair historical data: every .bz2 market file in the folders"

    def build_patterns(self, bucket: str, paths: Sequence[str]) -> list[str]:
        """Raises nothing for a glob that cannot be read: the pattern is refused when it is used."""
        patterns: list[str] = []
        for path in paths:
            if path.endswith("/") or not (has_glob(path) or path.endswith(_SUFFIX)):
                patterns += files_in_folder(path, f"*{_SUFFIX}")
            else:
                patterns.append(path if has_glob(path) else escape(path))
        return [join_uri(bucket, pattern) for pattern in dict.fromkeys(patterns)]

    def get_decompressor_class(self) -> str:
        return "auto"  # a .bz2 by its name may be a gzip by its bytes, and the bytes are right

    def holds(self, path: str) -> Holds | None:
        """A market by its id, whatever its plan; an event's own file as the whole of the markets beside it.

        Where an event's own file stands alone it is read, and of two plans' the fuller one.
        """
        *folders, name = path.split("/")
        folder = "/".join(folders)
        at = max((i for i, one in enumerate(folders) if one in _PLANS), default=None)
        rank = 0 if at is None else _PLANS[folders[at]]
        in_event = bool(folders) and folders[-1].isdecimal()
        if market := _MARKET.fullmatch(name):
            return Holds(market[1], rank, part_of=folder if in_event else "")
        event = _EVENT.fullmatch(name)
        if not event or not in_event or event[1] != folders[-1]:
            return None
        beneath = folder if at is None else "/".join(folders[at + 1 :])  # another day's holds other markets
        why = "the event's own file; its markets stand beside it"
        return Holds(f"event {beneath}", rank, whole_of=folder, why=why)

    def views(self) -> Sequence[type[View]]:
        from pipeline.sources.betfair.catalogue import Catalogue
        from pipeline.sources.betfair.prices import Prices
        from pipeline.sources.betfair.runners import Runners

        return (Catalogue, Runners, Prices)
