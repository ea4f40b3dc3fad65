"""Which rows of a catalogue are chosen, and how many there are of each value.

Values of one facet are alternatives, and facets go together: country GB or IE, and market type WIN. A value is given as
it is in the column, as text, or by what it is called (`View.words`); None stands for none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import RefusedError, UnknownNameError
from pipeline.sources.view import View

Values = frozenset[str | None]


@dataclass(frozen=True)
class Choice:
    """What is chosen.

    facets        values by facet, as texts; a facet that is not here has any
    since, until  days, both included, for the facets that are days
    ids           of the view's key; None for any
    """

    facets: Mapping[str, Values] = field(default_factory=dict)
    since: date | None = None
    until: date | None = None
    ids: frozenset[str] | None = None

    def also(self, other: Choice) -> Choice:
        """What both choose."""
        facets = dict(self.facets)
        for name, values in other.facets.items():
            facets[name] = facets[name] & values if name in facets else values
        since = max(filter(None, (self.since, other.since)), default=None)
        until = min(filter(None, (self.until, other.until)), default=None)
        ids = other.ids if self.ids is None else self.ids if other.ids is None else self.ids & other.ids
        return Choice(facets, since, until, ids)

    def without(self, facet: str) -> Choice:
        """The same with any value of one facet."""
        return replace(self, facets={name: values for name, values in self.facets.items() if name != facet})


def choice_of(
    view: View,
    facets: Mapping[str, Any],
    *,
    since: str | date | None = None,
    until: str | date | None = None,
    ids: Iterable[str] | None = None,
) -> Choice:
    """A choice of what people write. Raises UnknownNameError for a facet, RefusedError for a day that is none."""
    found: dict[str, Values] = {}
    for name, given in facets.items():
        if name not in view.facets:
            raise UnknownNameError("facet", name, list(view.facets))
        several = given if isinstance(given, Collection) and not isinstance(given, str) else [given]
        found[name] = frozenset(_value(view, name, value) for value in several)
    if isinstance(ids, str):
        raise RefusedError(f"ids is the text {ids!r}; give a list of ids")
    return Choice(found, _day(since), _day(until), None if ids is None else frozenset(map(str, ids)))


def chosen(table: pa.Table, view: View, choice: Choice) -> pa.Table:
    """The rows that are chosen; never those of files without any."""
    masks = [pc.is_valid(table[view.key])]
    for name, values in choice.facets.items():
        texts = pa.array(sorted(value for value in values if value is not None), pa.string())
        mask = pc.is_in(pc.cast(table[name], pa.string()), texts)
        masks.append(pc.or_(mask, pc.is_null(table[name])) if None in values else mask)
    for name in view.facets:
        if pa.types.is_date32(table.schema.field(name).type):
            if choice.since:
                masks.append(pc.greater_equal(table[name], pa.scalar(choice.since)))
            if choice.until:
                masks.append(pc.less_equal(table[name], pa.scalar(choice.until)))
    if choice.ids is not None:
        masks.append(pc.is_in(table[view.key], pa.array(sorted(choice.ids), pa.string())))
    return table.filter(reduce(pc.and_kleene, masks))


def count_values(table: pa.Table, view: View, choice: Choice) -> dict[str, dict[str | None, int]]:
    """By facet: how many rows have each value, where all other facets are as chosen; days in order, else most first.

    A value that is chosen is always there, if with 0.
    """
    found: dict[str, dict[str | None, int]] = {}
    for name in view.facets:
        rows = chosen(table, view, choice.without(name))
        counts = {
            str_or_none(one["values"]): one["counts"] for one in pc.value_counts(rows[name]).to_pylist()
        }
        for value in choice.facets.get(name, ()):
            counts.setdefault(value, 0)
        by_day = pa.types.is_date32(table.schema.field(name).type)
        found[name] = dict(
            sorted(counts.items(), key=lambda one: (0 if by_day else -one[1], one[0] is None, one[0] or ""))
        )
    return found


def word_of(view: View, facet: str, value: str | None) -> str:
    """What a value is called."""
    return "none" if value is None else view.words.get(facet, {}).get(value, value)


def str_or_none(value: Any) -> str | None:
    return None if value is None else str(value)


def _value(view: View, facet: str, value: Any) -> str | None:
    if value is None:
        return None
    text = str(value)
    by_word = {word.casefold(): one for one, word in view.words.get(facet, {}).items()}
    return by_word.get(text.casefold(), text)


def _day(value: str | date | None) -> date | None:
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError as e:
        raise RefusedError(f"{value!r} is no day; write it as 2020-01-31") from e
