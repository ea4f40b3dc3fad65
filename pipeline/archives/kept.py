"""Indexes of archives in a folder of the user's, by the archive and its version: a file is never out of date.

A file holds a JSON line about the archive, then one for each member. The oldest go when there are many.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
from pathlib import Path

from pipeline.archives.members import AGAIN, AGAIN_LATER, Member, Outline
from pipeline.errors import StorageError
from pipeline.storage.local import LocalFiles
from pipeline.uri import Uri

_log = logging.getLogger(__name__)
_FORMAT = 1  # raise it when the same archive would give others, or the file is written otherwise
_FILES = 100

Kept = tuple[str, Outline, list[Member]]


def find(folder: str | None, key: tuple[str, ...]) -> Kept | None:
    """Kind, outline and members; None where they are not kept. A file that cannot be read is as good as none."""
    if folder is None:
        return None
    path = _path(folder, key)
    try:
        head, *lines = path.read_bytes().splitlines()
        about = json.loads(head)
        if about["key"] != list(key) or about["members"] != len(lines):
            return None
        outline = Outline(fault=about["fault"], notes=about["notes"])
        outline.told.counts, outline.told.names = about["counts"], about["names"]
        return about["kind"], outline, [Member.from_json(json.loads(line)) for line in lines]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as e:
        _log.warning("%s cannot be used (%s); the archive is looked through again", path, e)
        return None


def keep(folder: str, key: tuple[str, ...], kind: str, outline: Outline, members: list[Member]) -> None:
    """Keep an index, where that can be written."""
    told = outline.told
    again = {AGAIN, AGAIN_LATER}  # found anew, since all members are kept
    about = {
        "key": key,
        "kind": kind,
        "members": len(members),
        "fault": outline.fault,
        "notes": outline.notes,
        "counts": {kind: count for kind, count in told.counts.items() if kind not in again},
        "names": {kind: names for kind, names in told.names.items() if kind not in again},
    }
    lines = [json.dumps(about), *(json.dumps(member.to_json()) for member in members)]
    path = _path(folder, key)
    try:
        Path(folder).mkdir(mode=0o700, exist_ok=True)
        # Not through the lists of places: this is a file of our own, which nobody names.
        LocalFiles().write_bytes(
            Uri("", str(path)), "\n".join(lines).encode(), create_only=False, private=True
        )
    except (StorageError, OSError) as e:
        _log.info("the index of an archive is kept for this process only: %s", e)
        return
    with contextlib.suppress(OSError):  # another process may be at it as well
        found = sorted(Path(folder).glob("*.index"), key=lambda path: path.stat().st_mtime)
        for old in found[:-_FILES]:
            old.unlink(missing_ok=True)


def _path(folder: str, key: tuple[str, ...]) -> Path:
    named = hashlib.sha256(json.dumps([_FORMAT, *key]).encode()).hexdigest()[:32]
    return Path(folder) / f"{named}.index"
