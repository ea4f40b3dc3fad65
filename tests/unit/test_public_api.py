"""`import chimera_nb as ch` is all that daily work needs: what it has, what that says of itself, and who uses it."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import chimera_nb as ch
from pipeline.errors import ChimeraError

ROOT = Path(__file__).parents[2]
NOTEBOOKS = [*sorted((ROOT / "notebooks").glob("*.ipynb")), ROOT / "dashboards" / "chimera.ipynb"]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMES = [name for name in ch.__all__ if name != "load_ipython_extension"]
FUNCTIONS = [name for name in NAMES if not isinstance(getattr(ch, name), type)]
CLASSES = [name for name in NAMES if name not in FUNCTIONS]
WITHOUT_A_SESSION = {
    "connect",
    "flatten",
    "open_demo",
    "plot_market",
    "sources",
}  # they make one, or ask no store


def test_all_is_sorted_and_complete():
    tree = ast.parse(Path(ch.__file__).read_text("utf-8"))
    typed = next(node for node in tree.body if isinstance(node, ast.If))
    imported = [alias.name for node in typed.body for alias in node.names]
    assert ch.__all__ == sorted({*imported, "load_ipython_extension"})
    assert all(getattr(ch, name).__name__ == name for name in ch.__all__)
    assert {*ch.__all__} <= {*dir(ch)}
    assert ch.ChimeraError is ChimeraError
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ch.nothing


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_says_what_it_takes_and_what_it_raises(name):
    function = getattr(ch, name)
    words = {word.lower() for word in re.findall(r"\w+", inspect.getdoc(function) or "")}
    taken = inspect.signature(function).parameters
    assert [parameter for parameter in taken if parameter.lower() not in words] == []
    assert "raises" in words


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_and_whatever_is_public_of_it_says_what_it_is(name):
    kind = getattr(ch, name)
    assert kind.__doc__
    of_ours = [each for each in vars(kind).items() if not each[0].startswith("_")]
    callables = [(n, v) for n, v in of_ours if inspect.isfunction(v) or isinstance(v, property)]
    assert [n for n, v in callables if n != "close" and not inspect.getdoc(v)] == []
    if kind is not ChimeraError:
        assert "session" in inspect.signature(kind).parameters or kind is ch.Session


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in WITHOUT_A_SESSION])
def test_a_function_takes_a_session(name):
    assert "Session | None" in str(inspect.signature(getattr(ch, name)).parameters["session"].annotation)


def test_what_is_public_comes_without_beam_or_pandas_and_no_subpackage_takes_its_name():
    code = (
        "import sys, chimera_nb as ch\n"
        "import chimera_nb.jobs.service, chimera_nb.data.preview, chimera_nb.session\n"
        "assert not {'apache_beam', 'pandas', 'numpy'} & set(sys.modules), 'at import'\n"
        "assert (ch.jobs.__name__, ch.jobs.__module__) == ('jobs', 'chimera_nb.job_handle')\n"
        "ch.submit, ch.job, ch.jobs, ch.Job, ch.connect, ch.preview, ch.ls, ch.sources, ch.verify, ch.extract\n"
        "assert not {'apache_beam', 'pandas', 'numpy'} & set(sys.modules), 'for jobs'\n"
        "from chimera_nb import peek, sample, read_output\n"
        "from chimera_nb.jobs import record\n"
        "assert ch.jobs.__module__ == 'chimera_nb.job_handle'\n"
        "assert 'apache_beam' not in sys.modules, 'for the functions'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_needs_nothing_else(path):
    cells = [cell for cell in json.loads(path.read_text("utf-8"))["cells"] if cell["cell_type"] == "code"]
    sources = ["".join(cell["source"]) for cell in cells]
    lines = [line for text in sources for line in text.splitlines() if line.strip()]
    code = "\n".join("pass" if line[0] == "%" or "= %" in line else line for line in lines)
    tree = ast.parse(code.replace("\n%", "\n#%"))
    assert ours(tree) == ["import chimera_nb as ch"]
    used = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    assert [node.attr for node in used if node.attr.startswith("_")] == []
    of_ch = [node.attr for node in used if isinstance(node.value, ast.Name) and node.value.id == "ch"]
    assert of_ch
    assert {*of_ch} <= {*ch.__all__}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_uses_what_is_public(path):
    text = path.read_text("utf-8")
    blocks = re.findall(r"(?m)^(?: {4}(?:from|import) (?:chimera_nb|pipeline)\b.*)$", text)
    # A plugin's own code is of the workers' side, and has one module to import from.
    ours = [line.strip() for line in blocks if not line.startswith("    from pipeline.sources import ")]
    assert {*ours} <= {"import chimera_nb as ch"}
    assert {*re.findall(r"\bch\.([A-Za-z_]\w*)", text)} <= {*ch.__all__}


def ours(tree: ast.AST) -> list[str]:
    """The imports of this project, as they are written."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return [text for text in map(ast.unparse, found) if re.search(r"\b(chimera_nb|pipeline)\b", text)]
