"""Lists in pages, and which messages and metrics a request asks for."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from chimera_nb.local.dataflow.job import FILTERS, IMPORTANCES, Job, enum_name, read_time

_Item = TypeVar("_Item")
_LARGEST_PAGE = 1000


def page(
    items: Sequence[_Item], query: Mapping[str, str], key: Callable[[_Item], str]
) -> tuple[Sequence[_Item], str | None]:
    """The page that pageSize and pageToken ask for, and the token of the next if there is one.

    A token names the last item of its page, so that what is added meanwhile moves nothing. Raises ValueError
    for a size or a token that makes no sense.
    """
    size = int(query.get("pageSize") or 0) or _LARGEST_PAGE
    if size < 0:
        raise ValueError(f"pageSize is {size}; it is from 1 to {_LARGEST_PAGE}, or 0 for as many as fit")
    begin = 0
    if token := query.get("pageToken"):
        try:
            last = base64.urlsafe_b64decode(token).decode()
            begin = 1 + next(i for i, item in enumerate(items) if key(item) == last)
        except (binascii.Error, UnicodeDecodeError, StopIteration):
            raise ValueError(f"pageToken {token!r} was not given here; begin again without one") from None
    found = items[begin : begin + min(size, _LARGEST_PAGE)]
    more = begin + len(found) < len(items)
    return found, base64.urlsafe_b64encode(key(found[-1]).encode()).decode() if found and more else None


def matching_jobs(
    jobs: Iterable[Job], project: str, location: str | None, query: Mapping[str, str]
) -> list[Job]:
    """A project's jobs by `filter` and `name`, from the newest; of every region without a location."""
    filtered_by = enum_name(query.get("filter") or 0, FILTERS, "filter")
    name = query.get("name")
    found = [
        job
        for job in jobs
        if job.project == project
        and location in {None, job.location}
        and name in {None, "", job.name}
        and (
            filtered_by not in {"TERMINATED", "ACTIVE"} or job.state.is_final == (filtered_by == "TERMINATED")
        )
    ]
    # As Google Cloud has it, the unknown filter puts jobs that are active before the others.
    active_first = filtered_by == "UNKNOWN"
    found.sort(key=lambda job: (job.create_time, job.id), reverse=True)
    return sorted(found, key=lambda job: active_first and job.state.is_final)


def matching_messages(messages: Iterable[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    """The messages from startTime on and before endTime, of at least minimumImportance."""
    ranks = {name: rank for rank, name in enumerate(IMPORTANCES.values())}
    least = ranks[enum_name(query.get("minimumImportance") or 0, IMPORTANCES, "minimumImportance")]
    start, end = (query.get(field) for field in ("startTime", "endTime"))
    after = read_time(start, "startTime") if start else None
    before = read_time(end, "endTime") if end else None
    return [
        message
        for message in messages
        if ranks[message["messageImportance"]] >= least
        and (after is None or read_time(message["time"], "time") >= after)
        and (before is None or read_time(message["time"], "time") < before)
    ]


def matching_metrics(metrics: Iterable[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    """The metrics that have changed since startTime."""
    start = query.get("startTime")
    if not start:
        return list(metrics)
    since = read_time(start, "startTime")
    return [metric for metric in metrics if read_time(metric["updateTime"], "updateTime") >= since]
