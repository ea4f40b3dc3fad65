"""What goes past the proxies that an environment names, and what is told of one that stands in between.

A company's machine sets HTTP_PROXY and the like, and often no NO_PROXY. What listens on this machine alone can be
reached through none of them.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

LOOPBACK = ("localhost", "127.0.0.1", "::1")
_NO_PROXY = ("no_proxy", "NO_PROXY")


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own and nobody else's. Names are not looked up."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_on_loopback(address: str) -> bool:
    """The same for a URL, or for host:port."""
    try:
        return is_loopback(urlsplit(address if "//" in address else f"//{address}").hostname or "")
    except ValueError:
        return False


def direct_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables that exempt this machine's own addresses from proxies, with what they exempt already."""
    entries = [entry.strip() for name in _NO_PROXY for entry in environment.get(name, "").split(",")]
    exempt = ",".join(dict.fromkeys(filter(None, (*entries, *LOOPBACK))))
    return dict.fromkeys(_NO_PROXY, exempt)


def reach_directly(session: Any, address: str) -> None:
    """Have a session (requests.Session) take no proxy from the environment where the address is on this machine."""
    if is_on_loopback(address):
        session.trust_env = False


def proxy_to(address: str) -> str | None:
    """The proxy through which a URL is reached, as requests finds it; None where it is reached directly."""
    import requests

    if is_on_loopback(address):
        return None
    try:
        proxy: str | None = requests.utils.select_proxy(address, requests.utils.get_environ_proxies(address))
    except ValueError:  # what is no address is asked through nothing
        return None
    return requests.utils.prepend_scheme_if_needed(proxy, "http") if proxy else None


def through_proxy(address: str, environment: Mapping[str, str] = os.environ) -> str:
    """` through the proxy http://host:port that HTTPS_PROXY names`; empty where a URL is reached directly."""
    proxy = proxy_to(address)
    if not proxy:
        return ""
    scheme = urlsplit(address).scheme
    names = [spelt for name in (f"{scheme}_proxy", "all_proxy") for spelt in (name, name.upper())]
    named = next((name for name in names if environment.get(name)), "the system")
    return f" through the proxy {without_password(proxy)} that {named} names"


def is_of_proxy(answer: Any) -> bool:
    """Whether an answer (requests.Response) looks like a proxy's and not like one of Google's, which it marks."""
    if answer is None:
        return False
    headers = {name.lower(): value for name, value in answer.headers.items()}
    is_page = headers.get("content-type", "").startswith("text/html")
    return answer.status_code == 407 or (is_page and not any(name.startswith("x-g") for name in headers))


def without_password(proxy: str) -> str:
    """A proxy's address as it may be shown, with the scheme that it has if it names none."""
    scheme, _, rest = (proxy if "://" in proxy else f"http://{proxy}").partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
