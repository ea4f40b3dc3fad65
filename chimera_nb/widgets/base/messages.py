"""What kernel and page say to each other: dataclasses here, JSON objects there, with one encoder and one decoder.

Each widget has its own in messages.py:

    Request   the page asks for something; `kind` is the name of the class
    Message   the kernel tells the page something; `kind` as well
    State     what a trait holds; in states.py, where there are many

Names of fields are `snake_case` here and `camelCase` there. Keys of a mapping are data, and stay what they are. A
NamedTuple is a list there: for what comes by the thousand. `typescript.py` makes the page's types of the same classes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

from pipeline.errors import RefusedError

_SUFFIX = re.compile(r"(?:Message|Request)$")


class MalformedError(RefusedError):
    """A request that does not fit. `code` is for the page, `field` the one that is wrong ("" for the whole)."""

    def __init__(self, code: Literal["unknown-kind", "missing", "wrong-type"], field: str, what: str) -> None:
        super().__init__(what)
        self.code = code
        self.field = field


@dataclass(frozen=True)
class _OfKind:
    """One of a kind, by which the other side tells them apart."""

    kind: ClassVar[str]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        name = _SUFFIX.sub("", cls.__name__)
        cls.kind = name[:1].lower() + name[1:]


@dataclass(frozen=True)
class Request(_OfKind):
    """What a page asks for."""


@dataclass(frozen=True)
class Message(_OfKind):
    """What a kernel tells a page."""


class State:
    """What a trait holds, for the page to read."""


@dataclass(frozen=True)
class Nothing(State):
    """What a trait holds while there is no such thing: an object without fields."""


@dataclass(frozen=True)
class Hello(Request):
    """A front end has opened, perhaps one among several, and is sent everything. `view` is its own id."""

    view: str


@dataclass(frozen=True)
class Here(Request):
    """The front end is on screen still."""

    view: str


@dataclass(frozen=True)
class Bye(Request):
    """The front end is closed."""

    view: str


@dataclass(frozen=True)
class RefusedMessage(Message):
    """The answer to a request that does not fit."""

    request: str  # its kind, as far as it is a text
    code: Literal["unknown-kind", "missing", "wrong-type"]
    field: str
    reason: str


# The encoder


def to_wire(value: Any) -> Any:
    """A message or a state as JSON-able lists and dicts."""
    if isinstance(value, str | int | float | NoneType):
        return value.value if isinstance(value, Enum) else value
    if is_dataclass(value) and not isinstance(value, type):
        names = _wire_names(type(value))
        found = {wire: to_wire(getattr(value, name)) for name, wire in names}
        return {"kind": value.kind, **found} if isinstance(value, _OfKind) else found
    if isinstance(value, Mapping):
        return {key: to_wire(item) for key, item in value.items()}
    return [to_wire(item) for item in value]


def camel(name: str) -> str:
    """A field's name as the page has it; what it begins with stays."""
    first, *rest = name.lstrip("_").split("_")
    return name[: len(name) - len(name.lstrip("_"))] + first + "".join(part.capitalize() for part in rest)


@cache
def _wire_names(cls: type) -> tuple[tuple[str, str], ...]:
    return tuple((field.name, camel(field.name)) for field in fields(cls))


# The decoder


def read_request(kinds: Mapping[str, type[Request]], content: object) -> Request:
    """The request that a page has sent. Raises MalformedError for what does not fit; fields it has beside are left."""
    if not isinstance(content, Mapping):
        raise MalformedError("wrong-type", "", "a request is an object")
    kind = content.get("kind")
    expected: Any = kinds.get(kind) if isinstance(kind, str) else None
    if expected is None:
        raise MalformedError("unknown-kind", "kind", f"there is no request {kind!r:.60}")
    hints = hints_of(expected)
    values = {}
    optional = {field.name for field in fields(expected) if field.default is not MISSING}
    for name, wire in _wire_names(expected):
        if wire not in content and name in optional:
            continue
        if wire not in content:
            raise MalformedError("missing", wire, f"{wire} is missing")
        if not _fits(content[wire], hints[name]):
            raise MalformedError(
                "wrong-type", wire, f"{wire} is not {_words(hints[name])}: {content[wire]!r:.60}"
            )
        values[name] = _converted(content[wire], hints[name])
    request: Request = expected(**values)
    return request


@cache
def hints_of(cls: type) -> dict[str, Any]:
    """The types of a class's fields by name."""
    return get_type_hints(cls)


def _fits(value: object, expected: Any) -> bool:
    origin = get_origin(expected)
    if origin in {Union, UnionType}:
        return any(_fits(value, each) for each in get_args(expected))
    if origin is Literal:
        return isinstance(value, str) and value in get_args(expected)
    if origin is tuple:
        return isinstance(value, list) and all(_fits(item, get_args(expected)[0]) for item in value)
    if expected is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if expected is int:
        return type(value) is int
    return isinstance(value, expected)


def _converted(value: Any, expected: Any) -> Any:
    return tuple(value) if get_origin(expected) is tuple else value


def _words(expected: Any) -> str:
    origin = get_origin(expected)
    if origin in {Union, UnionType}:
        return " or ".join(_words(each) for each in get_args(expected))
    if origin is Literal:
        return f"one of {', '.join(map(str, get_args(expected)))}"
    if origin is tuple:
        return f"a list, each {_words(get_args(expected)[0])}"
    return {str: "a text", int: "a whole number", float: "a number", bool: "true or false", NoneType: "null"}[
        expected
    ]
