"""The client of the shared job log: how it reaches Firestore, how long it tries, and what its errors mean.

An emulator is named when the client is made, or by FIRESTORE_EMULATOR_HOST.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from pipeline.errors import JobLogError
from pipeline.proxies import is_on_loopback, through_proxy

SECONDS = 20.0  # for one call, its repetitions included; the client's own limits go up to 5 minutes
# The default goes up to 2 minutes: longer than a job tries to have its end on record once Firestore is back.
_RECONNECT = [("grpc.initial_reconnect_backoff_ms", 200), ("grpc.max_reconnect_backoff_ms", 2000)]


def open_client(project: str, database: str, emulator: str | None = None) -> Any:
    """A client that finds Firestore again within seconds after it was away. Imported on first need: it takes 0.4 s.

    `emulator` is the host:port of one; left out, the library looks for FIRESTORE_EMULATOR_HOST.
    """
    import grpc
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import firestore
    from google.cloud.firestore_v1.services.firestore import client as service
    from google.cloud.firestore_v1.services.firestore.transports.grpc import FirestoreGrpcTransport

    class Transport(FirestoreGrpcTransport):
        @classmethod
        def create_channel(cls, *args: Any, options: Any = (), **named: Any) -> Any:
            return super().create_channel(*args, options=[*options, *_RECONNECT], **named)

    class Client(firestore.Client):
        # The library has no public way to say how its channel is made, nor which emulator is meant.
        def __init__(self, **named: Any) -> None:
            super().__init__(**named)
            if emulator:
                self._emulator_host = emulator

        @property
        def _firestore_api(self) -> Any:
            return self._firestore_api_helper(Transport, service.FirestoreClient, service)

        def _emulator_channel(self, _transport: Any) -> Any:
            options = [
                ("Authorization", "Bearer owner"),
                ("grpc.max_receive_message_length", -1),
                *_RECONNECT,
                ("grpc.enable_http_proxy", int(not is_on_loopback(self._emulator_host))),
            ]
            return grpc.insecure_channel(self._emulator_host, options=options)

    credentials = AnonymousCredentials() if emulator else None
    return Client(project=project, database=database, credentials=credentials)


def patience(on_error: Callable[[Exception], object] | None = None) -> dict[str, Any]:
    """How long a call is tried, as its arguments; `on_error` hears of each fault that is tried again."""
    from google.api_core.retry import Retry, if_exception_type

    transient = if_exception_type(*_transient())
    retry = Retry(transient, initial=0.1, maximum=2.0, timeout=SECONDS, on_error=on_error)
    return {"retry": retry, "timeout": SECONDS}


@contextlib.contextmanager
def explained(where: str) -> Iterator[None]:
    """Firestore's errors as JobLogError, with the place and what to do about it."""
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError

    from pipeline.storage.gcs_answers import said

    try:
        yield
    except (GoogleAPIError, GoogleAuthError) as e:
        raise JobLogError(f"{where}: {said(e)}; {_remedy(e)}") from e


def throttle(stream: Any) -> None:
    """Let the client open a broken stream again 5 times in 10 s, no more.

    It knows how to, but does not for watches, and takes two thirds of a core for as long as Firestore is away.
    """
    from google.api_core import bidi

    stream._rpc._reopen_throttle = bidi._Throttle(access_limit=5, time_window=timedelta(seconds=10))  # noqa: SLF001


def _transient() -> tuple[type[Exception], ...]:
    from google.api_core import exceptions

    return exceptions.ServiceUnavailable, exceptions.InternalServerError, exceptions.ResourceExhausted


def _remedy(error: Exception) -> str:
    """What to do about it, for the end of a message."""
    from google.api_core import exceptions
    from google.auth.exceptions import GoogleAuthError

    if isinstance(error, exceptions.InvalidArgument) and "maximum" in str(error):
        return "the document is full: take out of it what other programs keep there"
    remedies: list[tuple[type[Exception], str]] = [
        (GoogleAuthError, "run `gcloud auth application-default login`, or set FIRESTORE_EMULATOR_HOST"),
        (exceptions.Unauthenticated, "run `gcloud auth application-default login`"),
        (exceptions.PermissionDenied, "ask for the role roles/datastore.user in the project"),
        (exceptions.NotFound, "make the database: `gcloud firestore databases create`"),
        (exceptions.FailedPrecondition, "if an index is missing, deploy docs/firestore.indexes.json"),
        (exceptions.Aborted, "too many writers at once: try again"),
        (exceptions.InvalidArgument, "the document or the query is not what Firestore takes: report this"),
    ]
    emulator = os.environ.get("FIRESTORE_EMULATOR_HOST")
    through = "" if emulator else through_proxy("https://firestore.googleapis.com")
    default = (
        f"Firestore cannot be reached{through} or is overloaded: check the network and FIRESTORE_EMULATOR_HOST, "
        "try again"
    )
    return next((remedy for kind, remedy in remedies if isinstance(error, kind)), default)
