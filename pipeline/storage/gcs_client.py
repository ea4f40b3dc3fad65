"""The google-cloud-storage client: one for a process, and its errors as ours.

Credentials are found as Google's libraries find them; STORAGE_EMULATOR_HOST leads to a local stack instead.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import requests
from google.api_core import exceptions as api
from google.auth import exceptions as auth
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY

from pipeline.errors import AccessDeniedError, ObjectExistsError, ObjectNotFoundError, StorageError

# Answers are waited for, and failed requests repeated, for so long. A worker waits out a store's bad minute; a
# person at a terminal is told sooner.
_RETRY_SECONDS = "CHIMERA_RETRY_SECONDS"
_CONNECTIONS = 64  # as many as threads that may ask at once


def client() -> Any:
    """This process's client (google.cloud.storage.Client). Raises AccessDeniedError without credentials."""
    return _client(os.getpid(), os.environ.get("STORAGE_EMULATOR_HOST"))


def retry() -> Any:
    """How a request that may be repeated is repeated: after 1 s, 2 s, 4 s ..., with jitter."""
    return DEFAULT_RETRY.with_timeout(float(os.environ.get(_RETRY_SECONDS) or 120))


@lru_cache(maxsize=4)
def _client(_process: int, emulator: str | None) -> Any:
    import google.auth
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    # The client would ask for each bucket's metadata by itself, for traces that nobody has asked for.
    os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "1")
    with mapped("gs://"):
        if emulator:
            made = storage.Client(project="local", credentials=AnonymousCredentials())
        else:
            credentials, project = google.auth.default(
                scopes=["https://www.googleapis.com/auth/devstorage.read_write"]
            )
            # Nothing here belongs to a project, but the client wants the name of one.
            made = storage.Client(project=project or "unnamed", credentials=credentials)
    adapter = requests.adapters.HTTPAdapter(pool_connections=4, pool_maxsize=_CONNECTIONS)
    for scheme in ("http://", "https://"):
        made._http.mount(scheme, adapter)  # noqa: SLF001 - its only way to keep more than ten connections
    return made


@contextmanager
def mapped(uri: str) -> Iterator[None]:
    """Whatever the client raises, as a StorageError about `uri`."""
    try:
        yield
    except (api.GoogleAPIError, InvalidResponse, DataCorruption) as e:
        raise _error(uri, e) from e
    except auth.GoogleAuthError as e:
        raise AccessDeniedError(
            uri,
            "no credentials were found or they do not work "
            f"({_first_line(e)}); run `gcloud auth application-default login`, or `chimera up` for a local stack",
        ) from e
    except (requests.RequestException, ConnectionError, TimeoutError) as e:
        raise StorageError(
            uri, f"the store does not answer ({_first_line(e)}); check the network, then try again"
        ) from e


def _error(uri: str, error: Exception) -> StorageError:
    code = getattr(error, "code", None)
    if isinstance(error, InvalidResponse):
        code = error.response.status_code
    if code == 404:
        return ObjectNotFoundError(uri, "there is no such object or bucket")
    if code in (401, 403):
        return AccessDeniedError(
            uri, f"access is denied ({_first_line(error)}); ask the bucket's owner for a role"
        )
    if code == 412:
        return ObjectExistsError(uri, "is there already, or has changed meanwhile")
    if isinstance(error, api.RetryError) and error.cause is not None:
        return StorageError(uri, f"the store does not answer ({_first_line(error.cause)}); try again later")
    return StorageError(uri, f"the store answered {code or 'with an error'} ({_first_line(error)})")


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
