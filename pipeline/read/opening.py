"""Which version of a file is opened, how much of it at first, and whose fault it is where that fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.errors import StorageError, StoreUnavailableError
from pipeline.storage import Store

_LARGE_BYTES = 1 << 20  # a file of more is not read with one request
_FIRST_OF_LARGE = 256 << 10  # and so much of it waits while others are decoded


def version_to_open(generation: int | None, size: int | None) -> dict[str, int]:
    """What `Store.open_read` is told of a file that was listed so; a size that is negative is not known."""
    told = {} if generation is None else {"generation": generation}
    if size is not None and not 0 <= size <= _LARGE_BYTES:
        told["first_bytes"] = _FIRST_OF_LARGE
    return told


@contextmanager
def own_faults(store: Store, uri: str) -> Iterator[None]:
    """Let errors through that are this file's alone; one that all others have is raised as StoreUnavailableError."""
    try:
        yield
    except StoreUnavailableError:
        raise
    except StorageError:
        store.check_gives(uri)
        raise
