"""Lead this process to the store and the job log that the settings name: the one way in, for all of the toolkit.

On a laptop that is the local stack that runs. A kernel outlives stacks, so every call looks again: what an
earlier call has put into the environment gives way, what the user has put there stands.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from chimera_nb.arguments import AnyPath, path_texts
from chimera_nb.settings import Settings, load_settings
from pipeline.errors import NoStackError

_STORE = "STORAGE_EMULATOR_HOST"
_DATA_DIR = "CHIMERA_DATA_DIR"


@dataclass(frozen=True)
class _Led:
    """What an earlier call has put into the environment, and what stood there before."""

    exports: dict[str, str]
    before: dict[str, str | None]


_led = _Led({}, {})
_lock = threading.Lock()


def connect(uris: AnyPath | Iterable[AnyPath] = (), *, data_dir: Path | None = None) -> Settings:
    """The settings in force, with this process led to the local stack when it is one that is wanted.

    `uris` are those that will be asked for: gs:// ones need a store that answers. Raises NoStackError, in one
    line that says how to start it, when that is a local stack and none runs. Calls no service.
    """
    with _lock:
        return _connect(_in_buckets(uris), data_dir)


def settings_for(uris: AnyPath | Iterable[AnyPath]) -> Settings:
    """The settings for reading these: as `connect` gives them where one is gs://.

    For local files the environment stays as it is, and no stack is looked for.
    """
    asked = _in_buckets(uris)
    return connect(asked) if asked else load_settings()


def _in_buckets(uris: AnyPath | Iterable[AnyPath]) -> list[str]:
    return [uri for uri in path_texts(uris) if uri.startswith("gs://")]


def _connect(asked: list[str], data_dir: Path | None) -> Settings:
    settings = load_settings(data_dir)
    if settings.place == "cloud":
        _withdraw(list(_led.exports))
        return load_settings(data_dir)
    from chimera_nb.local import stack

    found = stack.find(settings.data_dir)
    if not found and data_dir is None and _is_ours(_DATA_DIR):
        _withdraw([_DATA_DIR])  # that stack is gone; another may have come
        settings = load_settings()
        found = stack.find(settings.data_dir)
    chosen = None if _is_ours(_STORE) else os.environ.get(_STORE)
    if found:
        exports = found.exports()
        if chosen:
            del exports[_STORE]
        _lead(exports)
        return load_settings(data_dir or found.data_dir)
    if asked and not chosen:
        where = f" in {settings.data_dir}" if settings.data_dir else ""
        raise NoStackError(asked[0], where)
    return settings


def _lead(exports: dict[str, str]) -> None:
    global _led  # noqa: PLW0603 - the environment that it tells of is the process's as well
    before = {
        name: _led.before.get(name) if _is_ours(name) else os.environ.get(name)
        for name in {**_led.exports, **exports}
    }
    os.environ.update(exports)
    _led = _Led({**_led.exports, **exports}, before)


def _withdraw(names: list[str]) -> None:
    """Put back what stood there before, where nobody has changed it since."""
    for name in names:
        if not _is_ours(name):
            continue
        before = _led.before[name]
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
        del _led.exports[name]


def _is_ours(name: str) -> bool:
    """Whether a variable has the value that an earlier call gave it."""
    return name in _led.exports and os.environ.get(name) == _led.exports[name]
