"""How long a store that fails is asked again, and how slow it may be."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.errors import CredentialsError, SettingsError, StoreUnavailableError

# What a job's own process, without settings, finds in its environment; `chimera_nb.settings` has the same names.
JOB_SECONDS = "CHIMERA_JOB_PATIENCE"
LEAST_THROUGHPUT = "CHIMERA_LEAST_THROUGHPUT"
_FIRST_PAUSE = 1.0  # seconds; doubled each time
_LONGEST_PAUSE = 30.0
_ANSWER_SECONDS = 60.0  # for a store to begin to answer


@dataclass(frozen=True)
class Patience:
    """What a store may take. Raises SettingsError for values that make no sense.

    seconds            for which a request is tried again, from its first failure on
    bytes_per_second   what a request brings or takes at the least: one that is slower is a fault, and tried again
    for_credentials    whether bad credentials are waited for as well, as a job does; a person is told at once
    """

    seconds: float = 600.0
    bytes_per_second: float = 16 << 10
    for_credentials: bool = True

    def __post_init__(self) -> None:
        if not (0 <= self.seconds < float("inf") and self.bytes_per_second > 0):
            raise SettingsError(
                f"a patience of {self.seconds} s, at {self.bytes_per_second} bytes a second at the least: the first "
                "is 0 or more, and the second above 0"
            )

    @classmethod
    def of_job(cls, environment: Mapping[str, str] = os.environ) -> Patience:
        """A job's patience, by these variables. Raises SettingsError."""
        seconds = environment.get(JOB_SECONDS) or cls.seconds
        least = environment.get(LEAST_THROUGHPUT) or cls.bytes_per_second
        return cls(number(JOB_SECONDS, seconds), number(LEAST_THROUGHPUT, least))

    def answer(self) -> float:
        """Seconds that a store may be silent."""
        return max(1.0, min(_ANSWER_SECONDS, self.seconds))

    def deadline(self, size: int) -> float:
        """Seconds within which a request is done, whole, that moves so many bytes."""
        return self.answer() + size / self.bytes_per_second


def number(name: str, value: object) -> float:
    """The value of a setting that is a number. Raises SettingsError."""
    try:
        found = float(str(value))
    except ValueError as e:
        raise SettingsError(f"{name} is {value!r}; it is a number") from e
    if found != found:  # noqa: PLR0124 - which is what tells it
        raise SettingsError(f"{name} is {value!r}; it is a number")
    return found


JOB = Patience()
PERSON = Patience(seconds=20.0, for_credentials=False)


class Trials:
    """The tries of one thing: after a failure, a pause with jitter, until the patience is over.

    most: how often it may fail, where a try costs too much to be bounded by time alone.
    """

    def __init__(self, patience: Patience, most: int | None = None) -> None:
        self._patience = patience
        self._left = most
        self._give_up: float | None = None
        self._pause = _FIRST_PAUSE

    def failed(self, error: StoreUnavailableError) -> None:
        """Wait before the next try. Raises `error` when there is to be none.

        Tries may be nested: what has been tried for long enough by the inner ones is not tried again by the outer.
        """
        now = time.monotonic()
        if self._give_up is None:
            self._give_up = now + self._patience.seconds
        if self._left is not None:
            self._left -= 1
        hopeless = isinstance(error, CredentialsError) and not self._patience.for_credentials
        if error.tried or hopeless or now >= self._give_up or self._left == 0:
            error.tried = True
            raise error
        # The last try is made when the patience ends, not when a pause happens to.
        time.sleep(min(random.uniform(0.5, 1.5) * self._pause, self._give_up - now))  # noqa: S311 - jitter
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
