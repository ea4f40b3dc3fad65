"""A bound on what a job may come to: worker-hours, or money in the currency of the prices."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chimera_nb.jobs.forecast.model import Forecast
from chimera_nb.jobs.record import JobRecord
from pipeline.job_options import BUDGET

OVER_BUDGET = "cancelled for its budget"  # how the line of its log begins
_EARLY = 0.1  # of the files: before so many are read nothing is foretold of the rest
_MARGIN = 1.1  # a projection may be wrong by so much before a job is ended for it


@dataclass(frozen=True)
class Budget:
    """So many worker-hours, or so much money; the other is None."""

    hours: float | None
    money: float | None
    currency: str = ""

    @classmethod
    def of(cls, text: str | None, currency: str) -> Budget | None:
        """Of the option as it was checked (`pipeline.job_options.check_budget`); None for none."""
        if text is None:
            return None
        found = re.fullmatch(BUDGET, text)
        number = float(found[1]) if found else 0.0
        return cls(number, None, currency) if found and found[2] else cls(None, number, currency)

    def __str__(self) -> str:
        return (
            f"{self.hours:g} worker-hours" if self.hours is not None else f"{self.money:,.2f} {self.currency}"
        )

    def passed_by(self, told: Forecast) -> str | None:
        """What a forecast says against it; None where it keeps within."""
        spent, limit = (told.worker_hours, self.hours) if self.hours is not None else (told.money, self.money)
        if limit is None or spent <= limit:
            return None
        much = f"{spent:,.2f} {'worker-hours' if self.hours is not None else told.currency}"
        return f"it would take about {much}, and the budget is {self}"

    def passed_so_far(
        self, progress: Mapping[str, Any], expected: Mapping[str, Any] | None, workers: float = 1
    ) -> str | None:
        """What a running job's numbers say against it: it is spent, or will be by the share of files that is read.

        Money is reckoned by worker-hours, at what the forecast has for one; without a forecast it says nothing of it.
        """
        limit = self._hours(expected)
        seconds = progress.get("seconds")
        if limit is None or not isinstance(seconds, int | float):
            return None
        spent = seconds * workers / 3600
        if spent > limit:
            return f"the budget of {self} is spent"
        listed = _count(progress, "filesListed")
        done = sum(_count(progress, name) for name in ("filesComplete", "filesFailed", "filesSkipped"))
        if not listed or done < _EARLY * listed:
            return None
        if (will := spent * listed / done) > limit * _MARGIN:
            return f"it would come to about {will:,.3g} worker-hours, and the budget is {self}"
        return None

    def _hours(self, expected: Mapping[str, Any] | None) -> float | None:
        if self.hours is not None:
            return self.hours
        money, hours = (expected or {}).get("money"), (expected or {}).get("workerHours")
        if not money or not hours or self.money is None:
            return None
        return float(self.money * hours / money)


def passed_budget(record: JobRecord, currency: str) -> str | None:
    """What a running job's record says against its budget; None where it has none, or keeps within."""
    budget = Budget.of(record.spec.get("budget"), currency)
    if budget is None or record.status.is_final or record.is_cancelling:
        return None
    workers = record.progress.get("workers") or record.runner_options.get("max_workers") or 1
    return budget.passed_so_far(record.progress, record.forecast, float(workers))


def _count(progress: Mapping[str, Any], name: str) -> float:
    value = progress.get(name)
    return value if isinstance(value, int | float) else 0
