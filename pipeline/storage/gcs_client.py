"""The google-cloud-storage clients: one pool for a process, on what terms they are asked, and their errors as ours.

A client belongs to the endpoint that it was made for (`pipeline.storage.cloud`). Google is asked with the credentials
that its libraries find, an emulator with none.
"""

from __future__ import annotations

import functools
import http.client
import os
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ParamSpec, TypeVar

import requests
import urllib3
from google.api_core import exceptions as api
from google.auth import exceptions as auth
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

from pipeline.errors import CredentialsError, StorageError, StoreUnavailableError, TransferError
from pipeline.proxies import is_of_proxy, reach_directly, through_proxy
from pipeline.storage.cloud import Cloud
from pipeline.storage.deadline import deadline, mount
from pipeline.storage.gcs_answers import said, status_of
from pipeline.storage.gcs_faults import NO_STORE, SIGN_IN, error_of
from pipeline.storage.patience import Patience, Trials

CONNECTIONS = 96  # as many as threads that may ask at once
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
_CHECK_NETWORK = "check the network, then try again"
_CORRECT_PROXY = "correct that variable, or name the store's host in NO_PROXY to go without"
_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True)
class Terms:
    """How buckets are asked: of which service, with how much patience, and which project is billed."""

    cloud: Cloud
    patience: Patience
    user_project: str | None = None

    def answer(self) -> float:
        """Seconds that a store may be silent."""
        return self.patience.answer()


def client(cloud: Cloud) -> Any:
    """This process's client of that service (google.cloud.storage.Client). Raises CredentialsError without credentials.

    All stores of one endpoint share it, with its connections: this is the one pool of clients that there is.
    """
    return _client(os.getpid(), cloud.endpoint)


def bucket_of(name: str, terms: Terms) -> Any:
    """The client's own handle of a bucket; what is asked through it is billed as the terms say."""
    return client(terms.cloud).bucket(name, user_project=terms.user_project)


def asked(
    uri: str, terms: Terms, size: int = _ANSWER_BYTES
) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
    """Bound a call that asks the store about `uri`, and try it again while the store is at fault.

    Goes where the client takes a `retry`. `size` is what a try moves, in bytes. The call may be done twice: its
    answer may have been lost. Raises StorageError or one of its kind.
    """

    def decorate(call: Callable[_P, _T]) -> Callable[_P, _T]:
        @functools.wraps(call)
        def tried(*arguments: _P.args, **options: _P.kwargs) -> _T:
            trials = Trials(terms.patience)
            while True:
                try:
                    with attempt(uri, terms, size):
                        return call(*arguments, **options)
                except StoreUnavailableError as e:
                    trials.failed(e)

        return tried

    return decorate


@contextmanager
def attempt(uri: str, terms: Terms, size: int = _ANSWER_BYTES) -> Iterator[None]:
    """Bound one try of a call that asks the store about `uri`. Raises StorageError or one of its kind."""
    with mapped(uri, terms.user_project, terms.cloud.endpoint), deadline(terms.patience.deadline(size)):
        yield


@lru_cache(maxsize=8)  # a forked child must not write into its parent's connections
def _client(_process: int, emulator: str | None) -> Any:
    import google.auth
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    with mapped("gs://", endpoint=emulator):
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
    reach_directly(made._http, emulator or "")  # noqa: SLF001
    mount(made._http, connections=CONNECTIONS)  # noqa: SLF001 - its only way to keep more than ten
    # Tokens are fetched within requests, by a session of their own: nobody waits for them without end either.
    mount(made._http._auth_request.session, connections=1, retries=3)  # noqa: SLF001
    weakref.finalize(made, made._http.close)  # noqa: SLF001 - one of many emulators goes with its connections
    return made


@contextmanager
def mapped(uri: str, user_project: str | None = None, endpoint: str | None = None) -> Iterator[None]:
    """Whatever the client raises, as a StorageError about `uri`; `endpoint` is that of an emulator."""
    address = endpoint or "https://storage.googleapis.com"
    try:
        yield
    except (api.GoogleAPIError, InvalidResponse) as e:
        raise _answered(uri, e, user_project, address) from e
    except DataCorruption as e:
        raise TransferError(uri, f"the transfer failed ({said(e)})", "try again") from e
    except auth.TransportError as e:
        through = through_proxy(_TOKENS)
        reason = f"the service that gives credentials does not answer{through} ({said(e)})"
        raise CredentialsError(uri, reason, _CORRECT_PROXY if through else _CHECK_NETWORK) from e
    except auth.GoogleAuthError as e:
        none = isinstance(e, auth.DefaultCredentialsError)
        reason = "there are no credentials" if none else "the credentials do not work, or no longer"
        raise CredentialsError(uri, f"{reason} ({said(e)})", SIGN_IN) from e
    except StorageError:
        raise
    except requests.exceptions.InvalidJSONError as e:
        raise StoreUnavailableError(uri, *NO_STORE) from e
    except _UNREACHED as e:
        through = through_proxy(address)
        if isinstance(e, _NO_ADDRESS):  # which trying again does not mend
            wrong = "that variable" if through else "STORAGE_EMULATOR_HOST"
            raise StorageError(
                uri, f"the store cannot be asked{through} ({said(e)})", f"correct {wrong}"
            ) from e
        remedy = f"{_CORRECT_PROXY}, then try again" if through else _CHECK_NETWORK
        raise StoreUnavailableError(
            uri, f"the store does not answer{through} ({type(e).__name__}: {said(e)})", remedy
        ) from e


def _answered(uri: str, error: Exception, user_project: str | None, address: str) -> StorageError:
    """An answer that is no success: the store's, or that of a proxy on the way to it."""
    if is_of_proxy(getattr(error, "response", None)) and (through := through_proxy(address)):
        reason = (
            f"{status_of(error)} was answered{through}, in words that are not the store's ({said(error)})"
        )
        return StorageError(uri, reason, _CORRECT_PROXY)
    return error_of(uri, error, user_project)
