"""What is closed at the end of a `with`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self


class Closes(ABC):
    """Use it in a `with`, at the end of which it is closed, whatever happened."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what it holds; may be repeated."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
