"""Betfair's stream files: where they are (source.py), and the tables that are made of them.

messages.py     a line, decoded to what a view needs
lines.py        a file's lines as messages; what does not decode, and what is no stream of Betfair's
plan.py         under which plan the file was bought
definitions.py  what a market's definitions have said so far
columns.py      fields with their meanings; texts as times
options.py      what the views' options may be
catalogue.py    a row a market (entries.py); skim.py: the same, only the lines with a definition decoded
runners.py      a row a runner (runner_rows.py), of a market's states at the off and the end (snapshots.py)
prices.py       a row for each change of a runner (price_rows.py), or at the instants of a grid (price_grid.py)
selections.py   a runner as it stands, for runners.py; traded.py: what was traded on it
books.py        the same for prices.py; best_prices.py: one side of its book
"""

from __future__ import annotations

from pipeline.sources.betfair.source import BetfairSource

__all__ = ["BetfairSource"]
