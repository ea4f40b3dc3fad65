"""Betfair's historical data: one .bz2 file a market, in folders by plan, year, month, day and event.

    ADVANCED/2020/Jan/1/29614797/1.167210123.bz2        and the same under BASIC and PRO

https://historicdata.betfair.com: what its download gives, unpacked into a bucket as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.sources.base import SourcePlugin, files_in_folder
from pipeline.uri import escape, has_glob, join_uri

if TYPE_CHECKING:
    from pipeline.sources.view import View

_SUFFIX = ".bz2"


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

    def views(self) -> Sequence[type[View]]:
        from pipeline.sources.betfair.catalogue import Catalogue
        from pipeline.sources.betfair.prices import Prices
        from pipeline.sources.betfair.runners import Runners

        return (Catalogue, Runners, Prices)
