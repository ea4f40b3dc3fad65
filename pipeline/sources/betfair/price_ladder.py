"""The prices that can be offered on Betfair's exchange.

Increments: "Betfair Price Increments" in the additional information of its Exchange API documentation; the stream calls
this ladder CLASSIC.
"""

from __future__ import annotations

_INCREMENTS = (  # in hundredths: from, up to, step
    (101, 200, 1),
    (200, 300, 2),
    (300, 400, 5),
    (400, 600, 10),
    (600, 1_000, 20),
    (1_000, 2_000, 50),
    (2_000, 3_000, 100),
    (3_000, 5_000, 200),
    (5_000, 10_000, 500),
    (10_000, 100_001, 1_000),
)
LADDER = tuple(cents / 100 for low, high, step in _INCREMENTS for cents in range(low, high, step))
