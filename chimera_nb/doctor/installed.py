"""Python and the packages, held against what chimera-nb asks for."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement

from chimera_nb.doctor.finding import Finding, fault, off, ok

NAME = "chimera-nb"
_SHOWN = ("apache-beam", "google-cloud-storage", "pandas", "ipywidgets", "voila")
_LACKS = {
    "notebook": "some commands, the widgets or the dashboard do not work",
    "local": "there is no local stack",
}


def check_python() -> Iterator[Finding]:
    says = f"{platform.python_version()} on {platform.system()} {platform.machine()}, {sys.executable}"
    yield ok("python", says)


def check_packages(required: Sequence[str] | None = None) -> Iterator[Finding]:
    """`required`: as the package's metadata lists them; left out, those of the installed chimera-nb."""
    try:
        own = version(NAME)
        requirements = [
            Requirement(line) for line in (requires(NAME) or [] if required is None else required)
        ]
    except PackageNotFoundError:
        yield fault("packages", f"{NAME} is not installed", f"pip install '{NAME}[notebook,local]'")
        return
    shown = ", ".join(f"{name} {found}" for name in _SHOWN if (found := _version(name)))
    yield ok("packages", f"{NAME} {own}, {shown}")
    for extra in ("", *_LACKS):
        of_extra = [r for r in requirements if _is_of(r, extra)]
        missing = [r.name for r in of_extra if _version(r.name) is None]
        wrong = [
            r
            for r in of_extra
            if (found := _version(r.name)) and not r.specifier.contains(found, prereleases=True)
        ]
        what = f"{NAME}[{extra}]" if extra else NAME
        install = f"pip install --upgrade '{what}'"
        if wrong:
            told = ", ".join(f"{r.name} {_version(r.name)}, not {r.specifier}" for r in wrong)
            yield fault(
                f"packages {extra}".strip(), f"other versions than {what} works with: {told}", install
            )
        if missing and len(missing) == len(of_extra) and extra:
            yield off(f"packages {extra}", f"{what} is not installed: {_LACKS[extra]}", install)
        elif missing:
            yield fault(f"packages {extra}".strip(), f"not installed: {', '.join(missing)}", install)


def _is_of(requirement: Requirement, extra: str) -> bool:
    """Whether it is required by that extra; of the base with an empty one."""
    if requirement.marker is None:
        return not extra
    named = re.search(r"extra\s*==", str(requirement.marker)) is not None
    return named == bool(extra) and requirement.marker.evaluate({"extra": extra})


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
