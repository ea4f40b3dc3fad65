"""The words of the pages: plain ones, of one list, in every widget; and what is said to a visitor who has no shell."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from chimera_nb.dataflow_options import DataflowOptions
from chimera_nb.widgets.base import visitors
from chimera_nb.widgets.base.visitors import for_visitor, without_commands
from chimera_nb.widgets.job_monitor.widget import JobMonitor
from pipeline.codecs.formats import begins_with
from pipeline.errors import NoStackError
from pipeline.job_options import JobOptions
from pipeline.options import table

WIDGETS = Path(visitors.__file__).parents[1]
TERMS = WIDGETS / "base" / "terms.js"
_LIST = re.search(r"NOT_SAID = (\[.*?\]);", TERMS.read_text(), re.DOTALL)
NOT_SAID = json.loads(re.sub(r",\s*\]", "]", _LIST[1]))
_STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`')
SCRIPTS = sorted(path for path in WIDGETS.glob("*/*.js") if path != TERMS)
# What people do not read: the words of the log and of the command line, and codes.
MODULES = sorted(path for path in WIDGETS.glob("*/*.py") if path.parent.name != "base")
_CODE = {"job_form/as_code.py"}
# What widgets show and a terminal does too: where the time went, how a job stands, tables, what is wrong with a file.
BELOW = [
    path
    for folder in ("chimera_nb/jobs/slowness", "chimera_nb/data", "pipeline/codecs", "pipeline/read")
    for path in sorted((WIDGETS.parents[1] / folder).rglob("*.py"))
    if path.name != "detect.py"  # what it says of a plugin's codec is for who writes one
]
BELOW += [WIDGETS.parents[1] / f"chimera_nb/jobs/{name}.py" for name in ("standing", "failures", "left_out")]
STATIC = sorted((WIDGETS.parents[1] / "dashboards").rglob("static/**/*.js"))


def texts_of_script(path: Path) -> list[str]:
    """What a module may show: its strings that are more than a name, without what is put into them."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    text = re.sub(r"^\s*//.*$|\s// .*$|^import .*$", "", text, flags=re.MULTILINE)
    found = (re.sub(r"\$\{[^}]*\}", "…", one or other) for one, other in _STRING.findall(text))
    return [
        each for each in found if re.search(r"[A-Z ]", each) and not each.startswith(("ch-", "./", ".ch"))
    ]


def texts_of_module(path: Path) -> list[str]:
    """The same of Python: all strings with a space or a capital in them, but docstrings and what goes to the log."""
    tree = ast.parse(path.read_text())
    docs = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    errors = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"StorageError", "RefusedError"}
        for part in ast.walk(node)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in docs | errors
        and " " in node.value
    ]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_front_end_says_what_only_the_field_understands(path):
    said = [text for text in texts_of_script(path) if re.search("|".join(NOT_SAID), text)]
    assert said == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_widget_says_it_either(path):
    if f"{path.parent.name}/{path.name}" not in _CODE:
        assert [text for text in texts_of_module(path) if re.search("|".join(NOT_SAID), text)] == []


@pytest.mark.parametrize("options", [JobOptions, DataflowOptions])
def test_no_field_of_the_form_says_it(options):
    said = [
        text
        for option in table(options)
        if option.part
        for text in (option.label, option.placeholder, option.hint or f"{option.help} {option.unset}")
        if re.search("|".join(NOT_SAID), text)
    ]
    assert said == []


def test_nor_does_what_widgets_take_from_below_and_the_page_around_them():
    texts = [text for path in BELOW for text in texts_of_module(path)]
    texts += [text for path in STATIC for text in texts_of_script(path)]
    assert len(texts) > 200
    assert [text for text in texts if re.search("|".join(NOT_SAID), text)] == []


def test_texts_are_found():
    """A search that finds nothing would hold nothing."""
    assert sum(len(texts_of_script(path)) for path in SCRIPTS) > 400
    assert "Find in the rows" in texts_of_script(WIDGETS / "table" / "table.js")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (str(NoStackError("")), "Storage cannot be reached; tell whoever runs this page"),
        (
            "permission storage.objects.list is missing: gs://b/; ask the owner to run: gcloud storage buckets add x",
            "permission storage.objects.list is missing: gs://b/; tell whoever runs this page",
        ),
        ("run `gcloud auth login`", "This did not work; tell whoever runs this page"),
        ("the last day is before the first", "the last day is before the first"),
    ],
)
def test_a_visitor_without_a_shell_is_told_no_command(text, said):
    assert without_commands(text) == said


def test_only_visitors_are_spared_and_in_every_widget(monkeypatch):
    text = str(NoStackError(""))
    assert for_visitor(text) == text
    monkeypatch.setattr(visitors, "current_requester", lambda: "ana@example.com")
    monitor = JobMonitor()
    monitor.error = text
    assert monitor.error == "Storage cannot be reached; tell whoever runs this page"
    monitor.close()


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b'{"op":"mcm","id":1}', 'it begins with "{"op":"mcm","id""'),
        (b"hello, world\n", 'it begins with "hello, world"'),
        (b"0123456789abcde\xc3\xa9", 'it begins with "0123456789abcde"'),
        (b"\x00\x01\xff", "it begins with the bytes 00 01 ff"),
    ],
)
def test_what_a_file_begins_with_is_no_literal_of_python(head, said):
    assert begins_with(head) == said
