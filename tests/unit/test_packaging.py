from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def declared(*, leave_out: str = "") -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [extra for name, extra in project["optional-dependencies"].items() if name != leave_out]
    return [*project["dependencies"], *(requirement for extra in extras for requirement in extra)]


def pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    requirements = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(r.name): str(r.specifier).removeprefix("==") for r in requirements}


def in_conda() -> list[str]:
    document = yaml.safe_load((ROOT / "environment.yml").read_text())
    (packages,) = [entry["pip"] for entry in document["dependencies"] if isinstance(entry, dict)]
    return packages


def test_conda_asks_for_the_same_ranges_under_the_same_pins():
    options = [line for line in in_conda() if line.startswith("-")]
    assert options == ["--constraint constraints.txt", "--editable ."]
    # Peers have an environment of their own.
    assert [line for line in in_conda() if not line.startswith("-")] == declared(leave_out="peers")


@pytest.mark.parametrize("requirement", declared())
def test_every_range_holds_its_pin(requirement):
    wanted = Requirement(requirement)
    assert wanted.specifier.contains(pinned()[canonicalize_name(wanted.name)])


def test_every_pin_is_one_version():
    assert all(re.fullmatch(r"[0-9][\w.+!-]*", version) for version in pinned().values())


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name.decode() for name in listed.split(b"\0") if name]


def test_no_file_names_a_registry():
    # In pieces, so that this file does not either.
    hosts = ["pypi." + "org", "pythonhosted." + "org", "registry.npmjs." + "org", "deb.debian." + "org"]
    naming = [
        p.name for p in tracked() if p.is_file() and any(h in p.read_text("utf-8", "ignore") for h in hosts)
    ]
    assert naming == []


def test_the_base_is_all_a_worker_imports():
    """`pipeline` imports nothing that only an extra brings."""
    code = (
        "import sys, pipeline.graph.build, pipeline.__main__, pipeline.target.results, pipeline.admit\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    # Without the site's start-up files, which may import what they like.
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    forbidden = {"ipywidgets", "voila", "typer", "rich", "aiohttp", "psutil", "chimera_nb"}
    assert not forbidden & set(loaded.stdout.split())


def test_importing_the_notebook_side_brings_neither_beam_nor_pandas():
    code = (
        "import sys, chimera_nb, chimera_nb.cli, chimera_nb.jobs.service\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not {"apache_beam", "pandas"} & set(loaded.stdout.split())


def test_a_look_into_a_local_file_loads_none_of_googles_clients(tmp_path):
    (tmp_path / "a.json").write_text('{"a": 1}\n')
    code = (
        "import sys, chimera_nb as ch\n"
        f"assert ch.peek({str(tmp_path / 'a.json')!r}).a.tolist() == [1]\n"
        "print([name for name in ('google.cloud.storage', 'requests', 'grpc', 'apache_beam') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout == "[]\n"
