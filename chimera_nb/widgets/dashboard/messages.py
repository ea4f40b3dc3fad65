"""What the dashboard's header has in common with its front end: traits, and no messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class StepsTraits:
    """The traits that the page has."""

    page: Literal["new", "jobs"]
    job_id: str
