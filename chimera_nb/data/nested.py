"""What is nested in a record: reached by its name, opened into fields, or taken apart into rows. No pandas.

A dotted name is the way through objects: `marketDefinition.eventId`. A field that has the dots in its own name comes
before one that is reached by them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chimera_nb.data.records import Record
from pipeline.errors import RefusedError

ABSENT = object()
Explode = str | bool | None


def check_explode(explode: object) -> None:
    """Raise RefusedError for what is no name of a field."""
    if not isinstance(explode, str | bool | None):
        raise RefusedError(
            f"explode is {explode!r}; give the name of one field, or True for each of a record"
        )


def reach(record: Mapping[str, Any], name: str, absent: Any = None) -> Any:
    """A field's value by its name, or by the dotted way to it through objects; `absent` where there is none."""
    if name in record:
        return record[name]
    at = name.find(".")
    while at > 0:
        inner = record.get(name[:at])
        if isinstance(inner, Mapping) and (found := reach(inner, name[at + 1 :], absent)) is not absent:
            return found
        at = name.find(".", at + 1)
    return absent


def ways(name: str) -> list[str]:
    """The fields of a record that `reach` may look at for a name: "a.b.c" may be in "a" or "a.b", or be one itself."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


def exploded(record: Record, explode: Explode) -> Iterator[Record]:
    """A record for each entry of the field `explode`, with the other fields repeated; True takes the record itself.

    An entry of a list is the item. One of an object is {"key": its name, "value": what is under it}: records and
    objects keyed by ids become rows by it. A record where the field is missing, empty or anything else stays one.
    """
    if explode is True:
        yield from ({"key": name, "value": value} for name, value in record.items())
        return
    holder = reach(record, explode) if explode else None
    if explode and holder and isinstance(holder, list | dict):
        entries = holder if isinstance(holder, list) else exploded(holder, explode=True)
        for entry in entries:
            yield _with(record, explode, entry)
    else:
        yield record


def opened(record: Record) -> Iterator[tuple[str, Any]]:
    """A record's fields, with those of nested objects in their place: names are the ways, and may come twice.

    An object without fields stays as it is.
    """
    waiting = list(reversed(record.items()))  # no recursion: objects may nest deeper than calls
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict) and value:
            waiting += [(f"{name}.{inner}", v) for inner, v in reversed(value.items())]
        else:
            yield name, value


def _with(record: Record, name: str, value: Any) -> Record:
    """The record with another value where `reach` finds the name; the given one stays as it was."""
    if name in record:
        return {field: value if field == name else other for field, other in record.items()}
    at = name.find(".")
    while at > 0:
        inner = record.get(name[:at])
        if isinstance(inner, dict) and reach(inner, name[at + 1 :], ABSENT) is not ABSENT:
            return {**record, name[:at]: _with(inner, name[at + 1 :], value)}
        at = name.find(".", at + 1)
    return record
