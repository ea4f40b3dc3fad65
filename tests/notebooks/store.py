"""python -m tests.notebooks.store: run the notebooks on a stack of their own, and store them with their outputs."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from chimera_nb.local import stack

ROOT = Path(__file__).parents[2]
_WIDGET = "application/vnd.jupyter.widget-view+json"  # says nothing to a reader without a kernel


def store(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=170, kernel_name="python3", store_widget_state=False).execute(
        cwd=str(path.parent)
    )
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if _WIDGET not in output.get("data", {})]
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}  # not the version of whoever stored it
    nbformat.write(notebook, path)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="notebooks-") as folder:
        data_dir = Path(folder, "data")
        os.environ |= {"CHIMERA_DATA_DIR": str(data_dir), "PYTHONPATH": str(ROOT)}
        os.environ.pop("STORAGE_EMULATOR_HOST", None)
        try:
            for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
                sys.stderr.write(f"{path.name}\n")
                store(path)
        finally:
            stack.stop(data_dir)


if __name__ == "__main__":
    main()
