"""What a Dataflow worker is given."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from email import message_from_bytes
from importlib.metadata import distributions
from pathlib import Path

import pytest

import pipeline
from chimera_nb.jobs.runners import wheels
from pipeline.errors import JobError
from tests.fixtures.sources import install_source

HERE = Path(pipeline.__file__).parent


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_holds_the_pipeline_that_is_in_use_and_nothing_else(tmp_path):
    found = contents(wheels.build_worker_wheel(tmp_path))
    packed = {name: data for name, data in found.items() if ".dist-info/" not in name}
    here = {f"pipeline/{path.relative_to(HERE)}": path.read_bytes() for path in HERE.rglob("*.py")}
    assert packed == here | {"pipeline/py.typed": b""}


def test_it_requires_what_a_worker_needs_and_no_notebook(tmp_path):
    found = contents(wheels.build_worker_wheel(tmp_path))
    (metadata,) = [data for name, data in found.items() if name.endswith("/METADATA")]
    required = message_from_bytes(metadata).get_all("Requires-Dist")
    assert any(line.startswith("apache-beam[gcp]") for line in required)
    assert not any(
        name in line
        for line in required
        for name in ("pandas", "ipywidgets", "jupyter", "voila", "interactive")
    )


def test_it_is_made_of_an_installed_package_as_well(tmp_path, monkeypatch):
    installed = tmp_path / "site-packages" / "pipeline"
    shutil.copytree(HERE, installed, ignore=shutil.ignore_patterns("__pycache__"))
    (installed / "only_here.py").write_text("")
    monkeypatch.setattr(pipeline, "__file__", str(installed / "__init__.py"))
    (tmp_path / "out").mkdir()
    assert "pipeline/only_here.py" in contents(wheels.build_worker_wheel(tmp_path / "out"))


def test_a_source_that_was_installed_is_packed_again_and_can_be_installed(tmp_path, monkeypatch):
    site = install_source(tmp_path)
    (found,) = distributions(name="tiny-source", path=[str(site)])
    monkeypatch.setattr(wheels, "source_package", lambda _: found)
    (tmp_path / "out").mkdir()
    _, wheel = wheels.build_packages("tiny", tmp_path / "out")
    assert wheel.name == "tiny_source-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "again")
    code = "import importlib.metadata as m; print(m.version('tiny-source')); import tiny_source"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(tmp_path / "again")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "1.0\n"


def test_a_source_that_is_installed_editable_is_built_from_where_it_is(tmp_path, monkeypatch):
    install_source(tmp_path)
    project = tmp_path / "tiny"
    site = tmp_path / "editable"
    shutil.copytree(project / "site", site)
    (site / "tiny_source.py").unlink()
    (info,) = site.glob("*.dist-info")
    origin = {"url": project.as_uri(), "dir_info": {"editable": True}}
    (info / "direct_url.json").write_text(json.dumps(origin))
    (found,) = distributions(name="tiny-source", path=[str(site)])
    monkeypatch.setattr(wheels, "source_package", lambda _: found)
    (tmp_path / "out").mkdir()
    large = project / "data"
    large.mkdir()
    with (large / "history.tar").open("wb") as sparse:
        sparse.truncate(1 << 40)  # a copy of it would take hours
    before = sorted(path for path in project.rglob("*"))
    _, wheel = wheels.build_packages("tiny", tmp_path / "out")
    assert "tiny_source.py" in contents(wheel)
    assert sorted(path for path in project.rglob("*")) == before


def test_a_source_in_a_src_folder_is_built_without_a_trace_in_it(tmp_path, monkeypatch):
    project = tmp_path / "tiny"
    (project / "src/tiny_source").mkdir(parents=True)
    (project / "src/tiny_source/__init__.py").write_text("HELLO = 1\n")
    (project / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "tiny-source"\nversion = "1.0"\n'
    )
    before = sorted(project.rglob("*"))
    (tmp_path / "mirror").mkdir()
    wheels._mirror(project, tmp_path / "mirror/tiny")
    wheel = wheels._build(tmp_path / "mirror/tiny", tmp_path / "mirror")
    assert contents(wheel)["tiny_source/__init__.py"] == b"HELLO = 1\n"
    assert sorted(project.rglob("*")) == before


def test_a_package_that_cannot_be_built_says_so(tmp_path):
    project = tmp_path / "tiny"
    project.mkdir()
    (project / "pyproject.toml").write_text("[project")
    with pytest.raises(JobError, match="the workers' package cannot be built"):
        wheels._build(project, tmp_path)
