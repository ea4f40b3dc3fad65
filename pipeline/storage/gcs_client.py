"""The google-cloud-storage client: one for a process, its errors as ours, and how often and how long it is asked.

Credentials are found as Google's libraries find them; STORAGE_EMULATOR_HOST leads to a local stack instead.
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
from pipeline.proxies import is_of_proxy, reach_directly, through_proxy
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
_TOKENS = "https://oauth2.googleapis.com"
_NO_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    urllib3.exceptions.LocationValueError,
)
_CORRECT_PROXY = "correct that variable, or name the store's host in NO_PROXY to go without"
_P = ParamSpec("_P")
_T = TypeVar("_T")


def client() -> Any:
    """This process's client (google.cloud.storage.Client). Raises CredentialsError without credentials."""
    return _client(os.getpid(), os.environ.get("STORAGE_EMULATOR_HOST"))


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
    reach_directly(made._http, emulator or "")  # noqa: SLF001
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
    except auth.TransportError as e:
        through = through_proxy(_TOKENS)
        remedy = _CORRECT_PROXY if through else "check the network, then try again"
        raise CredentialsError(
            uri, f"the service that gives credentials does not answer{through} ({_first_line(e)}); {remedy}"
        ) from e
    except auth.GoogleAuthError as e:
        raise CredentialsError(
            uri,
            "no credentials were found or they do not work "
            f"({_first_line(e)}); run `gcloud auth application-default login`, or `chimera up` for a local stack",
        ) from e
    except StorageError:
        raise
    except _UNREACHED as e:
        through = through_proxy(_address())
        if isinstance(e, _NO_ADDRESS):  # which trying again does not mend
            wrong = "that variable" if through else "STORAGE_EMULATOR_HOST"
            why = f"the store cannot be asked{through} ({_first_line(e)}); correct {wrong}"
            raise StorageError(uri, why) from e
        remedy = f"{_CORRECT_PROXY}, then try again" if through else "check the network, then try again"
        raise StoreUnavailableError(
            uri, f"the store does not answer{through} ({_first_line(e)}); {remedy}"
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
    if is_of_proxy(getattr(error, "response", None)) and (through := through_proxy(_address())):
        text = f"{code} was answered{through}, in words that are not the store's ({why}); {_CORRECT_PROXY}"
    return kind(uri, text)


def _address() -> str:
    """Where the client asks."""
    return os.environ.get("STORAGE_EMULATOR_HOST") or "https://storage.googleapis.com"


def is_over_a_limit(error: Exception) -> bool:
    """Whether a 403 is no lack of rights: Google answers quotas and rates with it as well."""
    return any("LimitExceeded" in str(e) or "quotaExceeded" in str(e) for e in getattr(error, "errors", ()))


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
