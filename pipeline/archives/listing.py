"""One level of an archive, in pages that come while its members are still being found."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from pipeline.archives.members import Member

_FIRST = 256  # members, after which the first page comes as it is
_SHOWN_AFTER = 0.2  # seconds: a page that is not full by then comes as it is, also an empty one


def level(found: Iterable[Member], folder: str, page_size: int) -> Iterator[tuple[list[str], list[Member]]]:
    """The folders right in a folder, each once, with its "/", and the members there; all by their names from the top.

    `folder` ends in "/", or is "" for the top; anything after the last "/" is a prefix that names must start with. A
    folder that was found complete comes in the order of the archive. A page may be empty: whoever waits can then say
    how far the archive has been gone through, or leave it there.
    """
    seen: set[str] = set()
    folders: list[str] = []
    members: list[Member] = []
    began = time.monotonic()
    for count, member in enumerate(found, 1):
        if member.name.startswith(folder):
            end = member.name.find("/", len(folder)) + 1
            if not end:
                members.append(member)
            elif (name := member.name[:end]) not in seen:
                seen.add(name)
                folders.append(name)
        full = len(folders) + len(members) >= page_size
        if full or count == _FIRST or time.monotonic() - began > _SHOWN_AFTER:
            yield folders, members
            folders, members, began = [], [], time.monotonic()
    yield folders, members
