"""Whom the local services answer: programs of the user who runs the stack, and root's, on this machine.

No web page: a browser lets any page send requests here, by this name or by one that leads here. And no other user:
loopback is everybody's, and the services ask for no password.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from aiohttp import web

from chimera_nb.machine.peers import is_own_connection

_NAMES = {"localhost", "127.0.0.1"}
# By connection: what its other end is does not change, and a client's next request is on the same one.
_own: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()


def refusal(request: web.BaseRequest) -> str | None:
    """Why a request is not answered; None where it is."""
    if not _is_own(request.transport):
        return "the local stack is its owner's alone: requests of other users of this machine are refused"
    if _is_from_page(request) or urlsplit(f"//{request.host}").hostname not in _NAMES:
        return "the local stack takes no requests from web pages or by other names"
    return None


def _is_from_page(request: web.BaseRequest) -> bool:
    """Whether a web page asks, rather than a program or a person who follows a link: what they get, no page sees.

    https://www.w3.org/TR/fetch-metadata/
    """
    headers = request.headers
    if "Origin" in headers or headers.get("Sec-Fetch-Site", "none") == "none":
        return "Origin" in headers
    wants = (request.method, headers.get("Sec-Fetch-Mode"), headers.get("Sec-Fetch-Dest"))
    return wants != ("GET", "navigate", "document")


def _is_own(transport: Any) -> bool:
    if transport is None:  # the connection has ended
        return False
    known = _own.get(transport)
    if known is None:
        known = _own[transport] = is_own_connection(transport)
    return known
