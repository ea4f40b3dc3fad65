"""This machine: the data folder, room on disk and in memory, and the proxies that its environment names."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed has it not

import psutil

from chimera_nb.doctor.finding import Finding, fault, off, ok
from chimera_nb.machine.memory import available_memory
from chimera_nb.settings import Settings
from pipeline.errors import ChimeraError
from pipeline.proxies import without_password

_LEAST_DISK = 1 << 30  # bytes: below it a local job or its spool soon fails
_LEAST_MEMORY = 600 << 20  # a job stays under 400 MB, and the command beside it takes some


def check_data_folder(settings: Settings) -> Iterator[Finding]:
    name = "data folder"
    try:
        folder = settings.folder
    except ChimeraError as e:
        yield fault(name, str(e), "export CHIMERA_DATA_DIR=~/chimera-data")
        return
    there = next(path for path in (folder, *folder.parents) if path.exists())
    elsewhere = "export CHIMERA_DATA_DIR=~/chimera-data"
    if not there.is_dir():
        yield fault(name, f"{folder}: {there} is a file", elsewhere)
    elif not os.access(there, os.W_OK | os.X_OK):
        yield fault(name, f"{folder} cannot be written", elsewhere)
    else:
        yield ok(name, str(folder) + ("" if there == folder else ", made when it is needed"))
        yield from _disk("disk", there, "remove old results, or export CHIMERA_DATA_DIR=... on a larger disk")
    try:
        temporary = Path(tempfile.gettempdir())
    except FileNotFoundError as e:
        yield fault("temporary folder", str(e), "export TMPDIR=/a/folder/that/you/may/write")
        return
    yield from _disk("temporary folder", temporary, "export TMPDIR=/a/folder/on/a/larger/disk")


def _disk(name: str, folder: Path, remedy: str) -> Iterator[Finding]:
    free = shutil.disk_usage(folder).free
    says = f"{free / 1e9:,.1f} GB free in {folder}"
    yield ok(name, says) if free >= _LEAST_DISK else fault(name, says, remedy)


def check_memory() -> Iterator[Finding]:
    available = available_memory()
    says = f"{available / 1e9:,.1f} GB free of {psutil.virtual_memory().total / 1e9:,.1f} GB"
    if available >= _LEAST_MEMORY:
        yield ok("memory", says)
    else:
        yield fault("memory", says, "end other programs; a job takes up to 400 MB, whatever its size")


def check_proxies(settings: Settings, environment: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    found = ((kind, _variable(environment, f"{kind}_proxy")) for kind in ("http", "https", "all"))
    proxies = {kind: variable for kind, variable in found if variable}
    if not proxies:
        yield off("proxy", "none is set; Google is asked directly")
        return
    told = ", ".join(f"{name} {without_password(environment[name])}" for name in proxies.values())
    for name in proxies.values():
        if not _has_host(environment[name]):
            yield fault("proxy", f"{told}; {name} names no host", f"export {name}=http://HOST:PORT")
            return
    exempt = environment.get(_variable(environment, "no_proxy") or "", "")
    through = "https" in proxies or "all" in proxies
    if settings.place == "local":
        for_google = "Google is not asked, the place is local"
    elif through and not _is_exempt("storage.googleapis.com", exempt):
        for_google = "Google is asked through it"
    else:
        for_google = "Google is asked directly"
    if _is_exempt("localhost", exempt):
        yield ok("proxy", f"{told}; {for_google}; this machine's own ports are not")
        return
    more = ",".join(filter(None, (exempt, "localhost,127.0.0.1")))
    yield off(
        "proxy",
        f"{told}; {for_google}; NO_PROXY does not exempt localhost, so other programs cannot reach a local stack",
        f"export NO_PROXY={more} no_proxy={more}",
    )


def _variable(environment: Mapping[str, str], name: str) -> str | None:
    """The name, in small letters or capitals, of the variable that is set; small ones win."""
    return next((spelt for spelt in (name, name.upper()) if environment.get(spelt)), None)


def _has_host(address: str) -> bool:
    try:
        return bool(urlsplit(address if "://" in address else f"//{address}").hostname)
    except ValueError:
        return False


def _is_exempt(host: str, listed: str) -> bool:
    """Whether NO_PROXY has the host, as urllib and requests read it."""
    return bool(proxy_bypass_environment(host, {"no": listed}))
