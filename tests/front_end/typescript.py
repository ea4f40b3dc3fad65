"""The page's types of a widget's messages: TypeScript made of the dataclasses in its messages.py.

    python -m tests.front_end.typescript     writes messages.d.ts beside each messages.py

They are stored, since the front end has no build step, and test_messages.py holds them in step.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import ModuleType, NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import anywidget

import chimera_nb.widgets
from chimera_nb.widgets.base.messages import (
    Bye,
    Hello,
    Here,
    Message,
    Nothing,
    RefusedMessage,
    Request,
    camel,
    hints_of,
)

# Traits of anywidget and of ipywidgets, and the one that model.d.ts has.
OF_EVERY_WIDGET = {
    *anywidget.AnyWidget.class_trait_names(sync=True),
    "_anywidget_id",
    "_esm",
    "_css",
    "error",
}
WIDGETS = Path(chimera_nb.widgets.__file__).parent
_PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", NoneType: "null"}
_HEAD = "// Made of messages.py by `make messages`; a change belongs there.\n"


def message_files() -> list[Path]:
    """The messages.py of every widget."""
    return sorted(path for path in WIDGETS.glob("*/messages.py") if path.parent.name != "base")


def module_of(path: Path) -> ModuleType:
    return importlib.import_module(f"chimera_nb.widgets.{path.parent.name}.messages")


def types_of(path: Path) -> str:
    """The text of messages.d.ts beside a messages.py."""
    module = module_of(path)
    own = [each for each in vars(module).values() if inspect.isclass(each) and is_own(each, module)]
    (traits,) = [each for each in own if _is_traits(each)]
    requests = [each for each in own if issubclass(each, Request)]
    told = [each for each in own if issubclass(each, Message)]
    if requests:
        requests, told = [Hello, Here, Bye, *requests], [RefusedMessage, *told]
    texts: dict[type, str] = {}
    for each in (*requests, *told, traits):
        _collect(each, texts)
    parts = list(texts.values())
    name = traits.__name__.removesuffix("Traits")
    for kind, classes in ((f"{name}Request", requests), (f"{name}Message", told)):
        if classes:
            parts.append(f"export type {kind} = {' | '.join(each.__name__ for each in classes)};\n")
    text = "\n".join(parts)
    imported = 'import type { Absent } from "../base/model.js";\n\n' if "Absent<" in text else ""
    return f"{_HEAD}\n{imported}{text}"


def is_own(cls: type, module: ModuleType) -> bool:
    """Whether a class is for this page: of this module, or what widgets with the same part have together."""
    shared = cls.__module__ == "chimera_nb.widgets.table.requests"
    return cls.__module__ == module.__name__ or (shared and issubclass(cls, Request | Message))


def _is_traits(cls: type) -> bool:
    return cls.__name__.endswith("Traits")


def _collect(cls: type, texts: dict[type, str]) -> None:
    """Put the text of a class into `texts`, after those of the classes that it mentions."""
    if cls in texts or cls is Nothing:
        return
    hints = {name: hint for name, hint in hints_of(cls).items() if name in _names(cls)}
    for hint in hints.values():
        for each in _mentioned(hint):
            _collect(each, texts)
    doc = f"/** {' '.join((cls.__doc__ or '').split())} */"
    if not is_dataclass(cls):
        items = ", ".join(f"{camel(name)}: {_type(hint)}" for name, hint in hints.items())
        texts[cls] = f"{doc}\nexport type {cls.__name__} = [{items}];\n"
        return
    defaults = {each.name for each in fields(cls) if each.default is not MISSING}
    optional = defaults if issubclass(cls, Request) else set()
    lines = [f'  kind: "{cls.kind}";'] if issubclass(cls, Request | Message) else []
    for name, hint in hints.items():
        wire = name if _is_traits(cls) else camel(name)
        lines.append(f"  {wire}{'?' if name in optional else ''}: {_type(hint)};")
    texts[cls] = "\n".join([doc, f"export interface {cls.__name__} {{", *lines, "}", ""])


def _names(cls: Any) -> tuple[str, ...]:
    return tuple(each.name for each in fields(cls)) if is_dataclass(cls) else cls._fields


def _mentioned(hint: Any) -> Iterator[type]:
    """The classes of the project in a type."""
    if get_origin(hint) is Literal:
        return
    if get_args(hint):
        for each in get_args(hint):
            yield from _mentioned(each)
    elif inspect.isclass(hint) and hint not in _PLAIN:
        yield hint


def _type(hint: Any) -> str:
    """A type as TypeScript has it."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in _PLAIN:
        text = _PLAIN[hint]
    elif origin is Literal:
        text = " | ".join(f'"{each}"' for each in arguments)
    elif origin in {Union, UnionType}:
        of = _type(arguments[0])
        text = " | ".join(f"Absent<{of}>" if each is Nothing else _type(each) for each in arguments)
    elif (item := _sequence_item(hint)) is not None:
        text = f"({_type(item)})[]" if " " in _type(item) else f"{_type(item)}[]"
    elif origin is tuple:
        text = f"[{', '.join(map(_type, arguments))}]"
    elif origin in {dict, Mapping}:
        text = f"Record<{_type(arguments[0])}, {_type(arguments[1])}>"
    elif inspect.isclass(hint) and (is_dataclass(hint) or hasattr(hint, "_fields")):
        text = hint.__name__
    else:
        raise TypeError(f"there is no TypeScript for {hint!r}")
    return text


def _sequence_item(expected: Any) -> Any | None:
    """The type of the items of a tuple, list or sequence of any length; None for what is none."""
    origin, arguments = get_origin(expected), get_args(expected)
    if origin in {list, Sequence} or (origin is tuple and arguments[1:] == (...,)):
        return arguments[0]
    return None


if __name__ == "__main__":
    for each in message_files():
        each.with_name("messages.d.ts").write_text(types_of(each), "utf-8")
