"""An answer of Cloud Storage that is no success: its status, its codes for the reason, and its own words, whole."""

from __future__ import annotations

import re
from typing import Any

from google.cloud.storage.exceptions import InvalidResponse

_SAID_CHARACTERS = 2000  # Cloud Storage's own sentences are far shorter; what else answers may have no bound
_REQUEST = re.compile(r"^(?:\d{3} )?[A-Z]+ https?://\S+: ")  # what the client puts before the store's words
_TRIED = re.compile(r"Max retries exceeded with url: \S+ \(Caused by (?P<cause>.*)\)$", re.DOTALL)


def status_of(error: BaseException) -> int | None:
    """The HTTP status; None for an error that is no answer."""
    if isinstance(error, InvalidResponse):
        return int(error.response.status_code)
    code = getattr(error, "code", None)
    return code if isinstance(code, int) else None


def codes_of(error: BaseException) -> list[str]:
    """The words that stand for the reason ("forbidden", "vpcServiceControls"), as far as there are any."""
    document = _document(error)
    entries = [
        *document.get("errors", ()),
        *document.get("details", ()),
        *(getattr(error, "errors", None) or ()),
    ]
    return [str(entry["reason"]) for entry in entries if isinstance(entry, dict) and entry.get("reason")]


def said(error: BaseException) -> str:
    """What it says, on one line: without the URL that was asked for, and not cut off before it is far too long."""
    text = _document(error).get("message")
    if not text and (response := getattr(error, "response", None)) is not None:
        text = getattr(response, "text", "")
    text = " ".join(str(text or getattr(error, "message", None) or error).split())
    if "<html" in text[:500].lower():
        return "an HTML page, which is a proxy's or one to sign in"
    text = _TRIED.sub(lambda found: found["cause"], _REQUEST.sub("", text)) or type(error).__name__
    return text if len(text) <= _SAID_CHARACTERS else f"{text[:_SAID_CHARACTERS]}…"


def _document(error: BaseException) -> dict[str, Any]:
    """The error in an answer's JSON; empty for other answers."""
    response = getattr(error, "response", None)
    try:
        found = response.json()["error"] if response is not None else {}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return found if isinstance(found, dict) else {}
