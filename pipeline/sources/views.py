"""The views that a source offers, by name, and one of them made with its options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipeline.errors import ChimeraError, OptionRefusedError, RefusedError, UnknownNameError
from pipeline.job_options import RAW, JobOptions
from pipeline.sources.base import SourcePlugin
from pipeline.sources.registry import get_source, source_names
from pipeline.sources.view_checks import problem_of_view
from pipeline.sources.view_options import options_of, parse_options

if TYPE_CHECKING:
    from pipeline.sources.view import View


def views_of(source: SourcePlugin) -> dict[str, type[View]]:
    """The views by name, once they are known to be such. Raises ChimeraError that names the plugin."""
    from pipeline.sources.view import View  # what it needs is slow to load

    kind = type(source)
    plugin = f"source {source.name!r} ({kind.__module__}:{kind.__qualname__})"
    try:
        offered = tuple(source.views())
    except ChimeraError:
        raise
    except Exception as e:  # a third party's code may raise anything
        raise ChimeraError(f"{plugin} failed in views: {type(e).__name__}: {e}") from e
    found: dict[str, type[View]] = {}
    for view in offered:
        if not (isinstance(view, type) and issubclass(view, View)):
            raise ChimeraError(f"{plugin} gave {view!r} for a view; it must be a class derived from View")
        if problem := problem_of_view(view):
            raise ChimeraError(f"{plugin}: view {view.__qualname__} {problem}")
        if view.name in found:
            raise ChimeraError(f"{plugin} gave two views named {view.name!r}")
        found[view.name] = view
    return found


def make_view(source: SourcePlugin, name: str, options: str | Mapping[str, Any] | None = None) -> View:
    """The view of that name with its options. Raises UnknownNameError, and OptionRefusedError for an option."""
    views = views_of(source)
    if name not in views:
        raise UnknownNameError(f"view of source {source.name}", name, [RAW, *views])
    known = {option.name: option for option in options_of(views[name])}
    values = {}
    for given, value in (options if isinstance(options, Mapping) else parse_options(options or "")).items():
        if given not in known:
            raise OptionRefusedError(
                "view_options", str(UnknownNameError(f"option of view {name}", given, list(known)))
            )
        try:
            values[given] = known[given].read(value)
        except ValueError as e:
            text = f"view {name}: {given} is {value!r}; give {e}"
            raise OptionRefusedError("view_options", text) from e
    try:
        return views[name](**values)
    except ChimeraError as e:
        raise OptionRefusedError("view_options", str(e)) from e
    except (ValueError, TypeError) as e:  # of the view's own checks
        raise OptionRefusedError("view_options", f"view {name}: {e}") from e


def find_view(options: JobOptions) -> View | None:
    """The view that a job's options ask for; None for its raw lines.

    Raises OptionRefusedError, or another RefusedError, for what does not go together, and ChimeraError for a faulty
    plugin.
    """
    if options.view == RAW:
        for name, unset in (("view_options", None), ("partition_by", None), ("max_bad_lines", 0)):
            if getattr(options, name) != unset:
                shown = name.replace("_", "-")
                raise OptionRefusedError(
                    name, f"{shown} is of a view, and raw lines are asked for; name a view"
                )
        if options.format != "ndjson":
            text = f"format {options.format} is of a view's rows, and raw lines are written as they are; name a view"
            raise OptionRefusedError("format", text)
        return None
    view = make_view(get_source(options.source), options.view, options.view_options)
    if options.shards and options.format != "ndjson":
        text = f"a number of output files is not to be had of format {options.format}; leave it out, or ask for ndjson"
        raise OptionRefusedError("shards", text)
    columns = partition_columns(options)
    if columns and options.format != "parquet":
        text = (
            f"format {options.format} is not divided into folders; leave partition-by out, or ask for parquet"
        )
        raise OptionRefusedError("partition_by", text)
    for name in columns:
        if name not in view.partitions:
            known = list(view.partitions)
            text = str(UnknownNameError(f"partition of view {view.name}", name, known))
            raise OptionRefusedError("partition_by", text)
    return view


def partition_columns(options: JobOptions) -> tuple[str, ...]:
    """The columns by which a job's output is divided, each once."""
    return tuple(dict.fromkeys(filter(None, map(str.strip, (options.partition_by or "").split(",")))))


def view_with_facets(source: SourcePlugin) -> View:
    """The view by which a source's files are chosen. Raises RefusedError where none has facets."""
    for view in views_of(source).values():
        if view.facets:
            return view.for_catalogue()
    raise RefusedError(
        f"the files of source {source.name} cannot be chosen by content: none of its views has facets"
    )


def sources_with_facets() -> list[SourcePlugin]:
    """Those whose files can be chosen by content, at least one. Raises RefusedError for none."""
    found = []
    for name in source_names():
        try:
            source = get_source(name)
            if any(view.facets for view in views_of(source).values()):
                found.append(source)
        except ChimeraError:
            continue  # it is told of where it is asked for
    if not found:
        raise RefusedError(
            "no source has files that can be chosen by content: none of their views has facets"
        )
    return found


def source_of_view(name: str) -> SourcePlugin:
    """The one source that offers a view of that name. Raises UnknownNameError, OptionRefusedError for several."""
    offers: dict[str, SourcePlugin] = {}
    known: list[str] = []
    for source_name in source_names():
        try:
            source = get_source(source_name)
            views = views_of(source)
        except ChimeraError:
            continue  # it is told of where it is asked for
        known += views
        if name in views:
            offers[source_name] = source
    if not offers:
        raise UnknownNameError("view", name, known)
    if len(offers) > 1:
        text = f"view {name!r} is offered by the sources {' and '.join(offers)}; say which with source="
        raise OptionRefusedError("source", text)
    return next(iter(offers.values()))
