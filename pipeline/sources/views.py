"""The views that a source offers, by name, and one of them made with its options.

A view's options are the fields of its dataclass: texts, numbers, true or false, or one of some texts (Literal), each
with a default and, with `| None`, left open. They are given as `off=last, frequency=1s`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

from pipeline.errors import ChimeraError, OptionRefusedError, RefusedError, UnknownNameError
from pipeline.job_options import RAW, JobOptions
from pipeline.sources.base import SourcePlugin
from pipeline.sources.registry import get_source, source_names

if TYPE_CHECKING:
    from pipeline.sources.view import View

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,49}")
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_PLAIN = (str, int, float, bool)


@dataclass(frozen=True)
class ViewOption:
    """One option of a view: its name, its type, the texts that it may be if there are only some, its default."""

    name: str
    kind: type
    choices: tuple[str, ...]
    nullable: bool
    default: Any

    @property
    def text(self) -> str:
        """For a person: `off: first or last (first)`."""
        kind = " or ".join(self.choices) or {str: "text", int: "a whole number", float: "a number"}.get(
            self.kind, "true or false"
        )
        return f"{self.name}: {kind} ({'left open' if self.default is None else self.default})"

    def read(self, value: Any) -> Any:
        """The value, of its own type or as text. Raises ValueError with what is wanted."""
        if value is None or (isinstance(value, str) and value.lower() in ("", "none") and self.nullable):
            if self.nullable:
                return None
            raise ValueError(self.text)
        if self.kind is bool:
            if isinstance(value, str):
                value = _WORDS.get(value.lower(), value)
            if not isinstance(value, bool):
                raise ValueError(self.text)
            return value
        if isinstance(value, bool) or (self.kind is int and isinstance(value, float) and value % 1):
            raise ValueError(self.text)
        if self.kind is str and not isinstance(value, str):
            raise ValueError(self.text)
        try:
            read = self.kind(value)
        except (ValueError, TypeError, OverflowError) as e:
            raise ValueError(self.text) from e
        if self.choices and read not in self.choices:
            raise ValueError(self.text)
        return read


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
        if problem := _problem(view):
            raise ChimeraError(f"{plugin}: view {view.__qualname__} {problem}")
        if view.name in found:
            raise ChimeraError(f"{plugin} gave two views named {view.name!r}")
        found[view.name] = view
    return found


def options_of(view: type[View]) -> tuple[ViewOption, ...]:
    """The options of a view, in the order of its fields."""
    hints = get_type_hints(view)
    return tuple(
        _option(field.name, hints[field.name], field.default)
        for field in dataclasses.fields(view)  # type: ignore[arg-type]
        if field.init
    )


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


def parse_options(text: str) -> dict[str, str]:
    """`off=last, frequency=1s` by name. Raises OptionRefusedError."""
    found = {}
    for one in filter(None, map(str.strip, text.split(","))):
        name, sign, value = one.partition("=")
        if not sign or not name.strip():
            raise OptionRefusedError(
                "view_options", f"view options have {one!r}; write name=value, with commas between them"
            )
        if name.strip() in found:
            raise OptionRefusedError("view_options", f"view options have {name.strip()} twice; give it once")
        found[name.strip()] = value.strip()
    return found


def options_text(options: Mapping[str, Any]) -> str | None:
    """Options by name as one text, which `parse_options` reads. Raises OptionRefusedError for what it cannot have."""
    for name, value in options.items():
        if "," in f"{name}{value}" or "=" in str(name):
            raise OptionRefusedError(
                "view_options", f"view options have {name}={value}; a comma cannot be in one of them"
            )
    return (
        ", ".join(f"{name}={'none' if value is None else value}" for name, value in options.items()) or None
    )


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


def _problem(view: type[View]) -> str | None:
    """What is wrong with a view's class, if something is."""
    looks = (
        _problem_of_names,
        _problem_of_columns,
        _problem_of_partitions,
        _problem_of_facets,
        _problem_of_options,
    )
    for look in looks:
        if problem := look(view):
            return problem
    return None


def _problem_of_names(view: type[View]) -> str | None:
    if not isinstance(getattr(view, "name", None), str) or not _NAME.fullmatch(view.name) or view.name == RAW:
        return f"must have a name of small letters, digits, - and _ (not {RAW!r})"
    return None if isinstance(getattr(view, "description", None), str) else "must have a description"


def _problem_of_columns(view: type[View]) -> str | None:
    import pyarrow as pa

    schema = getattr(view, "schema", None)
    if not isinstance(schema, pa.Schema) or not schema.names or len(set(schema.names)) < len(schema.names):
        return "must have a schema: a pyarrow.Schema whose columns have names of their own"
    for what in ("sorted_by", "partitions", "facets", "kept"):
        if missing := set(getattr(view, what)) - set(schema.names):
            return f"has {min(missing)!r} in {what}, which is no column of its schema"
    return None


def _problem_of_partitions(view: type[View]) -> str | None:
    import pyarrow as pa

    for name in view.partitions:
        kind = view.schema.field(name).type
        if not (pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_date32(kind)):
            return f"cannot be divided by {name!r}: give a column of texts, whole numbers or days (date32)"
    alone = len(set(view.partitions)) >= len(view.schema.names)
    return "has no column that is no partition" if alone else None


def _problem_of_facets(view: type[View]) -> str | None:
    import pyarrow as pa

    if not view.facets:
        return None
    if view.key not in view.schema.names or not pa.types.is_string(view.schema.field(view.key).type):
        return f"has facets and no key: name a column of texts ({view.key!r} is none)"
    for name in view.facets:
        kind = view.schema.field(name).type
        if not (pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_date32(kind)):
            return f"cannot have {name!r} as a facet: give a column of texts, whole numbers or days (date32)"
    return None


def _problem_of_options(view: Any) -> str | None:
    parameters = getattr(view, "__dataclass_params__", None)
    if parameters is None or not parameters.frozen:
        return "must be a frozen dataclass, whose fields are its options"
    for field in dataclasses.fields(view):
        if field.init and field.default is dataclasses.MISSING:
            return f"has no default for its option {field.name!r}"
    try:
        options_of(view)
    except (TypeError, NameError) as e:
        return str(e)
    return None


def _option(name: str, hint: Any, default: Any) -> ViewOption:
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    nullable = NoneType in kinds
    kinds = tuple(kind for kind in kinds if kind is not NoneType)
    choices: tuple[str, ...] = ()
    if len(kinds) == 1 and get_origin(kinds[0]) is Literal:
        choices = get_args(kinds[0])
        kinds = (str,) if all(isinstance(choice, str) for choice in choices) else ()
    if len(kinds) != 1 or kinds[0] not in _PLAIN:
        raise TypeError(
            f"has an option {name!r} of a type that cannot be given as text; make it str, int, float, bool or a "
            "Literal of texts, with | None or without"
        )
    return ViewOption(name, kinds[0], choices, nullable, default)
