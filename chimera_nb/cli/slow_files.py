"""Where a job's time went, for a person's eyes: what limits, the sizes, and the slowest files."""

from __future__ import annotations

from collections.abc import Iterator

from chimera_nb.jobs.record import JobRecord
from chimera_nb.jobs.service import JobService
from chimera_nb.jobs.slowness import Slowness, lines_of, time_spent
from chimera_nb.units import size
from pipeline.errors import StorageError


def slowness_of(service: JobService, record: JobRecord) -> Slowness | None:
    """Of a job that has ended, as far as its ledger can be had; None where it cannot, or no file was read."""
    if not record.status.is_final:
        return None
    try:
        found = time_spent(service.store.billed_to(record.spec.get("userProject")), record)
    except StorageError:
        return None
    return found if found.files else None


def lines_of_slowness(found: Slowness | None) -> Iterator[tuple[str, str, int]]:
    """What there is to say of it, as a head, what it says, and how far that is indented; nothing for None."""
    if found is None:
        return
    for name, value in lines_of(found):
        yield f"  {name:<9} ", value, 12
    for one in found.slowest:
        yield "    ", f"{one.seconds:8,.2f} s  {one.share:4.0%}  {size(one.size):>9}  {one.uri}", 6
