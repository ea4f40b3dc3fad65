"""Where a job's time went, as lines that a terminal and a page show alike."""

from __future__ import annotations

from chimera_nb.jobs.slowness.cause import Slowness
from chimera_nb.units import size


def lines_of(found: Slowness) -> list[tuple[str, str]]:
    """What is said of a job besides its slowest files, each line with its name."""
    sizes = found.sizes
    stages = ", ".join(f"{name} {seconds:,.1f} s" for name, seconds in found.stages.items())
    most = f"half up to {size(sizes.median)}, nine of ten up to {size(sizes.most_of_ten)}"
    slowest = f"{len(found.slowest):,} of {found.files:,} files took {found.share:.0%}"
    told = [
        ("time", stages),
        ("limit", f"{found.limit}: {found.why}" if found.why else ""),
        ("to do", found.remedy),
        ("sizes", f"{size(sizes.least)} to {size(sizes.largest)}; {most}"),
        ("slowest", f"{slowest} of the {found.seconds:,.1f} s of all"),
    ]
    return [(name, value) for name, value in told if value]
