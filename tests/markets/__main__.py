"""python -m tests.markets --made-up 200: the views against betfairlightweight, all real files and so many of each plan.

At every publish time last price, volume and three best prices; and the tutorial's 19 columns for either `off`. Exit 1
when anything differs.
"""

from __future__ import annotations

import argparse
import sys
import time

from pipeline.sources.betfair.catalogue import Catalogue
from tests.markets import files, oracle
from tests.markets.compare import differences


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.markets", description=__doc__)
    parser.add_argument("--made-up", type=int, default=200, help="markets of each plan")
    asked = parser.parse_args()
    markets = [(path.name, files.read(path)) for path in files.real_files()]
    real = len(markets)
    markets += files.made_up(asked.made_up)
    compared = wrong = 0
    for name, raw in markets:
        basic = files.rows(Catalogue(), raw)[0]["plan"] == "BASIC"
        for count, found in differences(raw, oracle.books, basic=basic):
            compared += count
            wrong += len(found)
            for text in found[:5]:
                print(f"{name}: {text}")
    print(
        f"{real} real files and {len(markets) - real} made-up markets: {compared:,} values, {wrong:,} differ"
    )
    print(f"{time.process_time():,.0f} s of CPU")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
