"""The google-cloud-storage clients: one pool for a process, errors as ours, how often and how long they are asked.

A client belongs to the endpoint that it was made for (`pipeline.storage.cloud`). Google is asked with the credentials
that its libraries find, an emulator with none.
"""

from __future__ import annotations

import functools
import http.client
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, ParamSpec, TypeVar

import requests
import urllib3
from google.api_core import exceptions as api
from google.auth import exceptions as auth
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

from pipeline.errors import (
    AccessDeniedError,
    CredentialsError,
    ObjectExistsError,
    ObjectNotFoundError,
    StorageError,
    StoreUnavailableError,
    TransferError,
)
from pipeline.storage.cloud import Cloud
from pipeline.storage.deadline import deadline, mount
from pipeline.storage.patience import Patience, Trials

_CONNECTIONS = 64  # as many as threads that may ask at once
_ANSWER_BYTES = 1 << 20  # of an answer that is no object's body: a page of a listing
_UNREACHED = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    ConnectionError,
    TimeoutError,
)
_P = ParamSpec("_P")
_T = TypeVar("_T")


def client(cloud: Cloud) -> Any:
    """This process's client of that service (google.cloud.storage.Client). Raises CredentialsError without credentials.

    All stores of one endpoint share it, with its connections: this is the one pool of clients that there is.
    """
    return _client(os.getpid(), cloud.endpoint)


def asked(
    uri: str, patience: Patience, size: int = _ANSWER_BYTES
) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
    """Bound a call that asks the store about `uri`, and try it again while the store is at fault.

    Goes where the client takes a `retry`. `size` is what a try moves, in bytes. The call may be done twice: its
    answer may have been lost. Raises StorageError or one of its kind.
    """

    def decorate(call: Callable[_P, _T]) -> Callable[_P, _T]:
        @functools.wraps(call)
        def tried(*arguments: _P.args, **options: _P.kwargs) -> _T:
            trials = Trials(patience)
            while True:
                try:
                    with attempt(uri, patience, size):
                        return call(*arguments, **options)
                except StoreUnavailableError as e:
                    trials.failed(e)

        return tried

    return decorate


@contextmanager
def attempt(uri: str, patience: Patience, size: int = _ANSWER_BYTES) -> Iterator[None]:
    """Bound one try of a call that asks the store about `uri`. Raises StorageError or one of its kind."""
    with mapped(uri), deadline(patience.deadline(size)):
        yield


@lru_cache(maxsize=8)  # a forked child must not write into its parent's connections
def _client(_process: int, emulator: str | None) -> Any:
    import google.auth
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    with mapped("gs://"):
        if emulator:
            made = storage.Client(
                project="local",
                credentials=AnonymousCredentials(),
                client_options={"api_endpoint": emulator},
            )
        else:
            credentials, project = google.auth.default(
                scopes=["https://www.googleapis.com/auth/devstorage.read_write"]
            )
            # Nothing here belongs to a project, but the client wants the name of one.
            made = storage.Client(project=project or "unnamed", credentials=credentials)
    # It would ask for each bucket's metadata by itself, for traces that nobody has asked for.
    made._bucket_metadata_cache = None  # noqa: SLF001 - else only a variable of the process says so
    mount(made._http, connections=_CONNECTIONS)  # noqa: SLF001 - its only way to keep more than ten
    # Tokens are fetched within requests, by a session of their own: nobody waits for them without end either.
    mount(made._http._auth_request.session, connections=1, retries=3)  # noqa: SLF001
    return made


@contextmanager
def mapped(uri: str) -> Iterator[None]:
    """Whatever the client raises, as a StorageError about `uri`."""
    try:
        yield
    except (api.GoogleAPIError, InvalidResponse) as e:
        raise _error(uri, e) from e
    except DataCorruption as e:
        raise TransferError(uri, f"{_first_line(e)}; try again") from e
    except auth.GoogleAuthError as e:
        raise CredentialsError(
            uri,
            "no credentials were found or they do not work "
            f"({_first_line(e)}); run `gcloud auth application-default login`, or `chimera up` for a local stack",
        ) from e
    except StorageError:
        raise
    except _UNREACHED as e:
        raise StoreUnavailableError(
            uri, f"the store does not answer ({_first_line(e)}); check the network, then try again"
        ) from e


def _error(uri: str, error: Exception) -> StorageError:
    """An answer that is no success, by its status."""
    code, why = getattr(error, "code", None), _first_line(error)
    if isinstance(error, InvalidResponse):
        code = error.response.status_code
    kind: type[StorageError] = StorageError
    if code == 404:
        kind, text = ObjectNotFoundError, "there is no such object or bucket"
    elif code == 412:
        kind, text = ObjectExistsError, "is there already, or has changed meanwhile"
    elif code == 401:
        kind, text = CredentialsError, f"the credentials do not work ({why}); log in again, or renew the key"
    elif code == 429 or (code == 403 and is_over_a_limit(error)):
        kind, text = StoreUnavailableError, f"the store is asked too often ({why}); try again later"
    elif code == 403:
        kind, text = AccessDeniedError, f"access is denied ({why}); ask the bucket's owner for a role"
    elif code == 400 and "crc32c" in str(error).lower():
        kind, text = TransferError, f"what arrived is not what was sent ({why}); try again"
    elif code is None or code == 408 or code >= 500:
        kind = StoreUnavailableError
        text = f"the store answered {code or 'with an error'} ({why}); try again later"
    else:
        text = f"the store answered {code} ({why})"
    return kind(uri, text)


def is_over_a_limit(error: Exception) -> bool:
    """Whether a 403 is no lack of rights: Google answers quotas and rates with it as well."""
    return any("LimitExceeded" in str(e) or "quotaExceeded" in str(e) for e in getattr(error, "errors", ()))


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
