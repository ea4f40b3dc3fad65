"""What a view's class must have, held against it before it is used."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

from pipeline.job_options import RAW
from pipeline.sources.view_options import options_of

if TYPE_CHECKING:
    from pipeline.sources.view import View

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,49}")


def problem_of_view(view: type[View]) -> str | None:
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
