"""What a Dataflow worker is given: the `pipeline` package that is in use here, as a wheel, and its source's package.

A wheel and not an sdist: its install needs no build back end, so it works on a worker without an index.
Everything is made from the files that are imported here, so an installed package does as well as a checkout, and
the network is not asked.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution, requires
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pipeline
from pipeline.errors import JobError
from pipeline.sources.registry import source_package

NAME = "chimera-nb"
WORKER_NAME = "chimera-nb-worker"
_PURE = "Wheel-Version: 1.0\nGenerator: chimera-nb\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_MADE_BY_BUILDS = {"build", "dist", ".git", ".venv"}


def build_packages(source: str, folder: Path) -> list[Path]:
    """The wheels for a job of this source, in a folder that exists: `pipeline`, and a third party's package.

    Raises JobError when one cannot be built.
    """
    wheels = [build_worker_wheel(folder)]
    package = source_package(source)
    if package is not None and package.name != NAME:
        wheels.append(_wheel_of(package, folder))
    return wheels


def build_worker_wheel(folder: Path) -> Path:
    """A wheel with the `pipeline` package and nothing else; it requires what chimera-nb itself requires.

    Its files are all there is to it, so it is packed here: a build back end takes seconds to say the same. Raises
    JobError.
    """
    from wheel.wheelfile import WheelFile

    try:
        version, requirements = distribution(NAME).version, requires(NAME) or []
    except PackageNotFoundError as e:
        raise JobError(f"{NAME} is not installed, so its version is not known: pip install it") from e
    # https://packaging.python.org/en/latest/specifications/core-metadata/
    metadata = [
        "Metadata-Version: 2.1",
        f"Name: {WORKER_NAME}",
        f"Version: {version}",
        "Requires-Python: >=3.11",
    ]
    metadata += [
        f"Requires-Dist: {requirement}" for requirement in requirements if "extra ==" not in requirement
    ]
    package, named = Path(str(pipeline.__file__)).parent, f"{WORKER_NAME.replace('-', '_')}-{version}"
    path = folder / f"{named}-py3-none-any.whl"
    with WheelFile(path, "w") as wheel:
        for file in sorted((*package.rglob("*.py"), package / "py.typed")):
            wheel.write(str(file), f"pipeline/{file.relative_to(package).as_posix()}")
        wheel.writestr(f"{named}.dist-info/METADATA", "\n".join([*metadata, ""]))
        wheel.writestr(f"{named}.dist-info/WHEEL", _PURE)
    return path


def _wheel_of(package: Distribution, folder: Path) -> Path:
    """A wheel of an installed package: built from its source if it is installed editable, else packed again."""
    origin = json.loads(package.read_text("direct_url.json") or "{}")
    if origin.get("dir_info", {}).get("editable"):
        source = Path(unquote(urlsplit(origin["url"]).path))
        project = folder / f"{package.name}-source"
        _mirror(source, project)
        return _build(project, folder)
    return _pack(package, folder)


def _mirror(source: Path, project: Path) -> None:
    """The project as a folder of links, in which a build may leave what it makes; nothing of it is copied.

    A build writes beside the packages, so `src` is a folder of its own too.
    """
    project.mkdir()
    for entry in source.iterdir():
        if entry.name == "src":
            _mirror(entry, project / entry.name)
        elif entry.name not in _MADE_BY_BUILDS and not entry.name.endswith(".egg-info"):
            (project / entry.name).symlink_to(entry.absolute())


def _pack(package: Distribution, folder: Path) -> Path:
    from wheel.wheelfile import WheelFile

    outline = package.read_text("WHEEL") or ""
    tags = [line.partition(":")[2].strip() for line in outline.splitlines() if line.startswith("Tag:")]
    if not tags or not package.files:
        raise JobError(
            f"package {package.name} of the source cannot be staged: it does not list its files; pip install it"
        )
    name = package.name.replace("-", "_").replace(".", "_")
    path = folder / f"{name}-{package.version}-{tags[0]}.whl"
    with WheelFile(path, "w") as wheel:
        for file in package.files:
            inside = not (file.is_absolute() or ".." in file.parts or "__pycache__" in file.parts)
            if inside and file.name not in _OF_THE_INSTALLER:
                wheel.write(str(file.locate()), str(file))
    return path


_OF_THE_INSTALLER = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")


def _build(project: Path, folder: Path) -> Path:
    """Build a wheel with what is installed here: nothing is fetched."""
    made = folder / f"{project.name}-wheel"
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(made),
        str(project),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(made.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:])
        raise JobError(f"the workers' package cannot be built from {project}: {last}")
    return wheels[0]
