"""Object names as paths on disk.

An object is kept in the file of its name. A bucket knows no folders, so that is not enough: the
objects "a" and "a/b" cannot both be files, "a/" and a part of more than 255 bytes cannot be one, and "../../x"
is one outside the bucket. So names are written a little differently, "!" being the mark:

    a/b.csv        a/b.csv!          every file ends in a mark, and no folder does
    a/             a/!
    a//b           a/!_/b!           a folder without a name; "." and ".." as folders are ".!_" and "..!_"
    what!          what!!!           a mark in the name is doubled
    xxxx... (300)  xxx...!-/!+xx...! a long part goes on in the next

Names keep their prefixes. Their order they keep mostly ("a/-b" is before "a//b"); listings sort by names.
"""

from __future__ import annotations

import re

_PART_BYTES = 200  # a file name has 255; a mark and an ending are added to it
_TOKEN = re.compile("!.|.", re.DOTALL)
_MARK = re.compile(r"!(!|0|_|\+|-/|\Z)")
_MEANING = {"!": "!", "0": "\0"}  # the others are not in the name


def to_disk(name: str) -> str:
    """The path, inside the bucket's folder, of the object with this name."""
    return to_disk_prefix(name) + "!"


def to_disk_prefix(prefix: str) -> str:
    """What the paths of all objects whose names begin with `prefix` begin with, and of no others."""
    *folders, last = prefix.split("/")
    return "".join(_folder(folder) + "/" for folder in folders) + _parts(last)


def from_disk(path: str) -> str:
    """The inverse of `to_disk`, and of `to_disk_prefix`."""
    return _MARK.sub(lambda mark: _MEANING.get(mark[1], ""), path)


def ends_inside_a_part(prefix: str) -> bool:
    """Whether a path ends where a long part goes on in a folder of its own, which is no folder of the bucket."""
    return any(mark[1] == "-/" and mark.end() == len(prefix) for mark in _MARK.finditer(prefix))


def _folder(name: str) -> str:
    return f"{name}!_" if name in {"", ".", ".."} else _parts(name)


def _parts(text: str) -> str:
    parts, room = [""], _PART_BYTES
    for token in _TOKEN.findall(text.replace("!", "!!").replace("\0", "!0")):
        size = len(token.encode())
        if size > room:
            parts.append("")
            room = _PART_BYTES
        parts[-1] += token
        room -= size
    return "!-/!+".join(parts)
