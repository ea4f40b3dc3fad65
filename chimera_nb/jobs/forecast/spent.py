"""What a job's machines came to so far, in hours and money."""

from __future__ import annotations

from dataclasses import dataclass

from chimera_nb.jobs.forecast.machine import machine_of
from chimera_nb.jobs.record import JobRecord
from chimera_nb.jobs.standing import number
from chimera_nb.settings import Settings


@dataclass(frozen=True)
class Spent:
    """What the machines came to.

    hours  of all machines together; None where the record does not tell how long it ran
    money  what they cost, in `currency`; None where they cost nothing by the hour: this machine's, a local stack's
    """

    hours: float | None
    money: float | None = None
    currency: str = ""


def spent_of(record: JobRecord, settings: Settings) -> Spent:
    """Of the machines alone, without requests and what is shuffled; at the prices of the settings."""
    seconds = number(record.progress.get("seconds"))
    if seconds is None:
        return Spent(None)
    workers = number(record.progress.get("workers")) or 1
    hours = seconds * workers / 3600
    on = machine_of(
        record.runner, {k: v for k, v in record.runner_options.items() if k != "project"}, settings
    )
    if not on.is_paid:
        return Spent(hours)
    prices = settings.prices
    hourly = (on.cores * prices.vcpu_hour + on.gb * prices.gb_hour) * (prices.flexrs if on.flexrs else 1.0)
    return Spent(hours, hours * hourly, prices.currency)
