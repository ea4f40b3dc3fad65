"""ES modules of several files -> one, for front ends that take a single module's text (anywidget's `_esm`).

Files on disk are what linters, `tsc` and `node --test` read: modules with relative imports. A browser is given them in
the order of their imports, without their comments, each in a function of its own that returns what it exports, so that
names of one module do not meet those of another. Only the forms below are understood, each at the beginning of a line;
anything else that begins with `import` or `export` is refused.

    import { a, b as c } from "./other.js";     also over several lines
    export function f   export async function f   export class C   export const x =
    export default                              in the entry alone
"""

from __future__ import annotations

import re
from pathlib import Path

from chimera_nb.widgets.base.comments import without_comments

_IMPORT = re.compile(r'^import \{(?P<names>[^{}]*)\} from "(?P<path>\.{1,2}/[\w./-]+\.js)";$', re.MULTILINE)
_EXPORT = re.compile(
    r"^export (?=(?:async function|function|class|const) (?P<name>[A-Za-z_]\w*)\b)", re.MULTILINE
)
_DEFAULT = re.compile(r"^export (?=default )", re.MULTILINE)
_LEFT = re.compile(r"^[ \t]*(?:import|export)\b.*|^.*\bimport(?:\(|\.meta\b).*", re.MULTILINE)
_NAME = re.compile(r"(?P<name>[A-Za-z_]\w*)(?: as (?P<local>[A-Za-z_]\w*))?")
_PREFIX = "module$"


class LinkError(ValueError):
    """A module that cannot be linked; the message names its file, and what stands there."""


class _Module:
    """One file: what it imports ({file: [(name, local name)]}), what it exports, and the rest of its text."""

    def __init__(self, path: Path, *, is_entry: bool) -> None:
        self.path = path
        try:
            text = without_comments(path.read_text("utf-8"))
        except ValueError as e:
            raise LinkError(f"{path}: {e}") from e
        if _PREFIX in text:
            raise LinkError(f"{path}: {_PREFIX} is the linker's own name")
        self.imports: dict[Path, list[tuple[str, str]]] = {}
        for found in _IMPORT.finditer(text):
            source = (path.parent / found["path"]).resolve()
            self.imports.setdefault(source, []).extend(_names(path, found["names"]))
        text = _IMPORT.sub("", text)
        self.exports = [found["name"] for found in _EXPORT.finditer(text)]
        text = _EXPORT.sub("", text)
        if strange := _LEFT.search(_DEFAULT.sub("", text) if is_entry else text):
            raise LinkError(f"{path}: the linker does not know {strange[0].strip()!r}")
        if is_entry and len(_DEFAULT.findall(text)) != 1:
            raise LinkError(f"{path}: an entry has one `export default`")
        self.text = text.strip()


def link(entry: Path) -> str:
    """One ES module that does what `entry` does with the modules that it imports. Raises LinkError, OSError."""
    entry = entry.resolve()
    modules: dict[Path, _Module] = {}
    _collect(entry, modules, (), is_entry=True)
    names = {path: f"{_PREFIX}{at}" for at, path in enumerate(modules)}
    parts = []
    for path, module in modules.items():
        lines = [_bound(names[source], bound) for source, bound in module.imports.items()]
        body = "\n".join([*lines, module.text])
        if path != entry:
            exports = ", ".join(module.exports)
            body = f"const {names[path]} = (() => {{\n{body}\nreturn {{ {exports} }};\n}})();"
        parts.append(f"// {path.parent.name}/{path.name}\n{body}\n")
    return "\n".join(parts)


def _collect(
    path: Path, modules: dict[Path, _Module], above: tuple[Path, ...], *, is_entry: bool = False
) -> None:
    """Put a module into `modules`, after all that it imports."""
    if path in above:
        circle = " -> ".join(each.name for each in (*above[above.index(path) :], path))
        raise LinkError(f"{path}: imports go in a circle: {circle}")
    if path in modules:
        return
    module = _Module(path, is_entry=is_entry)
    for source, bound in module.imports.items():
        if not source.is_file():
            raise LinkError(f"{path}: there is no {source}")
        _collect(source, modules, (*above, path))
        if missing := [name for name, _ in bound if name not in modules[source].exports]:
            raise LinkError(f"{path}: {source.name} exports no {', '.join(missing)}")
    modules[path] = module


def _names(path: Path, text: str) -> list[tuple[str, str]]:
    names = []
    for part in filter(None, (each.strip() for each in text.split(","))):
        found = _NAME.fullmatch(part)
        if found is None:
            raise LinkError(f"{path}: the linker does not know the import {part!r}")
        names.append((found["name"], found["local"] or found["name"]))
    return names


def _bound(module: str, names: list[tuple[str, str]]) -> str:
    fields = ", ".join(name if name == local else f"{name}: {local}" for name, local in names)
    return f"const {{ {fields} }} = {module};"
