"""What is the process's is nobody's session: no module binds globals, and none changes the environment."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(path for folder in ("pipeline", "chimera_nb") for path in (ROOT / folder).rglob("*.py"))
# Programs of their own: what they make of their process is their business.
ENTRY_POINTS = {
    "chimera_nb/__main__.py",
    "chimera_nb/local/dataflow/worker.py",
    "chimera_nb/server/fork_server.py",
    "pipeline/__main__.py",
}
# A lookup in the environment reads; all else that can be called on it changes it.
_READS = {"get", "items", "keys", "values", "copy", "__contains__"}
_CHANGES = {"putenv", "unsetenv"}
_CONTAINERS = {"set", "dict", "list", "Counter", "OrderedDict", "defaultdict", "deque"}
# What a module may keep for its process, since it is no part of any session's meaning.
KEPT = {
    "chimera_nb/data/sampling/beam.py": {"_runs"},  # by a token of each: DoFns are copies
    "chimera_nb/data/sampling/cache.py": {"_memory"},  # by folder and all that a sample depends on
    "chimera_nb/jobs/log/entries.py": {"_warned"},  # what has been logged is not logged again
    "pipeline/archives/index.py": {"_shared"},  # by endpoint, and an archive's name and version
    "pipeline/progress.py": {"_tally", "_once"},  # of the one job that a process runs, for itself
    "pipeline/read/pool.py": {"_pools"},  # threads of the process, by size
    "pipeline/read/row_makers.py": {"_open"},  # of the job that has the machine to itself
    "pipeline/storage/gcs_read.py": {"_last_read"},  # by endpoint and bucket
    "pipeline/storage/gcs_versions.py": {"_without_move"},  # by endpoint and bucket
}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def is_environment(node: ast.AST) -> bool:
    if isinstance(node, ast.Name):
        return node.id == "environ"
    return isinstance(node, ast.Attribute) and node.attr == "environ"


def faults(tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            found.append(f"{node.lineno}: global {', '.join(node.names)}")
        targets: list[ast.AST] = []
        if isinstance(node, ast.Assign | ast.Delete):
            targets = list(node.targets)
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            targets = [node.target]
        for target in targets:
            held = target.value if isinstance(target, ast.Subscript) else target
            if is_environment(held):
                found.append(f"{node.lineno}: the environment is written")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called = node.func
            if is_environment(called.value) and called.attr not in _READS:
                found.append(f"{node.lineno}: environ.{called.attr}")
            if called.attr in _CHANGES:
                found.append(f"{node.lineno}: {called.attr}")
    return found


def kept(tree: ast.Module) -> set[str]:
    """The module's own names for what can be added to: dictionaries, lists and sets that begin empty."""
    found = set()
    for node in tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        made = node.value
        empty = isinstance(made, ast.Dict | ast.List | ast.Set) and not ast.unparse(made).strip("{}[]")
        called = isinstance(made, ast.Call) and not made.args and ast.unparse(made.func) in _CONTAINERS
        if empty or called:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_no_module_binds_globals_or_writes_the_environment(path):
    if name(path) not in ENTRY_POINTS:
        assert faults(ast.parse(path.read_text("utf-8"))) == []


def test_what_modules_keep_is_known():
    found = {name(path): names for path in MODULES if (names := kept(ast.parse(path.read_text("utf-8"))))}
    assert found == KEPT


@pytest.mark.parametrize(
    "code",
    [
        "def f():\n    global x\n    x = 1",
        "import os\nos.environ['A'] = '1'",
        "import os\ndel os.environ['A']",
        "import os\nos.environ |= {}",
        "import os\nos.environ.update(A='1')",
        "import os\nos.environ.setdefault('A', '1')",
        "from os import environ\nenviron.pop('A')",
        "import os\nos.putenv('A', '1')",
    ],
)
def test_what_would_be_a_fault_is_found(code):
    assert len(faults(ast.parse(code))) == 1


def test_a_look_into_the_environment_is_none():
    assert (
        faults(ast.parse("import os\nx = os.environ['A'] or os.environ.get('B')\ny = {**os.environ}")) == []
    )
