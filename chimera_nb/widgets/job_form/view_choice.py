"""Which views a form offers, and what is wrong with the one that is chosen. No store is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.errors import ChimeraError, OptionRefusedError
from pipeline.job_options import RAW, JobOptions
from pipeline.options import table
from pipeline.sources import get_source
from pipeline.sources.view_options import options_of
from pipeline.sources.views import find_view, views_of


@dataclass(frozen=True)
class OfferedView:
    """A view of a source: its options as a person reads them, and the columns that it may be divided by."""

    name: str
    description: str
    options: str
    partitions: tuple[str, ...]


def offered_views(sources: Iterable[str]) -> dict[str, tuple[OfferedView, ...]]:
    """The views of each source that has some. May load plugins, so call it in a thread."""
    found = {}
    for name in sources:
        try:
            views = views_of(get_source(name)).values()
        except ChimeraError:
            continue  # its description says so
        if views:
            found[name] = tuple(
                OfferedView(
                    view.name,
                    view.description,
                    "; ".join(option.text for option in options_of(view)),
                    tuple(view.partitions),
                )
                for view in views
            )
    return found


def view_problems(job: Mapping[str, Any]) -> dict[str, str]:
    """By field, what is wrong with the view of a job and what goes with it."""
    options = JobOptions(**{option.name: job[option.name] for option in table(JobOptions)})
    try:
        find_view(options)
    except OptionRefusedError as e:
        return {e.option: str(e)}
    except ChimeraError as e:
        return {"view": str(e)}
    return {}


def view_hints(view: OfferedView | None, values: Mapping[str, str]) -> dict[str, str]:
    """What is said under the fields of a view that is chosen, or of raw lines; `values` are those of the fields."""
    if view is None:
        return {"view": "Each file's lines, as they are."} if values["view"] in ("", RAW) else {}
    said = {"view": f"{view.description[:1].upper()}{view.description[1:]}."}
    if not values["view_options"]:
        said["view_options"] = f"{view.options}." if view.options else "This view has no options."
    if not values["partition_by"]:
        columns = ", ".join(view.partitions)
        said["partition_by"] = f"Parquet by {columns}." if columns else "This view is not divided."
    return said
