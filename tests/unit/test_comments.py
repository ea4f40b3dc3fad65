"""Comments are taken out of what the browser is sent, and nothing else is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from pygments.lexers.javascript import JavascriptLexer
from pygments.token import Comment, Text, Whitespace

from chimera_nb.widgets.base.comments import without_comments
from chimera_nb.widgets.base.linker import link
from tests.unit.test_front_end import ENTRIES

WIDGETS = Path(__file__).parents[2] / "chimera_nb" / "widgets"
MODULES = sorted(WIDGETS.glob("*/*.js"))


def code_of(text: str) -> str:
    """All of a module but comments and white space, by another tokenizer."""
    return "".join(
        piece
        for kind, piece in JavascriptLexer().get_tokens(text)
        if kind not in Comment and kind not in Text and kind not in Whitespace
    )


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("// one\nlet a = 1; // two\nlet b = a; /* three */\n", "let a = 1;\nlet b = a;\n"),
        ("/** over\n * lines */\nlet a = 1;\n", "let a = 1;\n"),
        ("let a = 1;\n\n  /* alone */\n  a += 1;\n", "let a = 1;\n\n  a += 1;\n"),
        ("let /* a name */ a = 1;", "let   a = 1;"),
        ("return/* on */a", "return a"),
        ("return/* on\n*/a", "return\na"),
        ("a = 1;/**/", "a = 1;"),
        ("let a = '// no'; // yes", "let a = '// no';"),
        (r"let a = 'it\'s // no'; // yes", r"let a = 'it\'s // no';"),
        ('let a = "/* no */";', 'let a = "/* no */";'),
        ("let a = `// no\n// no`; // yes", "let a = `// no\n// no`;"),
        ("let a = `${ b /* yes */ } // no`;", "let a = `${ b   } // no`;"),
        (
            "let a = `${ {b: `// no ${c} // no`} } // no`; // yes",
            "let a = `${ {b: `// no ${c} // no`} } // no`;",
        ),
        (r"let a = `\${ // no`; // yes", r"let a = `\${ // no`;"),
        ("let a = $ + `$// no`;", "let a = $ + `$// no`;"),
        (r"let a = /[/*]\/\/ no/g; // yes", r"let a = /[/*]\/\/ no/g;"),
        ("f(/'/, 1); // yes '", "f(/'/, 1);"),
        ('return /"/.test(a); // yes', 'return /"/.test(a);'),
        ("let a = b / 2; // yes / no", "let a = b / 2;"),
        ("let a = (b + 1) / 2 / c[0] / 3; // yes", "let a = (b + 1) / 2 / c[0] / 3;"),
        ("let a = returned / 2; // yes / no", "let a = returned / 2;"),
        ("", ""),
    ],
)
def test_comments_go_and_strings_templates_and_expressions_stay(text, kept):
    assert without_comments(text) == kept


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("let a = 1;\nlet b = 'no end", "line 2 has a quote that is not closed"),
        ("let b = `no end ${1}", "line 1 has a template literal that is not closed"),
        ("let b = `no end ", "line 1 has a template literal that is not closed"),
        ("let a = {}\n/ 2", 'line 2: "/" after "}"'),
    ],
)
def test_what_cannot_be_told_is_refused(text, says):
    with pytest.raises(ValueError, match=says):
        without_comments(text)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_nothing_of_a_module_is_lost_but_its_comments(path):
    text = path.read_text("utf-8")
    kept = without_comments(text)
    assert code_of(kept) == code_of(text)
    assert not [piece for kind, piece in JavascriptLexer().get_tokens(kept) if kind in Comment]


@pytest.mark.parametrize("path", ENTRIES, ids=lambda path: path.parent.name)
def test_a_linked_module_has_the_code_of_its_modules(path):
    linked = code_of(link(path))
    imported = [each for each in MODULES if f"// {each.parent.name}/{each.name}\n" in link(path)]
    assert path in imported
    assert len(imported) > 1
    for each in imported:
        lines = [
            line
            for line in without_comments(each.read_text("utf-8")).splitlines()
            if line.strip() and not line.startswith(("import ", "export ", "  ", "}"))
        ]
        assert all(code_of(line) in linked for line in lines if "`" not in line)


def test_each_module_exports_the_same_without_its_comments(node, tmp_path):
    script = tmp_path / "exports.mjs"
    script.write_text(
        "const told = {};\n"
        "for (const path of process.argv.slice(2)) {\n"
        "  told[path] = Object.entries(await import(path)).map(([name, value]) => \n"
        "    [name, typeof value, typeof value === 'function' ? value.length : JSON.stringify(value)]);\n"
        "}\n"
        "console.log(JSON.stringify(Object.values(told)));\n"
    )
    trees = []
    for tree, change in (("whole", str), ("bare", without_comments)):
        (tmp_path / tree).mkdir()
        (tmp_path / tree / "package.json").write_text('{"type": "module"}')
        for path in MODULES:
            copy = tmp_path / tree / path.relative_to(WIDGETS)
            copy.parent.mkdir(exist_ok=True)
            copy.write_text(change(path.read_text("utf-8")))
        trees.append(
            json.loads(node(script, *(tmp_path / tree / path.relative_to(WIDGETS) for path in MODULES)))
        )
        shutil.rmtree(tmp_path / tree)
    whole, bare = trees
    assert bare == whole
    assert sum(map(len, whole)) > 80
