"""The files that a page needs, and where they are: Voilà's front end, two of its extensions, the theme."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_path
from jupyterlab_server.config import get_federated_extensions

from chimera_nb.server.bundle import NAME
from pipeline.errors import SettingsError

# The manager, ipywidgets' own controls, and what our widgets are. Whatever else is installed would only cost time.
EXTENSIONS = ("@voila-dashboards/widgets-manager8", "@jupyter-widgets/jupyterlab-manager", "anywidget")
_OWN = {"name": "chimera", "load": "static/models.js", "extension": "./extension"}  # of the theme's folder
_FILE = r"[\w.-]+"  # no folders


@dataclass(frozen=True)
class Assets:
    """`folders`: (path in the address, regular expression of the names served, folder)."""

    version: str
    folders: tuple[tuple[str, str, Path], ...]
    extensions: tuple[dict[str, Any], ...]


def find_assets(theme: Path) -> Assets:
    """Raises SettingsError where Voilà or an extension is not installed."""
    voila = _first(Path(folder, "templates", "base", "static") for folder in jupyter_path("voila"))
    roots = [*jupyter_path("labextensions"), *(str(Path(p, "labextensions")) for p in jupyter_path("voila"))]
    found = get_federated_extensions(roots)
    missing = [name for name in EXTENSIONS if name not in found]
    if voila is None or missing:
        raise SettingsError(
            f"the front end is incomplete ({', '.join(missing) or 'voila'}); install chimera-nb[notebook] again"
        )
    folders = [
        ("voila", _FILE, voila),
        ("theme", _FILE, theme),
        (f"labextensions/{_OWN['name']}/static", _FILE, theme),
        *(
            (f"labextensions/{name}/static", _FILE, Path(found[name]["ext_path"], "static"))
            for name in EXTENSIONS
        ),
    ]
    return Assets(
        _version(theme),
        tuple(folders),
        (_OWN, *({"name": name, **found[name]["jupyterlab"]["_build"]} for name in EXTENSIONS)),
    )


def page_config(base_url: str, assets: Assets) -> dict[str, Any]:
    """What Voilà's front end reads from the page. Nothing of the server's settings or folders is in it."""
    files = f"{base_url}static/{assets.version}"
    return {
        "appName": "Voila",
        "appUrl": "voila/",
        "baseUrl": base_url,
        "fullStaticUrl": f"{files}/voila",
        "frontEndUrl": f"{files}/{NAME}",
        "fullLabextensionsUrl": f"{files}/labextensions",
        "federated_extensions": list(assets.extensions),
        "themeUrl": f"{files}/theme",
        "extensionConfig": {},
        "terminalsAvailable": False,
        "progressiveRendering": False,
        "mathjaxConfig": None,  # null, not absent: absent, Voilà asks a CDN
        "fullMathjaxUrl": None,
    }


def _version(theme: Path) -> str:
    """Changes whenever a file does that is served."""
    digest = hashlib.sha256()
    for name in ("voila", "anywidget", "ipywidgets"):
        digest.update(f"{name} {version(name)} ".encode())
    for path in sorted(theme.iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _first(folders: Any) -> Path | None:
    return next((folder for folder in folders if folder.is_dir()), None)
