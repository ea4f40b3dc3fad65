"""chimera-nb as people install it: from its built wheel, in an environment of its own, used in an empty folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_EXTRAS = "notebook,local"
_KEPT = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "LD_LIBRARY_PATH",
    "PIP_INDEX_URL",
    "SSL_CERT_FILE",
    "OPENBLAS_CORETYPE",
)


@dataclass(frozen=True)
class Installed:
    """An environment with the package in it; `folder` is empty to begin with, and `home` is a user's who is new."""

    bin: Path
    folder: Path
    home: Path

    def environment(self) -> dict[str, str]:
        """Nothing of whoever runs the check: no PYTHONPATH, settings or credentials."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        own = {"HOME": self.home, "XDG_RUNTIME_DIR": self.home, "TMPDIR": self.home / "tmp"}
        path = os.pathsep.join((str(self.bin), kept.get("PATH", os.defpath)))
        return kept | {name: str(value) for name, value in own.items()} | {"PATH": path, "MPLBACKEND": "agg"}

    def run(self, *command: str, seconds: float = 300) -> str:
        """Run a program of the environment in the folder; what it prints. Raises RuntimeError where it fails."""
        done = subprocess.run(
            [self.bin / command[0], *command[1:]],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if done.returncode:
            said = f"{done.stdout[-3000:]}{done.stderr[-3000:]}"
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{said}")
        return done.stdout


def install(place: Path, python: str = sys.executable, *, pinned: bool = True) -> Installed:
    """Build the wheel and install it with its extras into an empty place outside the checkout.

    `pinned` takes the versions of constraints.txt; else the newest that the ranges allow, as a user gets them.
    """
    wheel = build_wheel(place)
    venv = place / "venv"
    wanted = f"{wheel}[{_EXTRAS}]"
    constraints = ["--constraint", str(ROOT / "constraints.txt")] if pinned else []
    if uv := _uv():
        _call(uv, "venv", "--quiet", "--python", python, str(venv))
        _call(uv, "pip", "install", "--quiet", "--python", str(venv / "bin" / "python"), *constraints, wanted)
    else:
        _call(python, "-m", "venv", str(venv))
        _call(
            str(venv / "bin" / "pip"),
            "install",
            "--quiet",
            "--disable-pip-version-check",
            *constraints,
            wanted,
        )
    made = Installed(venv / "bin", place / "empty", place / "home")
    made.folder.mkdir()
    (made.home / "tmp").mkdir(parents=True)
    return made


def build_wheel(place: Path) -> Path:
    """The wheel of the files that git knows: a build leaves what it makes beside them, so it is given a copy."""
    source = place / "source"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file() and not name.startswith(("docs/", "tests/", "notebooks/", "benchmarks/")):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    _call(
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(place / "dist"),
        str(source),
    )
    (wheel,) = (place / "dist").glob("*.whl")
    shutil.rmtree(source)
    return wheel


def _uv() -> str | None:
    return shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))


def _call(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(command)} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-4000:]}"
        )
