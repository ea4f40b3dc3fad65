"""Which credentials Google's libraries find, and whether Google takes them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from chimera_nb.doctor.finding import Finding, fault, off, ok
from chimera_nb.settings import Settings
from pipeline.storage.gcs_answers import said

LOGIN = "gcloud auth application-default login"
WITHOUT_CREDENTIALS = "cannot be asked without credentials that work"
NETWORK = "check the network, and HTTPS_PROXY if one is needed; then chimera doctor"
_NAME = "credentials"
_SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
_NAMED = "GOOGLE_APPLICATION_CREDENTIALS"
_KINDS = {
    "authorized_user": "your own, of gcloud",
    "service_account": "a service account's key",
    "external_account": "a workload identity's",
    "impersonated_service_account": "those of a service account, impersonated",
}


def check_credentials(settings: Settings, environment: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Asks Google for a token, unless the place is local: then nobody is asked, a metadata server least of all."""
    if settings.place == "local":
        yield off(_NAME, "none are needed: the place is local, and nothing leaves this machine")
        return
    file = credentials_file(environment)
    if environment.get(_NAMED) and not (file and file.is_file()):
        yield fault(
            _NAME, f"{_NAMED} names {environment[_NAMED]}, which is no file", f"unset {_NAMED}; {LOGIN}"
        )
        return
    whose = "the metadata server's"
    if file is not None:
        try:
            whose = f"{_whose(json.loads(file.read_text('utf-8')))} ({file})"
        except (OSError, ValueError, AttributeError) as e:
            yield fault(_NAME, f"{file} holds no credentials ({e})", f"unset {_NAMED}; {LOGIN}")
            return
    yield from _tried(whose, has_file=file is not None)


def credentials_file(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The file of the default credentials: the one that is named, else gcloud's; None where there is none."""
    if named := environment.get(_NAMED):
        return Path(named)
    try:
        home = Path.home()
    except RuntimeError:
        return None
    folder = Path(environment.get("CLOUDSDK_CONFIG") or home / ".config" / "gcloud")
    found = folder / "application_default_credentials.json"
    return found if found.is_file() else None


def member(environment: Mapping[str, str] = os.environ) -> str:
    """Whom a role is to be given to, as gcloud writes it, with a word to be filled in where that is not known."""
    try:
        file = credentials_file(environment)
        found = json.loads(file.read_text("utf-8")) if file else {}
        return f"serviceAccount:{found['client_email']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "user:YOUR-ADDRESS"


def _whose(document: Mapping[str, Any]) -> str:
    kind = str(document.get("type"))
    who = f" {document['client_email']}" if "client_email" in document else ""
    return _KINDS.get(kind, f"of type {kind}") + who


def _tried(whose: str, *, has_file: bool) -> Iterator[Finding]:
    import google.auth
    from google.auth import exceptions
    from google.auth.transport.requests import Request

    try:
        found, _ = google.auth.default(scopes=_SCOPES)
        found.refresh(Request())
    except exceptions.DefaultCredentialsError as e:
        says = f"{whose}: {said(e)}" if has_file else "none were found"
        yield fault(_NAME, says, LOGIN)
    except exceptions.TransportError as e:
        yield fault(_NAME, f"{whose}; Google does not answer for them ({said(e)})", NETWORK)
    except exceptions.GoogleAuthError as e:
        yield fault(_NAME, f"{whose}; Google refuses them ({said(e)})", LOGIN)
    else:
        account = getattr(found, "service_account_email", None)
        yield ok(_NAME, f"{whose}, {account}" if account and account not in whose else whose)
