"""What every page asks of Voilà's front end and of its extensions, in one file: eighty chunks cost eighty requests.

A chunk is a script that hands its modules to webpack's runtime, under a number; handed over before the runtime begins,
it is never asked for. Which ones a page needs is known by looking at one: the numbers below are those of the releases
that constraints.txt pins. One that another release has not is passed over, and one that it needs beside these is asked
for as ever: `tests/ui/test_page_quality.py` counts the requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

NAME = "front-end.js"
# Of Voilà itself, and of each extension.
_VOILA = """
    5764 8135 3992 9582 8925 7883 7556 6049 1670 6573 3311 4135 1621 3916 3649 8487 9684 4041 143 7155 3144 1601 4972
    9890 5312 6468 3459 630 5688 2930 73 1187 4173 7483 431 3989 8766 9151 4729 6382 5044 7598 9081 7770 3249 4653 8862
    9981 5767 4222 8773 3307 6008 8017 457 9212 4371 2829 7259 6074 4875 4486 6305 7393 225 614 1996 2121 2772 2296 7245
    5992
"""
_EXTENSIONS = {
    "@voila-dashboards/widgets-manager8": "883 496",
    "@jupyter-widgets/jupyterlab-manager": "7 704 170 84 32 452 967 160 718 121",
    "anywidget": "2 528",
}


def bundle(folders: dict[str, Path]) -> bytes:
    """The scripts of those chunks that are there, one after another. `folders` are the served ones, by address."""
    return b"\n".join(
        b"(function(){\n%s\n})();" % path.read_bytes() for path in _chunks(folders) if path.is_file()
    )


def _chunks(folders: dict[str, Path]) -> Iterator[Path]:
    for number in _VOILA.split():
        yield folders["voila"] / f"{number}.voila.js"
    for name, numbers in _EXTENSIONS.items():
        folder = folders[f"labextensions/{name}/static"]
        for number in numbers.split():
            yield from sorted(folder.glob(f"{number}.*.js"))
