"""The one way to tell late answers: those to something that is not shown any more."""

from __future__ import annotations


class Generation:
    """A number that rises whenever something else is shown.

    Messages and requests of what is shown carry it, and so does work in the background: it keeps the number that it
    began with, and asks when it is done.
    """

    def __init__(self) -> None:
        self.number = 0

    def renew(self) -> int:
        """Something else is shown from now on; its number."""
        self.number += 1
        return self.number

    def is_late(self, number: int) -> bool:
        """Whether something else is shown by now."""
        return number != self.number
