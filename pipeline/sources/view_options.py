"""The options of a view: the fields of its dataclass, as texts and as values.

They are texts, numbers, true or false, or one of some texts (Literal), each with a default and, with `| None`, left
open. They are given as `off=last, frequency=1s`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

from pipeline.errors import OptionRefusedError

if TYPE_CHECKING:
    from pipeline.sources.view import View

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


def options_of(view: type[View]) -> tuple[ViewOption, ...]:
    """The options of a view, in the order of its fields."""
    hints = get_type_hints(view)
    return tuple(
        _option(field.name, hints[field.name], field.default)
        for field in dataclasses.fields(view)  # type: ignore[arg-type]
        if field.init
    )


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
