"""What was staged for a job's workers: fetched, checked, and installed in a folder of the job's own.

On Google Cloud the worker's boot program runs pip on each package. Here a wheel is unpacked, which is what pip
does to one, and needs no pip; only a source distribution, which has to be built, is given to it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path

import pipeline
from pipeline.errors import JobError
from pipeline.storage import Store

_SDIST = (".tar.gz", ".zip")
_BUILD_SECONDS = 300


@dataclass(frozen=True)
class Artifact:
    """One staged file: where it is, the name it has on a worker, and its SHA-256 in hex, as Beam computed it."""

    uri: str
    name: str
    sha256: str


def fetch(store: Store, artifacts: Iterable[Artifact], folder: Path) -> list[Path]:
    """Bring the files to a folder. Raises JobError for one that is not what was staged."""
    folder.mkdir()
    found = []
    for artifact in artifacts:
        content = read_pinned(store, artifact.uri, artifact.sha256)
        path = folder / Path(artifact.name).name
        path.write_bytes(content)
        found.append(path)
    return found


def read_pinned(store: Store, uri: str, sha256: str) -> bytes:
    """What was staged, to the byte, before anything of it is run. Raises JobError for anything else."""
    content = store.read_bytes(uri)
    if hashlib.sha256(content).hexdigest() != sha256:
        why = "its SHA-256 differs" if sha256 else "the job does not say its SHA-256"
        raise JobError(f"{uri} is not what was staged ({why}); submit the job again")
    return content


def install(files: Iterable[Path], site: Path) -> list[str]:
    """Install the packages among the files into `site`; their names. Raises JobError for one that will not."""
    site.mkdir()
    installed = []
    for file in files:
        if file.suffix == ".whl":
            _unpack(file, site)
        elif file.name.endswith(_SDIST):
            _build(file, site)
        else:
            continue  # a list of names, or a pickled main session
        installed.append(file.name)
    _take_bytecode(site / Path(pipeline.__file__).parent.name)
    return installed


def _unpack(wheel: Path, site: Path) -> None:
    # https://packaging.python.org/en/latest/specifications/binary-distribution-format/
    try:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
    except zipfile.BadZipFile as e:
        raise JobError(f"the staged package {wheel.name} is no wheel: {e}") from e
    for data in site.glob("*.data"):
        for part in ("purelib", "platlib"):
            for path in sorted((data / part).rglob("*")):
                if path.is_file():
                    destination = site / path.relative_to(data / part)
                    destination.parent.mkdir(parents=True, exist_ok=True)
                    path.replace(destination)


def _take_bytecode(package: Path) -> None:
    """Give the modules that are this environment's too, to the byte, the bytecode they have here.

    Workers would compile them for each job anew.
    """
    here = Path(pipeline.__file__).parent
    for module in here.rglob("*.py"):
        compiled, staged = Path(cache_from_source(str(module))), package / module.relative_to(here)
        with contextlib.suppress(OSError):  # there is none, of the one or the other: it is only slower
            if staged.read_bytes() == module.read_bytes():
                bytecode, written = compiled.read_bytes(), module.stat()
                # It is valid for a module that was written then.
                os.utime(staged, ns=(written.st_atime_ns, written.st_mtime_ns))
                made = Path(cache_from_source(str(staged)))
                made.parent.mkdir(exist_ok=True)
                made.write_bytes(bytecode)


def _build(sdist: Path, site: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--no-build-isolation"]
    done = subprocess.run(
        [*pip, "--disable-pip-version-check", "--target", str(site), str(sdist)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_BUILD_SECONDS,
        check=False,
    )
    if done.returncode:
        raise JobError(
            f"the staged package {sdist.name} cannot be installed: {done.stdout.strip()[-1000:]}. "
            "Stage a wheel instead: it needs no build"
        )
