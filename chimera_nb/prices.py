"""What a worker's hour and a request cost: a table [prices] in chimera.toml, or CHIMERA_PRICES.

They are not asked for anywhere: the defaults are list prices of us-central1 in USD, as of 2025, and a contract's own
are written in their place.

https://cloud.google.com/dataflow/pricing  https://cloud.google.com/storage/pricing
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from pipeline.errors import SettingsError


@dataclass(frozen=True)
class Prices:
    """Raises SettingsError for what is no price.

    vcpu_hour, gb_hour  of a worker at Dataflow, by vCPU and by GB of memory
    shuffle_gb          of data that is shuffled there
    flexrs              what is left of the three with FlexRS, of 1
    class_a, class_b    a thousand requests to a bucket: to write or list, and to read
    currency            what all of them are in
    """

    vcpu_hour: float = 0.056
    gb_hour: float = 0.003557
    shuffle_gb: float = 0.011
    flexrs: float = 0.6
    class_a: float = 0.005
    class_b: float = 0.0004
    currency: str = "USD"

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if name == "currency":
                if not (isinstance(value, str) and value.isalpha()):
                    raise SettingsError(f"prices: currency is {value!r}; give a name such as EUR")
            elif (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or not math.isfinite(value)
                or value < 0
            ):
                raise SettingsError(f"prices: {name} is {value!r}; give a number from 0 up")

    @classmethod
    def from_table(cls, values: Mapping[str, Any]) -> Self:
        """Of a table of chimera.toml. Raises SettingsError."""
        known = [each.name for each in fields(cls)]
        if unknown := values.keys() - set(known):
            raise SettingsError(
                f"prices: unknown {', '.join(sorted(unknown))}; there are: {', '.join(known)}"
            )
        return cls(**values)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Of NAME=VALUE with commas between them, as the environment has it. Raises SettingsError."""
        values: dict[str, Any] = {}
        for item in filter(None, (part.strip() for part in text.split(","))):
            name, _, value = item.partition("=")
            try:
                values[name] = value if name == "currency" else float(value)
            except ValueError as e:
                raise SettingsError(f"prices: {item!r} is no NAME=NUMBER") from e
        return cls.from_table(values)

    def to_text(self) -> str:
        """The inverse of `from_text`; empty for the defaults."""
        plain = type(self)()
        return ",".join(f"{n}={v}" for n, v in asdict(self).items() if v != getattr(plain, n))
