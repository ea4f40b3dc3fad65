"""The notebooks run top to bottom on a local stack that they start themselves, and say what they are stored with.

Their kernels are those of an installed chimera-nb, without the checkout.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chimera_nb.local import stack

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def environment(installed, tmp_path_factory):
    """Of a kernel that knows of no stack: the first notebook starts one, the others find it."""
    place = tmp_path_factory.mktemp("notebooks")
    data_dir = place / "data"
    python = str(installed.bin / "python")
    kernel = place / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(
        json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"})
    )
    dropped = ("CHIMERA_", "PYTHONPATH", "STORAGE_EMULATOR_HOST")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    kept |= {"CHIMERA_DATA_DIR": str(data_dir), "JUPYTER_PATH": str(place / "jupyter"), "MPLBACKEND": "agg"}
    yield kept
    stack.stop(data_dir)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_gives_the_outputs_it_is_stored_with(notebook, environment, tmp_path):
    sanitize = Path(__file__).with_name("sanitize.cfg")
    command = [sys.executable, "-m", "pytest", "--nbval", str(notebook), f"--nbval-sanitize-with={sanitize}"]
    quiet = ["-q", "-p", "no:cacheprovider", "-p", "no:timeout", "-c", os.devnull, f"--rootdir={tmp_path}"]
    run = subprocess.run(
        [*command, *quiet, "--nbval-cell-timeout=120"],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
    )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    cells = [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]
    assert f"{len(cells)} passed" in run.stdout


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_whole_and_names_no_machine(notebook):
    document = json.loads(notebook.read_text())
    code = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    outputs = [output for cell in code for output in cell["outputs"]]
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert [output for output in outputs if output["output_type"] == "error"] == []
    assert "text/html" in kinds  # a table that a reader on a code host sees
    assert kinds - {"application/vnd.jupyter.widget-view+json"} == kinds
    for folder in (str(ROOT), str(Path.home())):
        assert folder not in notebook.read_text()


def test_there_is_a_plot_for_the_reader():
    (plotted,) = (path for path in NOTEBOOKS if path.stem.startswith("02"))
    assert "image/png" in plotted.read_text()


def test_ten_lines_lead_from_an_archive_to_a_chart_and_a_table():
    (answer,) = (path for path in NOTEBOOKS if path.stem.startswith("05"))
    cells = [cell for cell in json.loads(answer.read_text())["cells"] if cell["cell_type"] == "code"]
    first = [line for cell in cells[:3] for line in "".join(cell["source"]).splitlines() if line.strip()]
    assert len(first) <= 10
    assert [kind for cell in cells[:3] for output in cell["outputs"] for kind in output.get("data", {})] == [
        *("image/png", "text/plain"),
        *("text/html", "text/plain"),
    ]


def test_pictures_that_notebooks_show_are_there():
    shown = [
        line.rpartition("](")[2].rstrip(")\n")
        for path in NOTEBOOKS
        for cell in json.loads(path.read_text())["cells"]
        for line in cell["source"]
        if line.startswith("![")
    ]
    assert shown
    assert [path for path in shown if not (ROOT / "notebooks" / path).is_file()] == []
