"""The page's types of a widget's messages: TypeScript made of the dataclasses in its messages.py.

    python -m tests.front_end.typescript     writes messages.d.ts beside each messages.py

What several widgets have together is in a file of its own (`SHARED`), which theirs import. They are stored, since the
front end has no build step, and test_messages.py holds them in step.
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
BASE, TABLE = WIDGETS / "base" / "messages.py", WIDGETS / "table" / "requests.py"
SHARED = {"chimera_nb.widgets.base.messages": BASE, "chimera_nb.widgets.table.requests": TABLE}
_PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", NoneType: "null"}
_HEAD = "// Made of {} by `make messages`; a change belongs there.\n"


def message_files() -> list[Path]:
    """The messages.py of every widget that has a page of its own."""
    return sorted(path for path in WIDGETS.glob("*/messages.py") if path.parent.name != "base")


def module_of(path: Path) -> ModuleType:
    return importlib.import_module(f"chimera_nb.widgets.{path.parent.name}.{path.stem}")


def all_types() -> dict[Path, str]:
    """The text of each file of types."""
    module_of(TABLE)
    table = [*_subclasses(Request), *_subclasses(Message)]
    shared = {
        BASE: [Hello, Here, Bye, RefusedMessage],
        TABLE: [each for each in table if SHARED.get(each.__module__) == TABLE],
    }
    texts = {path: _file_of(path, classes, []) for path, classes in shared.items()}
    texts |= {path: _types_of_widget(path) for path in message_files()}
    return {path.with_suffix(".d.ts"): text for path, text in texts.items()}


def _subclasses(cls: type) -> list[type]:
    """Those that nothing is derived from, in the order in which they are made."""
    found = cls.__subclasses__()
    return [each for one in found for each in _subclasses(one)] if found else [cls]


def _types_of_widget(path: Path) -> str:
    module = module_of(path)
    own = [each for each in vars(module).values() if inspect.isclass(each) and is_own(each, module)]
    (traits,) = [each for each in own if _is_traits(each)]
    requests = [each for each in own if issubclass(each, Request)]
    told = [each for each in own if issubclass(each, Message)]
    if requests:
        requests, told = [Hello, Here, Bye, *requests], [RefusedMessage, *told]
    name = traits.__name__.removesuffix("Traits")
    unions = [
        f"export type {kind} = {' | '.join(each.__name__ for each in classes)};\n"
        for kind, classes in ((f"{name}Request", requests), (f"{name}Message", told))
        if classes
    ]
    return _file_of(path, [*requests, *told, traits], unions)


def _file_of(path: Path, classes: Sequence[type], unions: Sequence[str]) -> str:
    """A file with the types of these classes and of all that they mention, but for what a shared file has."""
    texts: dict[type, str] = {}
    for each in classes:
        _collect(each, texts, path)
    text = "\n".join([*filter(None, texts.values()), *unions])
    imported = {shared: [] for shared in SHARED.values()}
    for each, own in texts.items():
        if not own:
            imported[SHARED[each.__module__]].append(each.__name__)
    lines = ['import type { Absent } from "../base/model.js";\n'] if "Absent<" in text else []
    for shared, names in imported.items():
        if names:
            source = f"../{shared.parent.name}/{shared.stem}.js"
            lines.append(f'import type {{ {", ".join(sorted(names))} }} from "{source}";\n')
    lines.append("\n" if lines else "")
    return f"{_HEAD.format(path.name)}\n{''.join(lines)}{text}"


def is_own(cls: type, module: ModuleType) -> bool:
    """Whether a class is for this page: of this module, or what widgets with the same part have together."""
    shared = cls.__module__ == "chimera_nb.widgets.table.requests"
    return cls.__module__ == module.__name__ or (shared and issubclass(cls, Request | Message))


def _is_traits(cls: type) -> bool:
    return cls.__name__.endswith("Traits")


def _collect(cls: type, texts: dict[type, str], path: Path) -> None:
    """Put the text of a class into `texts`, after those of the classes that it mentions; none for a shared one."""
    if cls in texts or cls is Nothing:
        return
    if SHARED.get(cls.__module__, path) != path:
        texts[cls] = ""
        return
    hints = {name: hint for name, hint in hints_of(cls).items() if name in _names(cls)}
    for hint in hints.values():
        for each in _mentioned(hint):
            _collect(each, texts, path)
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
    for each, text in all_types().items():
        each.write_text(text, "utf-8")
