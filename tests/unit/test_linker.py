"""Modules of several files come to the browser as one; what that one does is what the several do."""

from __future__ import annotations

import pytest

from chimera_nb.widgets.base.linker import LinkError, link


@pytest.fixture
def write(tmp_path):
    """Write files by name, and give the path of the first."""

    def files(**texts):
        paths = [tmp_path / f"{name}.js" for name in texts]
        for path, text in zip(paths, texts.values(), strict=True):
            path.write_text(text)
        return paths[0]

    return files


def test_the_one_module_does_what_the_several_do(write, node, tmp_path):
    """Names of one module do not meet those of another, each runs once, and what is imported runs first."""
    entry = write(
        entry='import { one, Shape as Form } from "./left.js";\n'
        "import {\n  count,\n  two,\n} from \"./right.js\";\n\nconst LIMIT = 'entry';\n"
        "export default { result: () => [one(), two(), new Form().name, count, LIMIT, globalThis.order] };\n",
        left='// What is left.\nimport { tell } from "./common.js";\nconst LIMIT = "left";\ntell(LIMIT);\n'
        "export function one() {\n  return LIMIT;\n}\nexport class Shape {\n  name = `a\n  shape`;\n}\n",
        right='import { tell as say, told } from "./common.js";\nconst LIMIT = "right";\nsay(LIMIT);\n'
        "export const two = () => LIMIT;\nexport const count = told.length;",
        common="globalThis.order ??= [];\nglobalThis.order.push('common');\nexport const told = [];\n"
        "export const tell = (text) => told.push(text); // the last line is a comment",
    )
    (tmp_path / "linked.mjs").write_text(link(entry))
    (tmp_path / "package.json").write_text('{"type": "module"}')
    code = 'import("{}").then((module) => console.log(JSON.stringify(module.default.result())))'
    several, one = (node("-e", code.format(tmp_path / name)) for name in ("entry.js", "linked.mjs"))
    assert several == one == '["left","right","a\\n  shape",2,"entry",["common"]]\n'


@pytest.mark.parametrize(
    "line",
    [
        'import other from "./other.js";',
        'import * as other from "./other.js";',
        'import "./other.js";',
        'import { x } from "./other.js"; x();',
        "import { x } from './other.js';",
        'import { x } from "other";',
        'import { x } from "https://other/other.js";',
        'import { "x" as y } from "./other.js";',
        '  import { x } from "./other.js";',
        "export let x = 1;",
        "export var x = 1;",
        "export { x };",
        "export const { x } = {};",
        "export function* x() {}",
        'export * from "./other.js";',
        "export default 1;",  # the second
        'const x = await import("./other.js");',
        "const x = import.meta.url;",
        "const module$0 = 1;",
    ],
)
def test_what_the_linker_does_not_know_is_refused(write, line):
    entry = write(entry=f"const y = 1;\n{line}\nexport default {{}};\n", other="export const x = 1;\n")
    with pytest.raises(LinkError, match=r"entry\.js: "):
        link(entry)


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ("const x = 1;\n", "other.js exports no x"),
        ("export const w = 1, x = 2;\n", "other.js exports no x"),
        (
            'import { z } from "./entry.js";\nexport const x = z;\n',
            "a circle: entry.js -> other.js -> entry.js",
        ),
        ("export const x = 1;\nexport default {};\n", "does not know 'export default {};'"),
        (None, "there is no "),
    ],
)
def test_what_does_not_fit_together_is_refused(write, other, says):
    texts = {"entry": 'import { x } from "./other.js";\nexport const z = x;\nexport default {};\n'}
    entry = write(**texts, **({} if other is None else {"other": other}))
    with pytest.raises(LinkError, match=says):
        link(entry)


def test_an_entry_exports_something(write):
    with pytest.raises(LinkError, match="an entry has one `export default`"):
        link(write(entry="const x = 1;\n"))
