"""Drawings that were made before, in memory and on disk.

In <data folder>/samples a file <key>.sample holds a JSON line about the drawing, with the files and positions
of its lines, then the lines themselves. The key is of all that a drawing depends on, so a file is never out of
date; the oldest go when there are many.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import threading
from collections import OrderedDict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from chimera_nb.data.sampling.run import Failure
from chimera_nb.machine.private import private_data_dir, private_folder
from pipeline.errors import StorageError
from pipeline.storage.local import LocalFiles
from pipeline.uri import Uri

_log = logging.getLogger(__name__)
_FORMAT = 1  # raise it when the same key would draw other lines, or the file is written otherwise
_FILES = 100
_IN_MEMORY = 8


@dataclass(frozen=True)
class Sample:
    """A sample's lines, in the order of files and positions, and what they were drawn from.

    lines         (the file's URI, the position in it from 1 on, the text without its end)
    files_total, bytes_total
                  of all files that match; files and bytes are of those that were read
    failed        how many files gave nothing; failures has the first of them
    """

    lines: tuple[tuple[str, int, bytes], ...]
    files: int
    files_total: int
    bytes: int
    bytes_total: int
    failed: int = 0
    failures: tuple[Failure, ...] = ()


_memory: OrderedDict[tuple[Path, str], Sample] = OrderedDict()
_lock = threading.Lock()


def sample_key(**depends_on: Any) -> str:
    """The name of a drawing, by all that it depends on."""
    text = json.dumps({"format": _FORMAT, **depends_on}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def find(folder: Path, key: str) -> Sample | None:
    """The drawing, if it was kept. A file that cannot be read, or is not whole, is as good as none."""
    with _lock:
        if (folder, key) in _memory:
            _memory.move_to_end((folder, key))
            return _memory[folder, key]
    try:
        taken = _from_bytes(_path(folder, key).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as e:
        _log.warning("%s cannot be used (%s); the sample is drawn anew", _path(folder, key), e)
        return None
    _remember(folder, key, taken)
    return taken


def keep(folder: Path, key: str, taken: Sample) -> None:
    """Keep a drawing, on disk too where that can be written; one with failures that may pass is not kept."""
    if any(failure.may_pass for failure in taken.failures):
        return
    _remember(folder, key, taken)
    try:
        # Not through the lists of places: this is a file of our own, which nobody names.
        private_folder(private_data_dir(folder.parent) / folder.name)
        LocalFiles().write_bytes(
            Uri("", str(_path(folder, key))), _to_bytes(taken), create_only=False, private=True
        )
    except (StorageError, OSError) as e:
        _log.warning("the sample is kept for this process only: %s", e)
        return
    _remove_oldest(folder)


def _remember(folder: Path, key: str, taken: Sample) -> None:
    with _lock:
        _memory[folder, key] = taken
        while len(_memory) > _IN_MEMORY:
            _memory.popitem(last=False)


def _path(folder: Path, key: str) -> Path:
    return folder / f"{key}.sample"


def _to_bytes(taken: Sample) -> bytes:
    header = asdict(taken)
    header["lines"] = [[uri, position] for uri, position, _ in taken.lines]
    return b"\n".join((json.dumps(header).encode(), *(text for _, _, text in taken.lines)))


def _from_bytes(data: bytes) -> Sample:
    head, *texts = data.split(b"\n")
    header = json.loads(head)
    header["failures"] = tuple(Failure(**failure) for failure in header["failures"])
    header["lines"] = tuple(
        (uri, position, text) for (uri, position), text in zip(header["lines"], texts, strict=True)
    )
    return Sample(**header)


def _remove_oldest(folder: Path) -> None:
    with contextlib.suppress(OSError):  # another process may be at it as well
        kept = sorted(folder.glob("*.sample"), key=lambda path: path.stat().st_mtime)
        for path in kept[:-_FILES]:
            path.unlink(missing_ok=True)
