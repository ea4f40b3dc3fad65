"""Where the dashboard's notebook and theme are: `dashboards/` of a checkout, else where the wheel has put it."""

from __future__ import annotations

import sysconfig
from pathlib import Path

from pipeline.errors import SettingsError

NOTEBOOK = "chimera.ipynb"
TEMPLATE = "chimera"
_INSTALLED = Path("share", "chimera-nb", "dashboards")


def dashboards_folder() -> Path:
    """The folder of chimera.ipynb and templates/chimera. Raises SettingsError where there is none."""
    candidates = (
        Path(__file__).resolve().parents[2] / "dashboards",
        Path(sysconfig.get_path("data")) / _INSTALLED,
    )
    for folder in candidates:
        if (folder / NOTEBOOK).is_file() and (folder / "templates" / TEMPLATE).is_dir():
            return folder
    looked = " and ".join(str(folder) for folder in candidates)
    raise SettingsError(f"the dashboard's notebook and theme are not in {looked}; install chimera-nb again")


def template_folder(dashboards: Path) -> Path:
    return dashboards / "templates" / TEMPLATE
