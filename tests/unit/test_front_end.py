"""The logic of the front end, by the tests in tests/front_end; and its modules as the browser gets them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chimera_nb.widgets.base.linker import link

ROOT = Path(__file__).parents[2]
TESTS = sorted((ROOT / "tests" / "front_end").glob("*.test.js"))
ENTRIES = sorted(
    path for path in (ROOT / "chimera_nb" / "widgets").glob("*/*.js") if "export default" in path.read_text()
)


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_the_logic_of_the_front_end(path, node):
    printed = node("--test", path, env={**os.environ, "TZ": "UTC"})
    assert "# fail 0" in printed
    assert "# pass 0" not in printed


@pytest.mark.parametrize("path", ENTRIES, ids=lambda path: path.parent.name)
def test_a_widgets_linked_module_has_what_anywidget_calls(path, node, tmp_path):
    (tmp_path / "linked.mjs").write_text(link(path))
    code = f'import("{tmp_path}/linked.mjs").then((module) => console.log(typeof module.default.render))'
    assert node("-e", code) == "function\n"


def test_every_widget_has_an_entry():
    assert len(ENTRIES) == 7
