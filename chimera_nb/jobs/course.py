"""A job's raw bytes over time, as its record keeps them: a bounded list, for the plot of a job that is opened later.

Seconds since the job began and raw bytes by then, by turns: `[1.0, 5000, 2.1, 9000]`. Lists in lists are nothing that
Firestore keeps.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

MOST_POINTS = 240
_FEWEST = MOST_POINTS // 2


def extended(
    course: Sequence[int | float], seconds: float | None, raw: float | None
) -> tuple[int | float, ...]:
    """The course with a point at its end, unless that comes too soon to tell anything; one that is late is left."""
    course = tuple(course)
    if seconds is None or raw is None or seconds <= 0:
        return course
    if course and (seconds - course[-2] < max(0.5, seconds / _FEWEST) or raw < course[-1]):
        return course
    points = [*points_of(course), (seconds, raw)]
    if len(points) > MOST_POINTS:
        points = [*points[1:-1:2], points[-1]]
    return tuple(value for point in points for value in point)


def points_of(course: Sequence[int | float]) -> list[tuple[float, float]]:
    """[seconds, raw bytes] each; none of a list that is no course."""
    points = list(zip(course[::2], course[1::2], strict=False))
    forward = all(one[0] < later[0] and one[1] <= later[1] for one, later in pairwise(points))
    return points if forward else []


def speeds_of(course: Sequence[int | float]) -> list[tuple[float, float]]:
    """[seconds, raw bytes a second] each, over the time since the point before."""
    points = [(0.0, 0.0), *points_of(course)]
    speeds = [(now[0], (now[1] - then[1]) / (now[0] - then[0])) for then, now in pairwise(points)]
    return [(0.0, speeds[0][1]), *speeds] if speeds else []
