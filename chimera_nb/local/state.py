"""The record of a living stack: <data_dir>/stack.json, and one file for each stack of this user."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from chimera_nb.machine.private import open_private, private_folder
from chimera_nb.machine.process_id import ProcessId
from chimera_nb.machine.trust import check_trusted
from pipeline.errors import SettingsError, UntrustedError
from pipeline.folders import home_expanded

_ENDPOINT = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\]):\d{1,5}")


@dataclass(frozen=True)
class Record:
    """What stack.json holds."""

    supervisor: ProcessId
    storage_endpoint: str
    dataflow_endpoint: str
    started_at: str  # RFC 3339

    def write(self, data_dir: Path) -> None:
        """Enter the stack among this user's, then write it whole or not at all: by that, who waits knows it lives."""
        for folder in _registries()[:1]:
            with contextlib.suppress(OSError):  # then the stack is found by its folder alone
                private_folder(folder)
                _write(folder / _entry(data_dir), str(data_dir))
        _write(data_dir / "stack.json", json.dumps(asdict(self), indent=1))


def read_record(data_dir: Path) -> Record | None:
    """The record of a stack, living or not; None where there is none that can be read.

    Raises UntrustedError for one that others can write, or that leads off this machine.
    """
    path = data_dir / "stack.json"
    try:
        if not path.exists():
            return None
    except OSError as e:
        raise UntrustedError(
            f"{path} cannot be looked for ({e.strerror}); name another folder with --data-dir or CHIMERA_DATA_DIR"
        ) from e
    check_trusted(path, "take it away, or use another folder: --data-dir or CHIMERA_DATA_DIR")
    try:
        document = json.loads(path.read_text())
        record = Record(
            ProcessId(**document["supervisor"]),
            document["storage_endpoint"],
            document["dataflow_endpoint"],
            document["started_at"],
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    for endpoint in (record.storage_endpoint, record.dataflow_endpoint):
        if not _ENDPOINT.fullmatch(endpoint):
            raise UntrustedError(
                f"{path} is not used: {endpoint!r} is no port of this machine; remove the file, then `chimera up`"
            )
    return record


def clean(data_dir: Path) -> None:
    """Remove the record of a stack that is no more. Its data stays."""
    (data_dir / "stack.json").unlink(missing_ok=True)
    for folder in _registries():
        with contextlib.suppress(OSError):
            (folder / _entry(data_dir)).unlink(missing_ok=True)


def known_data_dirs() -> Iterator[Path]:
    """The data folders of this user's stacks, some of which may be gone."""
    seen = set()
    for folder in _registries():
        with contextlib.suppress(OSError):  # of another user: `su` keeps XDG_RUNTIME_DIR
            for entry in sorted(folder.glob("*.stack")):
                with contextlib.suppress(OSError):
                    seen.add(entry.read_text())
    yield from (Path(data_dir) for data_dir in sorted(seen))


def _registries() -> list[Path]:
    """Where stacks are entered: in the first of these. A login without XDG_RUNTIME_DIR still finds the second.

    None for a user without a home: then a stack is found by its folder alone.
    """
    bases = [os.environ.get("XDG_RUNTIME_DIR"), os.environ.get("XDG_CACHE_HOME")]
    if not bases[1]:
        with contextlib.suppress(SettingsError):
            bases[1] = home_expanded("~/.cache")
    return [Path(base) / "chimera-nb" / "stacks" for base in bases if base]


def _entry(data_dir: Path) -> str:
    return hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16] + ".stack"


def _write(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.{os.getpid()}")
    with open_private(new, "wb") as file:
        file.write(os.fsencode(text))
    new.replace(path)
